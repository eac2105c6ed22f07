//go:build unix

package main

import (
	"net/http"
	"strings"
	"testing"

	"kedge/internal/awsexplain"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/enrollapi"
)

// TestAWSExplain_enrolled: a host that enrolled, and was revoked, gets a token, by which it enrolls with another key: the CA
// makes it none.
func TestAWSExplain_enrolled(t *testing.T) {
	t.Parallel()
	e := newExplained(t, 0)
	e.describe(serverURL + backupRoles)
	root, err := cadir.ReadCertificate(e.path("ca/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, e.dir)
	s.awaitReady(http.StatusOK)
	if status, text := newEnrolled(t, "web-02", root).enroll(s, addToken(t, e.dir, "web-02")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	if code, checks := e.explain("web-02"); code != cli.ExitDone {
		t.Fatalf("exit %d: %+v", code, checks)
	}
	e.run("revoke", "web-02", "--yes")
	code, checks := e.explain("web-02")
	got := checks["host-state"]
	if code != cli.ExitFailed || got.State != awsexplain.Failed || got.Command != "kedge-ca token web-02 --replace" {
		t.Fatalf("exit %d: %+v", code, got)
	}
	token, err := enrollapi.ParseToken(strings.TrimSpace(e.run(strings.Fields(got.Command)[1:]...)))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := newEnrolled(t, "web-02", root).enroll(s, enrollapi.TokenProof{ID: token.ID[:], Secret: token.Secret}); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if code, checks := e.explain("web-02"); code != cli.ExitDone || strings.Contains(checks["host-certificate"].Seen, "not the newest") {
		t.Errorf("after the cure: exit %d: %+v", code, checks)
	}
	s.end()
}
