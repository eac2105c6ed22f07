package emulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// TestAssumeRole_trustPolicy: a role with a trust policy decides about chaining by it, each action by
// itself, with the keys of the caller's session.
func TestAssumeRole_trustPolicy(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	spoke := w.config.Roles[1].ARN
	statement := func(principal, actions, condition string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":%s,"Action":[%s],"Condition":%s}`, principal, actions, condition)
	}
	hub := `{"AWS":"` + w.RoleARN() + `"}`
	for _, tt := range []struct {
		name, statements string
		in               sts.AssumeRoleInput
		denied           string // the action; empty: allowed
	}{
		{"the role", statement(hub, threeActions, "{}"), sts.AssumeRoleInput{}, ""},
		{"the account", statement(`{"AWS":"111122223333"}`, threeActions, "{}"), sts.AssumeRoleInput{}, ""},
		{"another role", statement(`{"AWS":"arn:aws:iam::111122223333:role/other"}`, threeActions, "{}"), sts.AssumeRoleInput{}, "sts:AssumeRole"},
		{"the service alone", statement(`{"Service":"rolesanywhere.amazonaws.com"}`, threeActions, "{}"), sts.AssumeRoleInput{}, "sts:AssumeRole"},
		{"by the source identity of the session", statement(hub, threeActions, `{"StringLike":{"aws:SourceIdentity":"CN=web-*"}}`), sts.AssumeRoleInput{}, ""},
		{"by another source identity", statement(hub, threeActions, `{"StringLike":{"aws:SourceIdentity":"CN=db-*"}}`), sts.AssumeRoleInput{}, "sts:AssumeRole"},
		{"by a tag of the session", statement(hub, threeActions, `{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-1"}}`), sts.AssumeRoleInput{}, ""},
		{"without SetSourceIdentity", statement(hub, `"sts:AssumeRole"`, "{}"), sts.AssumeRoleInput{}, "sts:SetSourceIdentity"},
		{"without TagSession", statement(hub, `"sts:AssumeRole","sts:SetSourceIdentity"`, "{}"), sts.AssumeRoleInput{Tags: []types.Tag{tag("a", "b")}}, "sts:TagSession"},
		{"by a tag of the request", statement(hub, threeActions, `{"StringEqualsIfExists":{"aws:RequestTag/a":"b"}}`), sts.AssumeRoleInput{Tags: []types.Tag{tag("a", "c")}}, "sts:AssumeRole"},
		{"with the external id", statement(hub, threeActions, `{"StringEqualsIfExists":{"sts:ExternalId":"2f1c"}}`), sts.AssumeRoleInput{ExternalId: aws.String("2f1c")}, ""},
		{"with another external id", statement(hub, threeActions, `{"StringEqualsIfExists":{"sts:ExternalId":"2f1c"}}`), sts.AssumeRoleInput{ExternalId: aws.String("other")}, "sts:AssumeRole"},
		{"by the role's ARN", statement(`"*"`, threeActions, `{"ArnEquals":{"aws:PrincipalArn":"`+w.RoleARN()+`"}}`), sts.AssumeRoleInput{}, ""},
		{"denied", statement(hub, threeActions, "{}") + "," + strings.Replace(statement(hub, threeActions, "{}"), "Allow", "Deny", 1), sts.AssumeRoleInput{}, "sts:AssumeRole"},
		{"by the session's name", statement(hub, threeActions, `{"StringEqualsIfExists":{"sts:RoleSessionName":"first"}}`), sts.AssumeRoleInput{}, "sts:AssumeRole"},
	} {
		if err := w.PutRole(Role{ARN: spoke, TrustPolicy: `{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`}); err != nil {
			t.Fatal(err)
		}
		tt.in.RoleArn, tt.in.RoleSessionName = &spoke, aws.String("second")
		_, err := w.sessionClient().AssumeRole(t.Context(), &tt.in)
		if tt.denied == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		explicit := strings.Contains(tt.statements, `"Effect":"Deny"`)
		if says := strings.HasSuffix(fmt.Sprint(err), spoke+" with an explicit deny in a resource-based policy"); says != explicit {
			t.Errorf("%s: %v", tt.name, err)
		}
		wantAPIError(t, err, "AccessDenied", "is not authorized to perform: "+tt.denied+" on resource: "+spoke)
	}
}

// TestAssumeRole_trustPolicyKeys: the keys that each request has, of a session and of a user (IAM guide,
// "AWS global condition context keys").
func TestAssumeRole_trustPolicyKeys(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	spoke := w.config.Roles[1].ARN
	alice := w.userClient()
	for _, tt := range []struct {
		client    *sts.Client
		condition string
		allowed   bool
	}{
		{alice, `{"StringEquals":{"aws:username":"alice","aws:PrincipalType":"User"}}`, true},
		{alice, `{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}`, false},
		{w.sessionClient(), `{"StringEquals":{"aws:PrincipalType":"AssumedRole"},"Null":{"aws:username":"true"}}`, true},
		{w.sessionClient(), `{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{w.sessionClient(), `{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`, true},
		{w.sessionClient(), `{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}`, false},
		{w.sessionClient(), `{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, true},
		{w.sessionClient(), `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, false},
	} {
		document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Condition":` + tt.condition + `}}`
		if err := w.PutRole(Role{ARN: spoke, TrustPolicy: document}); err != nil {
			t.Fatal(err)
		}
		_, err := tt.client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &spoke, RoleSessionName: aws.String("second")})
		if (err == nil) != tt.allowed {
			t.Errorf("%s: %v", tt.condition, err)
		}
	}
}
