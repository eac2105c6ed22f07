package emulator

import (
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// originTrust is a trust policy for one identity of trusted identity propagation.
func originTrust(subject string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],` +
		`"Condition":{"StringEquals":{"aws:OriginIdentity/Subject":"` + subject + `"}}}]}`
}

// TestTIP: a trust policy sees the identity of the certificate if the profile has trusted identity propagation, and without a
// value there is no session.
func TestTIP(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t, func(c *Config) { c.Roles = []Role{{TrustPolicy: originTrust("web-1")}} })
	profile := "/profile/" + idOf(w.ProfileARN())
	host, other := w.root.issue(t, leafTemplate()), leafTemplate()
	other.Subject.CommonName = "db-1"
	nameless := leafTemplate()
	nameless.Subject.CommonName = ""
	session := func(leaf *authority) string { return w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).String() }
	const (
		created, unable = "201 ", "403 AccessDeniedException: Unable to assume role for ARN."
		missing         = "403 AccessDeniedException: The certificate has no value for the subject source of trusted identity propagation"
	)
	check := func(what, got, want string) {
		t.Helper()
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("off", session(host), unable)
	if got := w.do(t, "PATCH", profile, `{"tipConfiguration":{"status":"ENABLED"}}`); !strings.Contains(got, `"tipConfiguration":{"status":"ENABLED","subjectSource":"x509Subject/CN"}`) {
		t.Errorf("profile %s", got)
	}
	check("the common name", session(host), created)
	check("another name", session(w.root.issue(t, other)), unable)
	check("no name", session(w.root.issue(t, nameless)), missing)
	w.do(t, "PATCH", profile, `{"tipConfiguration":{"status":"ENABLED","subjectSource":"x509SAN/URI","subjectType":"workload"}}`)
	check("no URI", session(host), missing)
	w.do(t, "PATCH", profile, `{"name":"p"}`)
	check("an update of something else", session(host), missing)
	w.do(t, "PATCH", profile, `{"tipConfiguration":{"status":"DISABLED"}}`)
	check("off again", session(host), unable)
	w.checkRefused(t, []refusedCall{
		{"no status", "PATCH", profile, `{"tipConfiguration":{}}`, "Value null at 'tipConfiguration.status'"},
		{"status", "PATCH", profile, `{"tipConfiguration":{"status":"ON"}}`, "Value 'ON' at 'tipConfiguration.status'"},
		{"source", "PATCH", profile, `{"tipConfiguration":{"status":"ENABLED","subjectSource":"x509SAN/DNS"}}`, "at 'tipConfiguration.subjectSource'"},
		{"type", "PATCH", profile, `{"tipConfiguration":{"status":"ENABLED","subjectType":"x"}}`, "at 'tipConfiguration.subjectType'"},
	})
}

// TestTIP_chain: the identity is a key of the calls of the session, and of those of sessions that are made with it.
func TestTIP_chain(t *testing.T) {
	t.Parallel()
	s := &Session{RoleARN: "r", OriginSubject: "web-1"}
	if got := (&principal{session: s}).conditionKeys(testNow)["aws:OriginIdentity/Subject"]; len(got) != 1 || got[0] != "web-1" {
		t.Errorf("keys %q", got)
	}
	w := newSTSWorld(t)
	w.session.OriginSubject = "web-1"
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:OriginIdentity/Subject":"web-1"}}}]}`
	w.makeRole(t, "web", policy)
	c := w.assumed(t, w.sessionClient(), "web")
	if _, err := c.ListRoles(t.Context(), &awsiam.ListRolesInput{}); err != nil {
		t.Error(err)
	}
	_, err := w.assumed(t, w.client(aliceKey, aliceSecret, ""), "web").ListRoles(t.Context(), &awsiam.ListRolesInput{})
	wantAPIError(t, err, "AccessDenied", "iam:ListRoles")
}
