//go:build unix

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"kedge/internal/enrollapi"
)

// refusedCA is kedgeCA for a command that fails.
func refusedCA(t *testing.T, dir string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Dir, cmd.Args = dir, append([]string{"kedge-ca"}, args...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("%v: done\n%s", args, out)
	}
	return string(out)
}

// asking returns a function that sends the request of a new key for a name, and returns the status and,
// of a request that waits, its ID.
func (s *serving) asking(name string) func() (int, string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return func() (int, string) {
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
		if err != nil {
			s.t.Fatal(err)
		}
		body, err := json.Marshal(enrollapi.ApprovalRequest{Request: csr, KeyPlace: enrollapi.InTPM})
		if err != nil {
			s.t.Fatal(err)
		}
		response, err := s.client.Post("https://"+s.hosts+enrollapi.PathRequest, enrollapi.ContentType, bytes.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		defer response.Body.Close()
		var waits enrollapi.Waiting
		if err := json.NewDecoder(response.Body).Decode(&waits); err != nil {
			s.t.Fatal(err)
		}
		return response.StatusCode, waits.ID
	}
}

// TestServe_approval: a host that asks without a token waits until the operator, beside the running
// server, has approved its request; one that is denied gets nothing.
func TestServe_approval(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	says := func(out string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not in\n%s", want, out)
			}
		}
	}
	kedgeCA(t, dir, "init", "--no-password")
	writeSettings(t, dir, serverURL)
	s := serve(t, dir)
	first, second := s.asking("web-01"), s.asking("web-02")
	if status, _ := first(); status != http.StatusForbidden { // off unless a profile allows it
		t.Fatalf("%d", status)
	}
	s.await(s.log, "rule=proof-not-allowed")
	writeSettings(t, dir, "profiles: {workload: {enroll: {proofs: [token, approval, renewal]}}}\n"+serverURL)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.await(s.log, "msg=reloaded")
	says(kedgeCA(t, dir, "pending"), "kedge-ca: done: no request waits\n", "kedge-ca: done: hosts ask with: kedge enroll https://ca.example.com:8443 --ca-fingerprint ")
	status, id := first()
	if status != http.StatusAccepted || len(id) != 64 {
		t.Fatalf("%d %q", status, id)
	}
	s.await(s.log, "request="+id)
	says(kedgeCA(t, dir, "pending"), id, "web-01", "workload", "waiting", "127.0.0.1", "tpm")
	says(refusedCA(t, dir, "approve", id[:15]), "is not the beginning of the ID of a request, 16 or more of its 64 hexadecimal digits\nkedge-ca: hint: give more of the ID that the host shows")
	says(refusedCA(t, dir, "approve", "0123456789abcdef"), `a request that begins with "0123456789abcdef" is not in the ledger`)
	says(kedgeCA(t, dir, "approve", id[:16], "--why", "rack 7"), "kedge-ca: done: approved the request "+id+` for "web-01", profile "workload", until 20`)
	says(refusedCA(t, dir, "approve", id), "an approval of the request "+id+" is in the ledger already")
	says(kedgeCA(t, dir, "pending", "--all", "--json"), `"id":"`+id+`"`, `"state":"approved"`, `"why":"rack 7"`)
	if out := kedgeCA(t, dir, "token", "list", "--all"); strings.Contains(out, "web-01") {
		t.Errorf("an approval is a token:\n%s", out)
	}
	for range 2 { // the answer of the first was lost
		if status, _ := first(); status != http.StatusOK {
			t.Errorf("%d", status)
		}
	}
	says(refusedCA(t, dir, "deny", id), "was used before\nkedge-ca: hint: to take the certificate back: kedge-ca revoke NAME")
	_, id = second()
	says(kedgeCA(t, dir, "deny", id, "--json"), "kedge-ca: done: denied the request "+id+` for "web-02", profile "workload"`, `"state": "denied"`)
	if status, _ := second(); status != http.StatusForbidden {
		t.Errorf("%d", status)
	}
	s.await(s.log, "rule=request-denied")
	third := s.asking("web-01")
	_, id = third()
	says(refusedCA(t, dir, "approve", id), `the name "web-01" is held by another key`, "approve ID --replace")
	says(kedgeCA(t, dir, "approve", id, "--replace"), "approved")
	if status, _ := third(); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	says(kedgeCA(t, dir, "hosts"), "web-01", "approval")
	kedgeCA(t, dir, "ledger", "verify")
}
