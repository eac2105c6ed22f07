package emulator

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
)

// managedSet is a trust anchor, a profile and a role that the SDK has made, with a host that may have a session.
type managedSet struct {
	*rehearsal
	anchor, profile, role string // ARNs
	ca, leaf              *authority
}

// newManagedSet makes a set of its own for a case.
func (w *rehearsal) newManagedSet(t *testing.T, n int) *managedSet {
	t.Helper()
	s := &managedSet{rehearsal: w, ca: newRoot(t, caTemplate(fmt.Sprintf("CA %d", n)))}
	s.leaf = s.ca.issue(t, leafTemplate())
	name := aws.String(fmt.Sprintf("set-%d", n))
	anchor, err := w.resources().CreateTrustAnchor(t.Context(), &ra.CreateTrustAnchorInput{Name: name, Source: bundle(s.ca), Enabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	s.anchor = *anchor.TrustAnchor.TrustAnchorArn
	role, err := w.roles().CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(s.trust(`"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`, s.anchor, "web-1"))})
	if err != nil {
		t.Fatal(err)
	}
	s.role = *role.Role.Arn
	profile, err := w.resources().CreateProfile(t.Context(), &ra.CreateProfileInput{Name: name, RoleArns: []string{s.role}, Enabled: aws.Bool(true), AcceptRoleSessionName: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	s.profile = *profile.Profile.ProfileArn
	return s
}

// trust returns a trust policy for hosts of an anchor with a common name.
func (s *managedSet) trust(actions, anchor, cn string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":[%s],`+
		`"Condition":{"ArnEquals":{"aws:SourceArn":%q},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":%q}}}]}`, actions, anchor, cn)
}

// setTrust changes the role's trust policy.
func (s *managedSet) setTrust(t *testing.T, document string) error {
	_, err := s.roles().UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String(s.name()), PolicyDocument: &document})
	return err
}

func (s *managedSet) name() string { return s.role[strings.LastIndexByte(s.role, '/')+1:] }

// request is a CreateSession request of the host, with more members.
func (s *managedSet) request(more string) *craft {
	c := newCraft(s.Emulator, s.leaf)
	c.body = fmt.Sprintf(`{"profileArn":%q,"roleArn":%q,"trustAnchorArn":%q%s}`, s.profile, s.role, s.anchor, more)
	return c
}

// errorCase is a refusal of CreateSession: a change in the control plane, or in the host's request, is its cause.
type errorCase struct {
	name    string
	change  func(t *testing.T, s *managedSet) error
	request func(t *testing.T, s *managedSet) *craft // signed; nil: a good one
	want    string
}

// TestErrors: each error of CreateSession that users have published has its cause, made by the SDK. Before the
// change the same host gets a session.
func TestErrors(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	const all = `"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`
	trust := func(actions, anchor, cn string) func(*testing.T, *managedSet) error {
		return func(t *testing.T, s *managedSet) error {
			return s.setTrust(t, s.trust(actions, cmp.Or(anchor, s.anchor), cn))
		}
	}
	with := func(more string) func(*testing.T, *managedSet) *craft {
		return func(t *testing.T, s *managedSet) *craft { return s.request(more).sign(t) }
	}
	for n, tt := range []errorCase{
		{"clock", func(t *testing.T, s *managedSet) error { s.inject(t, "skew=6m"); return nil }, nil, invalidSignature},
		{"key of another certificate", nil, func(t *testing.T, s *managedSet) *craft {
			c := s.request("")
			c.key = newKey(t)
			return c.sign(t)
		}, invalidSignature},
		{"serial in hexadecimal", nil, func(t *testing.T, s *managedSet) *craft {
			c := s.request("")
			c.serial = s.leaf.cert.SerialNumber.Text(16)
			return c.sign(t)
		}, invalidSignature},
		{"certificates of another CA", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().UpdateTrustAnchor(t.Context(), &ra.UpdateTrustAnchorInput{TrustAnchorId: &s.anchor, Source: bundle(newRoot(t, caTemplate("Other")))})
			return err
		}, nil, untrusted},
		{"no intermediate", func(t *testing.T, s *managedSet) error {
			s.leaf = s.ca.issue(t, caTemplate("Intermediate")).issue(t, leafTemplate())
			return nil
		}, nil, untrusted},
		{"no digitalSignature", func(t *testing.T, s *managedSet) error {
			template := leafTemplate()
			template.KeyUsage = 0
			s.leaf = s.ca.issue(t, template)
			return nil
		}, nil, insufficient},
		{"a CA", func(t *testing.T, s *managedSet) error { s.leaf = s.ca.issue(t, caTemplate("CA")); return nil }, nil, insufficient},
		{"revoked", revoke, nil, revokedAnswer},
		{"anchor deleted", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().DeleteTrustAnchor(t.Context(), &ra.DeleteTrustAnchorInput{TrustAnchorId: &s.anchor})
			return err
		}, nil, noAnchor},
		{"anchor disabled", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().DisableTrustAnchor(t.Context(), &ra.DisableTrustAnchorInput{TrustAnchorId: &s.anchor})
			return err
		}, nil, noAnchor},
		{"anchor of another account", func(_ *testing.T, s *managedSet) error {
			s.anchor = strings.Replace(s.anchor, "111122223333", "222233334444", 1)
			return nil
		}, nil, noAnchor},
		{"anchor of another region", func(_ *testing.T, s *managedSet) error {
			s.anchor = strings.Replace(s.anchor, "us-east-1", "us-west-2", 1)
			return nil
		}, func(t *testing.T, s *managedSet) *craft {
			c := s.request("")
			c.region = "us-east-1"
			return c.sign(t)
		}, noAnchor},
		{"profile disabled", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().DisableProfile(t.Context(), &ra.DisableProfileInput{ProfileId: &s.profile})
			return err
		}, nil, noProfile},
		{"profile deleted", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().DeleteProfile(t.Context(), &ra.DeleteProfileInput{ProfileId: &s.profile})
			return err
		}, nil, noProfile},
		{"profile of another region", func(_ *testing.T, s *managedSet) error {
			s.profile = strings.Replace(s.profile, "us-east-1", "us-west-2", 1)
			return nil
		}, nil, noProfile},
		{"role not listed", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().UpdateProfile(t.Context(), &ra.UpdateProfileInput{ProfileId: &s.profile, RoleArns: []string{s.RoleARN()}})
			return err
		}, nil, notListed},
		{"session name", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().UpdateProfile(t.Context(), &ra.UpdateProfileInput{ProfileId: &s.profile, AcceptRoleSessionName: aws.Bool(false)})
			return err
		}, with(`,"roleSessionName":"mine"`), noSessionName},
		{"no sts:AssumeRole", trust(`"sts:TagSession","sts:SetSourceIdentity"`, "", "web-1"), nil, notAssumable},
		{"no sts:TagSession", trust(`"sts:AssumeRole","sts:SetSourceIdentity"`, "", "web-1"), nil, notAssumable},
		{"no sts:SetSourceIdentity", trust(`"sts:AssumeRole","sts:TagSession"`, "", "web-1"), nil, notAssumable},
		{"another aws:SourceArn", trust(all, w.TrustAnchorARN(), "web-1"), nil, notAssumable},
		{"another tag", trust(all, "", "web-2"), nil, notAssumable},
		{"role deleted", func(t *testing.T, s *managedSet) error {
			_, err := s.roles().DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: aws.String(s.name())})
			return err
		}, nil, notAssumable},
		{"longer than the role allows", func(t *testing.T, s *managedSet) error {
			_, err := s.resources().UpdateProfile(t.Context(), &ra.UpdateProfileInput{ProfileId: &s.profile, DurationSeconds: aws.Int32(7200)})
			return err
		}, nil, overMaximum},
		{"malformed ARN", func(_ *testing.T, s *managedSet) error { s.role = "role"; return nil }, nil, violated("roleArn", "'role'", "satisfy regular expression pattern: "+arnPattern("iam", "role"))},
		{"duration", nil, with(`,"durationSeconds":899`), violated("durationSeconds", "'899'", "have value greater than or equal to 900")},
		{"throttled", func(t *testing.T, s *managedSet) error { s.inject(t, "throttle"); return nil }, nil, "429 ThrottlingException: Rate exceeded"},
	} {
		w.checkError(t, n, tt)
	}
}

// checkError checks that a host has a session before the change, and afterwards the error.
func (w *rehearsal) checkError(t *testing.T, n int, tt errorCase) {
	t.Helper()
	s := w.newManagedSet(t, n)
	if got := send(t, w.Emulator, s.request("").sign(t).wire()); got.status != 201 {
		t.Errorf("%s, before: %s", tt.name, got)
	}
	if tt.change != nil {
		if err := tt.change(t, s); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			return
		}
	}
	if tt.request == nil {
		tt.request = func(t *testing.T, s *managedSet) *craft { return s.request("").sign(t) }
	}
	if got := send(t, w.Emulator, tt.request(t, s).wire()).String(); got != tt.want {
		t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
	}
}

// revoke imports a CRL that has the leaf.
func revoke(t *testing.T, s *managedSet) error {
	_, err := s.resources().ImportCrl(t.Context(), &ra.ImportCrlInput{
		Name: aws.String("crl"), CrlData: crlPEM(newCRL(t, s.ca, s.leaf.cert.SerialNumber)), TrustAnchorArn: &s.anchor, Enabled: aws.Bool(true),
	})
	return err
}

// TestErrors_controlPlane are the errors of the table that the control plane itself answers.
func TestErrors_controlPlane(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	leaf := w.root.issue(t, leafTemplate())
	_, err := w.resources().CreateTrustAnchor(t.Context(), &ra.CreateTrustAnchorInput{Name: aws.String("leaf"), Source: bundle(leaf)})
	if status, code := statusAndCode(err); status != 400 || code != "ValidationException" || !strings.Contains(err.Error(), "Incorrect basic constraints for CA certificate") {
		t.Errorf("a leaf as trust anchor: %v", err)
	}
	s := w.newManagedSet(t, 0)
	if _, err := w.resources().DeleteProfile(t.Context(), &ra.DeleteProfileInput{ProfileId: &s.profile}); err != nil {
		t.Fatal(err)
	}
	_, err = w.resources().GetProfile(t.Context(), &ra.GetProfileInput{ProfileId: &s.profile})
	if status, code := statusAndCode(err); status != 404 || code != "ResourceNotFoundException" {
		t.Errorf("a deleted profile: %v", err)
	}
}

// TestErrors_alias: an alias whose resource was deleted names nothing, until another one has it.
func TestErrors_alias(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	first, second := w.newManagedSet(t, 1), w.newManagedSet(t, 2)
	const alias = "arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/ca"
	name := func(s *managedSet, alias string) {
		t.Helper()
		if _, err := w.resources().UpdateTrustAnchor(t.Context(), &ra.UpdateTrustAnchorInput{TrustAnchorId: &s.anchor, AliasName: &alias}); err != nil {
			t.Fatal(err)
		}
	}
	session := func(s *managedSet) string {
		named := *s
		named.anchor = alias
		return send(t, w.Emulator, named.request("").sign(t).wire()).String()[:3]
	}
	name(first, "ca")
	if got := session(first); got != "201" {
		t.Errorf("by its alias: %s", got)
	}
	name(first, "other")
	if got := session(first); got != "403" {
		t.Errorf("by an alias that it had: %s", got)
	}
	name(first, "ca")
	if _, err := w.resources().DeleteTrustAnchor(t.Context(), &ra.DeleteTrustAnchorInput{TrustAnchorId: &first.anchor}); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Second)
	if got := session(first); got != "403" {
		t.Errorf("deleted: %s", got)
	}
	name(second, "ca")
	if one, two := session(first), session(second); one != "403" || two != "201" {
		t.Errorf("of another anchor: %s for the hosts of the first, %s for its own", one, two)
	}
	// A name that looks like an alias' ARN names no alias.
	loop := alias
	_, err := w.resources().UpdateTrustAnchor(t.Context(), &ra.UpdateTrustAnchorInput{TrustAnchorId: aws.String(second.anchor), AliasName: &loop})
	if _, code := statusAndCode(err); code != "ValidationException" {
		t.Errorf("an alias of an alias: %v", err)
	}
}
