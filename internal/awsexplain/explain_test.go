package awsexplain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsplan"
)

const (
	anchorARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"
	otherARN   = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000009"
	profileARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/6b656467-6500-4000-8000-000000000002"
	roleARN    = "arn:aws:iam::111122223333:role/hosts/backup"
	trustText  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"ArnEquals":{"aws:SourceArn":"` + anchorARN + `"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-01"}}}]}`
)

// authority is a CA that signs.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1, 2, 3},
	}
	return authority{issue(t, template, template, key, key), key}
}

func issue(t *testing.T, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// host issues a certificate for web-01.
func (a authority) host(t *testing.T, usage x509.KeyUsage) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x2a), Subject: pkix.Name{CommonName: "web-01"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(23 * time.Hour),
		KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	return issue(t, template, a.cert, a.key, a.key)
}

// list signs a list with the host on it.
func (a authority) list(t *testing.T, number int64, next time.Time, serials ...int64) *x509.RevocationList {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: next}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// sound is an input by which the host gets credentials.
func sound(t *testing.T, a authority) *Input {
	t.Helper()
	now := time.Now()
	uses := ARNs{anchorARN, profileARN, roleARN}
	return &Input{
		Now: now, Uses: uses, Ours: uses, Roots: []*x509.Certificate{a.cert}, Owners: []awsplan.Owner{awsplan.OwnerOf(a.cert)},
		Host: Host{Name: "web-01", Certificate: a.host(t, x509.KeyUsageDigitalSignature), Path: []*x509.Certificate{a.cert}, State: ledger.Valid, List: 4},
		Account: Account{
			ID: "111122223333", Region: "eu-west-1", Caller: "arn:aws:iam::111122223333:user/reader",
			Anchor: Answer[awsplan.FoundAnchor]{Value: &awsplan.FoundAnchor{ARN: anchorARN, Name: "kedge", Enabled: true, Certificates: []*x509.Certificate{a.cert}}},
			Profile: Answer[Profile]{Value: &Profile{
				FoundProfile: awsplan.FoundProfile{ARN: profileARN, Name: "kedge", Enabled: true, Duration: time.Hour, Roles: []string{roleARN}},
				Mapping:      map[string][]string{"x509Subject": {"*"}, "x509Issuer": {"*"}, "x509SAN": {"DNS", "URI", "Name/*"}},
			}},
			Role:    Answer[awsplan.FoundRole]{Value: &awsplan.FoundRole{ARN: roleARN, Name: "backup", Trust: trustText, MaxSession: time.Hour, Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}}},
			Lists:   Answer[[]List]{Value: &[]List{{ARN: "arn:crl", Enabled: true, Parsed: a.list(t, 4, now.Add(time.Hour), 7)}}},
			Subject: Answer[Subject]{Value: &Subject{Enabled: true, LastSeen: now}},
		},
	}
}

func checkOf(t *testing.T, e *Explanation, id string) Result {
	t.Helper()
	i := slices.IndexFunc(e.Checks, func(r Result) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("there is no check %s", id)
	}
	return e.Checks[i]
}

// TestExplain: of what was read, each cause is found by its check, with what to paste.
func TestExplain(t *testing.T) {
	t.Parallel()
	a, other, namesake := newAuthority(t, "Root"), newAuthority(t, "Other"), newAuthority(t, "Root")
	if e := Explain(sound(t, a)); e.State != OK || e.Err() != nil || !strings.Contains(e.String(), "web-01: 23 checks: 23 ok, 0 with a warning, 0 failed, 0 not possible") {
		t.Fatal(e)
	}
	for _, tt := range []struct {
		name    string
		change  func(*Input)
		id      string
		state   State
		seen    string
		command string
	}{
		{"nothing in the ledger", func(in *Input) { in.Host.Certificate = nil }, "host-certificate", Failed, "the ledger has no certificate of web-01", "kedge-ca issue web-01"},
		{"an earlier certificate", func(in *Input) { in.Host.Newer = "2b" }, "host-certificate", Warning, "is not the newest", ""},
		{"revoked", func(in *Input) { in.Host.State, in.Host.Reason = ledger.Revoked, "key-compromise" }, "host-state", Failed, "key-compromise", "kedge-ca issue web-01"},
		{"held", func(in *Input) { in.Host.State = ledger.Held }, "host-state", Failed, "suspended", "kedge-ca unrevoke web-01"},
		{"expired", func(in *Input) { in.Host.State = ledger.Expired }, "host-state", Failed, "expired on", "kedge-ca issue web-01"},
		{"revoked after it enrolled", func(in *Input) { in.Host.State, in.Host.Enrolled = ledger.Revoked, true }, "host-state", Failed, "revoked on", "kedge-ca token web-01 --replace"},
		{"expired after it enrolled", func(in *Input) { in.Host.State, in.Host.Enrolled = ledger.Expired, true }, "host-state", Failed, "expired on", ""},
		{"not valid yet", func(in *Input) { in.Host.State = ledger.Pending }, "host-state", Failed, "valid from", ""},
		{"overdue", func(in *Input) { in.Host.State = issuance.Overdue }, "host-state", Warning, "should have been renewed", ""},
		{"denied while valid", func(in *Input) { in.Host.Denied = "since then" }, "host-renewal", Warning, "since then", "kedge-ca deny-renew web-01 --undo"},
		{"denied and expired", func(in *Input) { in.Host.Denied, in.Host.State = "since then", ledger.Expired }, "host-renewal", Failed, "since then", "kedge-ca deny-renew web-01 --undo"},
		{"copied", func(in *Input) { in.Host.Copied = true }, "host-renewal", Warning, "there is a copy", "kedge-ca hosts --json"},
		{"no digitalSignature", func(in *Input) { in.Host.Certificate = a.host(t, x509.KeyUsageKeyEncipherment) }, "host-rules", Failed, "digitalSignature", "kedge-ca show web-01 --pem | kedge-ca lint -"},
		{"no ARNs", func(in *Input) { in.Uses = ARNs{} }, "arns", Failed, "no trust anchor, no profile, no role is known", "kedge-ca aws up"},
		{"an ARN of something else", func(in *Input) { in.Uses.Profile = anchorARN }, "arns", Failed, "profile", ""},
		{"profile elsewhere", func(in *Input) { in.Uses.Profile = strings.Replace(profileARN, "eu-west-1", "us-east-1", 1) }, "arns", Failed, "the profile in 111122223333, us-east-1", ""},
		{"role elsewhere", func(in *Input) { in.Uses.Role = "arn:aws:iam::444455556666:role/backup" }, "arns", Failed, "the role in 444455556666", ""},
		{"another trust anchor", func(in *Input) { in.Ours.TrustAnchor = otherARN }, "arns", Warning, "this CA has " + otherARN, ""},
		{"another account", func(in *Input) { in.Account.ID = "444455556666" }, "account", Failed, "are of account 444455556666", ""},
		{"another region", func(in *Input) { in.Account.Region = "us-east-1" }, "account", Failed, "the requests went to us-east-1", ""},
		{"no trust anchor", func(in *Input) { in.Account.Anchor.Value = nil }, "trust-anchor", Failed, "there is no trust anchor", "kedge-ca aws up"},
		{"another one there", func(in *Input) { in.Account.Anchor.Value, in.Account.Others.Value = nil, &[]string{otherARN} }, "trust-anchor", Failed, "there is no trust anchor", ""},
		{"foreign trust anchor", func(in *Input) { in.Account.Anchor.Value.Certificates = []*x509.Certificate{other.cert} }, "trust-anchor", Failed, "neither the tag nor a certificate", "kedge-ca aws status"},
		{"disabled trust anchor", func(in *Input) { in.Account.Anchor.Value.Enabled = false }, "anchor-enabled", Failed, "it is disabled", "aws rolesanywhere enable-trust-anchor --trust-anchor-id " + anchorARN + " --region eu-west-1"},
		{"a root too many", func(in *Input) { in.Account.Anchor.Value.Certificates = []*x509.Certificate{a.cert, other.cert} }, "anchor-certificates", Warning, "no root of this CA", "| sh"},
		{"a root too few", func(in *Input) { in.Roots = append(in.Roots, other.cert) }, "anchor-certificates", Warning, "it lacks the root CN=Other", "kedge-ca bundle --aws-cli --trust-anchor " + anchorARN},
		{"source without certificates", func(in *Input) { in.Account.Anchor.Value.Certificates, in.Owners = nil, nil; in.own() }, "anchor-certificates", Warning, "AWS Private CA", "aws rolesanywhere get-trust-anchor"},
		{"no path", func(in *Input) {
			in.Host.Certificate, in.Host.Path = other.host(t, x509.KeyUsageDigitalSignature), nil
		}, "path", Failed, `its issuer is "CN=Other"`, "kedge-ca"},
		{"below a root of before", func(in *Input) {
			in.Host.Certificate, in.Host.Path = other.host(t, x509.KeyUsageDigitalSignature), []*x509.Certificate{other.cert}
		}, "path", Failed, `is below the root "CN=Other", which is not in use any more`, "kedge-ca issue web-01"},
		{"on the list", func(in *Input) { in.lists(a.list(t, 4, in.Now.Add(time.Hour), 0x2a)) }, "revoked", Failed, "it is on list 4", "kedge-ca crl\nkedge-ca aws crl push"},
		{"on a newer list", func(in *Input) { in.lists(a.list(t, 5, in.Now.Add(time.Hour), 0x2a)) }, "revoked", Failed, "whose last list is 4", "kedge-ca aws crl push --take-list\nkedge-ca issue web-01"},
		{"on the list of another CA", func(in *Input) { in.lists(other.list(t, 5, in.Now.Add(time.Hour), 0x2a)) }, "revoked", OK, "none of 1 list", ""},
		{"on the list of another key", func(in *Input) { in.lists(namesake.list(t, 5, in.Now.Add(time.Hour), 0x2a)) }, "revoked", OK, "none of 1 list", ""},
		{"on a disabled list", func(in *Input) {
			in.lists(a.list(t, 4, in.Now.Add(time.Hour), 0x2a))
			(*in.Account.Lists.Value)[0].Enabled = false
		}, "revoked", Warning, "which is disabled", ""},
		{"disabled list", func(in *Input) { (*in.Account.Lists.Value)[0].Enabled = false }, "lists", Warning, "hosts on it get sessions", "aws rolesanywhere enable-crl --crl-id arn:crl"},
		{"old list", func(in *Input) { in.lists(a.list(t, 4, in.Now.Add(-time.Minute))) }, "lists", Warning, "was to be replaced by", "kedge-ca aws crl push"},
		{"no profile", func(in *Input) { in.Account.Profile.Value = nil }, "profile", Failed, "there is no profile", "kedge-ca aws up"},
		{"disabled profile", func(in *Input) { in.Account.Profile.Value.Enabled = false }, "profile-enabled", Failed, "it is disabled", "aws rolesanywhere enable-profile"},
		{"role not in the profile", func(in *Input) { in.Account.Profile.Value.Roles = []string{"arn:aws:iam::111122223333:role/other"} }, "profile-roles", Failed, "is not one of its 1 roles", "--role-arns arn:aws:iam::111122223333:role/other " + roleARN + " --region eu-west-1"},
		{"long session policy", func(in *Input) { in.Account.Profile.Value.SessionPolicy = strings.Repeat(" ", 2049) }, "session-policies", Failed, "2049 characters", ""},
		{"many managed policies", func(in *Input) { in.Account.Profile.Value.ManagedPolicies = make([]string, 11) }, "session-policies", Failed, "11 managed policies", "aws rolesanywhere get-profile"},
		{"long sessions", func(in *Input) { in.Account.Profile.Value.Duration = 12 * time.Hour }, "duration", Warning, "the profile allows 12h0m0s, and the role 1h0m0s", "aws iam update-role --role-name backup --max-session-duration 43200"},
		{"no role", func(in *Input) { in.Account.Role.Value = nil }, "role", Failed, "there is no role", "kedge-ca aws up"},
		{"another path of the role", func(in *Input) { in.Account.Role.Value.ARN = "arn:aws:iam::111122223333:role/backup" }, "role", Failed, "the role of that name is", ""},
		{"another host", func(in *Input) { in.policy(`"web-01"`, `"web-02"`) }, "trust-policy", Failed, `sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: statement 1: StringEquals of aws:PrincipalTag/x509Subject/CN wants "web-02", and the session has "web-01"`,
			"kedge-ca aws policy web-01 web-02 --trust-anchor " + anchorARN + " > trust.json\naws iam update-assume-role-policy --role-name backup --policy-document file://trust.json"},
		{"as described", func(in *Input) { in.policy(`"web-01"`, `"web-02"`); in.Role = Described{Name: "backup", Gives: true} }, "trust-policy", Failed, "web-02", "kedge-ca aws up --role backup"},
		{"a missing action", func(in *Input) { in.policy(`,"sts:TagSession"`, "") }, "trust-policy", Failed, "sts:TagSession: no statement allows it", "kedge-ca aws policy"},
		{"no policy at all", func(in *Input) { in.Account.Role.Value.Trust = "{" }, "trust-policy", Failed, "IAM would refuse this trust policy", "kedge-ca aws policy"},
		{"tag not mapped", func(in *Input) { delete(in.Account.Profile.Value.Mapping, "x509Subject") }, "trust-policy", Failed, "since the profile does not map it", "aws rolesanywhere put-attribute-mapping --profile-id " + profileARN + " --certificate-field x509Subject --mapping-rules specifier=CN --region eu-west-1"},
		{"tag of nothing", func(in *Input) { in.policy("x509Subject/CN", "CN") }, "trust-policy", Failed, `aws:PrincipalTag/CN wants "web-01", and the session has none`, "kedge-ca aws policy"},
		{"role without policies", func(in *Input) { in.Account.Role.Value.Attached = nil }, "permissions", Warning, "may do nothing", "aws iam list-attached-role-policies"},
		{"never seen", func(in *Input) { in.Account.Subject.Value = nil }, "seen", Warning, "no request of the host", ""},
		{"refused last", func(in *Input) { in.Account.Subject.Value.Failed = true }, "seen", Warning, "was refused", ""},
		{"subject disabled", func(in *Input) { in.Account.Subject.Value.Enabled = false }, "seen", Warning, "its subject is disabled", ""},
		{"no right to see the role", func(in *Input) { in.Account.Role = Answer[awsplan.FoundRole]{Denied: "iam:GetRole"} }, "role", Blocked, "these credentials may not do iam:GetRole", "kedge-ca aws permissions explain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t, a)
			in.Role.Hosts = []string{"web-02"}
			tt.change(in)
			e := Explain(in)
			got := checkOf(t, e, tt.id)
			if got.State != tt.state || !strings.Contains(got.Seen, tt.seen) || !strings.Contains(got.Command, tt.command) || (tt.command == "") != (got.Command == "") || (got.Advice == "") != (tt.state == OK) {
				t.Errorf("%+v", got)
			}
			if (e.Err() != nil) != (len(failures(e.Checks)) > 0) || e.Err() != nil && tt.state == OK {
				t.Error(e)
			}
		})
	}
}

// own gives the trust anchor the tag of the CA.
func (in *Input) own() {
	in.Owners = []awsplan.Owner{awsplan.OwnerOf(in.Roots[0])}
	in.Account.Anchor.Value.Tags = map[string]string{awsplan.TagKey: in.Owners[0].Tag(awsplan.KindAnchor, "kedge")}
}

func (in *Input) lists(l *x509.RevocationList) {
	in.Account.Lists.Value = &[]List{{ARN: "arn:crl", Enabled: true, Parsed: l}}
}

// policy replaces a text of the trust policy.
func (in *Input) policy(old, text string) {
	in.Account.Role.Value.Trust = strings.Replace(trustText, old, text, 1)
}

// TestExplain_order: what a check needs decides whether it is possible, and the number is that of the first cause.
func TestExplain_order(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Root")
	in := sound(t, a)
	in.Account.ID = "444455556666"
	e := Explain(in)
	account := checkOf(t, e, "account")
	for _, id := range []string{"trust-anchor", "path", "profile-roles", "trust-policy", "seen"} {
		if got := checkOf(t, e, id); got.State != Blocked || got.Because != account.Number || got.Seen != "" {
			t.Errorf("%+v", got)
		}
	}
	if err := e.Err(); err == nil || err.Error() != "web-01: 1 check failed; begin with 6 account" {
		t.Error(err)
	}
	in = sound(t, a)
	in.Account.Role = Answer[awsplan.FoundRole]{Denied: "iam:GetRole"}
	e = Explain(in)
	if got := checkOf(t, e, "trust-policy"); got.State != Blocked || got.Because != checkOf(t, e, "role").Number || e.State != Warning || e.Err() != nil {
		t.Errorf("%+v, %s", got, e.State)
	}
}
