package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/ca"
	"kedge/internal/awsexplain"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/doctor"
	"kedge/signer/keyfile"
	"kedge/signer/session"
)

// report writes the report of kedge doctor on the host, which uses these files, and returns its path.
func (e *explained) report(uses cadir.AWS, refusal string) string {
	e.t.Helper()
	certs, err := keyfile.ParseCertificates(e.read(filepath.Join(e.folder, e.host+".pem")), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	sum := sha256.Sum256(certs[0].Raw)
	s := doctor.Subject{
		TrustAnchorARN: uses.TrustAnchor, ProfileARN: uses.Profile, RoleARN: uses.Roles["backup"],
		Certificate: &doctor.Presented{Serial: ca.SerialHex(certs[0]), SHA256: hex.EncodeToString(sum[:]), Subject: certs[0].Subject.String(), Issuer: certs[0].Issuer.String(), Tags: map[string]string{"x509Subject/CN": e.host}},
		Refusal:     &doctor.Refusal{Status: 403, Code: "AccessDeniedException", Message: refusal},
	}
	data, err := doctor.NewReport("v1", e.a.now(), s, nil).JSON()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.WriteFile(e.path("report.json"), data, 0o600); err != nil {
		e.t.Fatal(err)
	}
	return e.path("report.json")
}

// refusal returns what the service answered to a session.
func (e *explained) refusal(err error) string {
	e.t.Helper()
	refused, ok := errors.AsType[*session.APIError](err)
	if !ok {
		e.t.Fatalf("no refusal: %v", err)
	}
	return refused.Message
}

// TestAWSExplain_report: with a report it is what the host uses and got that is explained.
func TestAWSExplain_report(t *testing.T) {
	t.Parallel()
	e := newExplained(t, 0)
	want := func(code int, checks map[string]awsexplain.Result, id, seen string) awsexplain.Result {
		t.Helper()
		got := checks[id]
		if code != cli.ExitFailed || got.State != awsexplain.Failed || !strings.Contains(got.Seen, seen) {
			t.Fatalf("exit %d: %+v\nwant %s, %s", code, checks, id, seen)
		}
		return got
	}
	asks := func(change func(*session.Config), id, seen string) {
		t.Helper()
		file := e.report(*e.known, e.refusal(e.hostSession(change)))
		code, checks := e.explain("--report", file)
		e.paste(want(code, checks, id, seen).Command + "\n")
		if err := e.hostSession(change); err != nil {
			t.Errorf("after the cure: %v", err)
		}
		if code, checks := e.explain("--report", file); code != cli.ExitDone || !strings.Contains(checks["answer"].Seen, "nothing that would lead to it is here now") {
			t.Errorf("after the cure: exit %d: %+v", code, checks)
		}
	}
	asks(func(c *session.Config) { c.RoleSessionName = "backup-of-web-01" }, "session-name", "the profile accepts no names")
	call(e, e.account.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &e.known.Profile, DurationSeconds: aws.Int32(7200)})
	asks(func(c *session.Config) { c.Duration = 2 * time.Hour }, "duration", "the profile allows 2h0m0s, and the role 1h0m0s")

	gone := *e.known
	gone.TrustAnchor = gone.TrustAnchor[:len(gone.TrustAnchor)-12] + "000000000000"
	file := e.report(gone, e.refusal(e.hostSession(func(c *session.Config) { c.TrustAnchorARN = gone.TrustAnchor })))
	code, checks := e.explain("--report", file)
	if got := want(code, checks, "trust-anchor", "there is no trust anchor "+gone.TrustAnchor); !strings.Contains(got.Advice, e.known.TrustAnchor) || checks["arns"].State != awsexplain.Warning {
		t.Errorf("%+v", checks)
	}

	e.run("revoke", "web-01", "--yes")
	e.run("crl")
	e.run("aws", "crl", "push")
	e.run("issue", "web-01", "--out", e.mkdir("renewed"))
	if code, checks := e.explain("web-01"); code != cli.ExitDone {
		t.Errorf("the newest one: exit %d: %+v", code, checks)
	}
	code, checks = e.explain("--report", e.report(*e.known, e.refusal(e.hostSession(nil)))) // with the file of before
	want(code, checks, "revoked", "as in the ledger")
	if checks["host-certificate"].State != awsexplain.Warning || checks["host-state"].State != awsexplain.Failed || !strings.Contains(checks["answer"].Seen, "Certificate revoked") {
		t.Errorf("%+v", checks)
	}

	e.run("init", "--no-password", "--dir", e.path("other"))
	e.run("issue", "web-01", "--out", e.mkdir("foreign"), "--dir", e.path("other"))
	e.folder = "foreign"
	code, checks = e.explain("--report", e.report(*e.known, e.refusal(e.hostSession(nil))))
	want(code, checks, "host-certificate", "the ledger has no certificate with the serial number")

	odd := *e.known
	odd.Roles = map[string]string{"backup": "arn:aws:iam::111122223333:role/../$(reboot)\n"}
	before := len(e.a.Calls())
	code, checks = e.explain("--report", e.report(odd, ""))
	want(code, checks, "arns", "is not the ARN of a role")
	if calls := e.a.Calls()[before:]; len(calls) != 1 || calls[0].Operation != "GetCallerIdentity" || checks["role"].Because != checks["arns"].Number {
		t.Errorf("%+v\n%+v", calls, checks)
	}
}
