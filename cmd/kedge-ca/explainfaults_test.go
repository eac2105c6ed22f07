package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
)

// fault is what keeps a host from its credentials.
type fault struct {
	name  string
	make  func(*explained)
	args  []string         // of explain; nil: the name of the host
	check string           // that fails
	seen  string           // what it shows
	fix   func(*explained) // where there is no command that is enough; nil: the commands are
	after func(*explained) // what the host has to do besides
}

// faults lists them.
func faults() []fault {
	return []fault{
		{name: "trust anchor disabled", check: "anchor-enabled", seen: "it is disabled", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.DisableTrustAnchor, &rolesanywhere.DisableTrustAnchorInput{TrustAnchorId: &e.known.TrustAnchor})
		}},
		{name: "trust anchor deleted", check: "trust-anchor", seen: "there is no trust anchor arn:", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.DeleteTrustAnchor, &rolesanywhere.DeleteTrustAnchorInput{TrustAnchorId: &e.known.TrustAnchor})
		}, after: (*explained).readARNs},
		{name: "trust anchor of another CA", check: "path", seen: "leads to no certificate of the trust anchor", make: func(e *explained) {
			e.run("init", "--no-password", "--dir", e.path("other"))
			e.anchorSource(string(e.read("other/ca.pem")))
		}},
		{name: "root rotated", check: "path", seen: "leads to no certificate of the trust anchor", make: func(e *explained) {
			e.run("rotate", "start", "--no-password")
			e.run("rotate", "switch", "--yes")
			e.run("issue", "web-01", "--out", e.mkdir("renewed"))
			e.folder = "renewed"
		}},
		{name: "root retired", check: "path", seen: "which is not in use any more", make: func(e *explained) {
			e.run("rotate", "start", "--no-password")
			e.run("rotate", "switch", "--yes")
			e.run("rotate", "finish", "--yes")
			e.run("aws", "rotate", "--yes")
		}, after: func(e *explained) { e.folder = "" }},
		{name: "still on the list after a hold", check: "revoked", seen: "and not revoked in the ledger", make: func(e *explained) {
			e.hold()
			e.run("unrevoke", "web-01")
		}},
		{name: "held", check: "host-state", seen: "suspended on", make: (*explained).hold},
		{name: "revoked", check: "host-state", seen: "revoked on", make: func(e *explained) {
			e.run("revoke", "web-01", "--yes", "--reason", "key-compromise")
			e.run("crl")
			e.run("aws", "crl", "push")
		}, after: func(e *explained) { e.folder = "" }},
		{name: "never issued", check: "host-certificate", seen: "the ledger has no certificate of web-02", make: func(e *explained) { e.host = "web-02" }, after: func(e *explained) { e.folder = "" }},
		{name: "profile disabled", check: "profile-enabled", seen: "it is disabled", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.DisableProfile, &rolesanywhere.DisableProfileInput{ProfileId: &e.known.Profile})
		}},
		{name: "profile deleted", check: "profile", seen: "there is no profile arn:", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.DeleteProfile, &rolesanywhere.DeleteProfileInput{ProfileId: &e.known.Profile})
		}, after: (*explained).readARNs},
		{name: "role not in the profile", check: "profile-roles", seen: "role/hosts/backup is not one of its 0 roles", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &e.known.Profile, RoleArns: []string{}})
		}},
		{name: "long session policy", check: "session-policies", seen: "and a session takes 2048", make: func(e *explained) { e.sessionPolicy(strings.Repeat(" ", 2000)) }, fix: func(e *explained) { e.sessionPolicy("") }},
		{name: "many managed policies", check: "session-policies", seen: "it has 11 managed policies, and a session takes 10", make: func(e *explained) { e.managedPolicies(11) }, fix: func(e *explained) { e.managedPolicies(1) }},
		{name: "subject not mapped", check: "trust-policy", seen: "since the profile does not map it", make: func(e *explained) {
			call(e, e.account.RolesAnywhere.DeleteAttributeMapping, &rolesanywhere.DeleteAttributeMappingInput{ProfileId: &e.known.Profile, CertificateField: types.CertificateFieldX509Subject})
		}},
		{name: "role deleted", check: "role", seen: "there is no role arn:", make: func(e *explained) {
			call(e, e.account.IAM.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: aws.String("backup"), PolicyName: aws.String("backup")})
			call(e, e.account.IAM.DeleteRole, &iam.DeleteRoleInput{RoleName: aws.String("backup")})
		}},
		{name: "no TagSession", check: "trust-policy", seen: "sts:TagSession: no statement allows it", make: trust(`"sts:AssumeRole", "sts:SetSourceIdentity"`, service, source+byName)},
		{name: "no SetSourceIdentity", check: "trust-policy", seen: "sts:SetSourceIdentity: no statement allows it", make: trust(`"sts:AssumeRole", "sts:TagSession"`, service, source+byName)},
		{name: "source of another trust anchor", check: "trust-policy", seen: "ArnEquals of aws:SourceArn wants", make: trust(actions, service, strings.Replace(source, "ANCHOR", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/00000000-0000-4000-8000-000000000000", 1)+byName)},
		{name: "another host", check: "trust-policy", seen: `wants "web-03", and the session has "web-01"`, make: trust(actions, service, source+strings.Replace(byName, "web-01", "web-03", 1))},
		{name: "another service", check: "trust-policy", seen: "no statement is for rolesanywhere.amazonaws.com", make: trust(actions, "ec2.amazonaws.com", source+byName)},
		{name: "unit", check: "trust-policy", seen: "wants \"batch\", and the session has none", make: trust(actions, service, source+`"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "batch"}`)},
		{name: "issuer", check: "trust-policy", seen: "aws:PrincipalTag/x509Issuer/CN wants", make: trust(actions, service, source+`"StringEquals": {"aws:PrincipalTag/x509Issuer/CN": "Example CA"}`)},
		{name: "SPIFFE ID", check: "trust-policy", seen: "aws:PrincipalTag/x509SAN/URI wants", make: trust(actions, service, source+`"StringLike": {"aws:PrincipalTag/x509SAN/URI": "spiffe://example.com/*"}`)},
		{name: "source identity without CN=", check: "trust-policy", seen: `wants "web-01", and the session has "CN=web-01"`, make: trust(`"sts:AssumeRole", "sts:SetSourceIdentity"`, service, source+`"StringEquals": {"sts:SourceIdentity": "web-01"}`)},
		{name: "end of a date", check: "trust-policy", seen: "DateLessThan of aws:CurrentTime", make: trust(actions, service, source+byName+`, "DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}`)},
		{name: "explicit deny", check: "trust-policy", seen: "statement 2 denies it", make: func(e *explained) {
			e.trust(statement("Allow", actions, service, source+byName) + "," + statement("Deny", actions, service, byName))
		}},
		{name: "role that is not described", check: "trust-policy", seen: `wants "web-03"`, make: func(e *explained) {
			trust(actions, service, source+strings.Replace(byName, "web-01", "web-03", 1))(e)
			e.describe("aws: {}\n")
		}, after: func(e *explained) { e.describe(backupRoles) }},
		{name: "host that is not described", check: "trust-policy", seen: `wants "web-02"`, make: func(e *explained) {
			trust(actions, service, source+strings.Replace(byName, "web-01", "web-02", 1))(e)
			e.describe(strings.Replace(backupRoles, "web-01, ", "", 1))
		}, fix: func(e *explained) {
			e.describe(backupRoles)
			e.run("aws", "up", "--role", "backup", "--yes")
		}},
	}
}

// Parts of trust policies.
const (
	actions = `"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"`
	service = "rolesanywhere.amazonaws.com"
	source  = `"ArnEquals": {"aws:SourceArn": "ANCHOR"}, `
	byName  = `"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "web-01"}`
)

func statement(effect, actions, service, conditions string) string {
	return `{"Effect": "` + effect + `", "Principal": {"Service": "` + service + `"}, "Action": [` + actions + `], "Condition": {` + conditions + `}}`
}

// trust returns what gives the role a trust policy of one statement.
func trust(actions, service, conditions string) func(*explained) {
	return func(e *explained) { e.trust(statement("Allow", actions, service, conditions)) }
}

// trust gives the role a trust policy.
func (e *explained) trust(statements string) {
	e.t.Helper()
	text := strings.ReplaceAll(`{"Version": "2012-10-17", "Statement": [`+statements+`]}`, "ANCHOR", e.known.TrustAnchor)
	call(e, e.account.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("backup"), PolicyDocument: &text})
}

// anchorSource gives the trust anchor other certificates.
func (e *explained) anchorSource(text string) {
	e.t.Helper()
	call(e, e.account.RolesAnywhere.UpdateTrustAnchor, &rolesanywhere.UpdateTrustAnchorInput{TrustAnchorId: &e.known.TrustAnchor, Source: &types.Source{
		SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: text},
	}})
}

// hold suspends the certificate, here and at AWS.
func (e *explained) hold() {
	e.t.Helper()
	e.run("revoke", "web-01", "--yes", "--reason", "certificate-hold")
	e.run("crl")
	e.run("aws", "crl", "push")
}

// sessionPolicy gives the profile a session policy with white space.
func (e *explained) sessionPolicy(space string) {
	e.t.Helper()
	text := `{"Version":"2012-10-17",` + space + `"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	call(e, e.account.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &e.known.Profile, SessionPolicy: &text})
}

// managedPolicies gives the profile some.
func (e *explained) managedPolicies(n int) {
	e.t.Helper()
	var arns []string
	for i := range n {
		arns = append(arns, fmt.Sprintf("arn:aws:iam::aws:policy/p%d", i))
	}
	call(e, e.account.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &e.known.Profile, ManagedPolicyArns: arns})
}
