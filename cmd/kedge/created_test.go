package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/keys"
	"kedge/internal/testenv"
)

// journey is a host that makes its own key, with a CA and the service.
type journey struct {
	dir     string
	env     []string // what leads to the token, and TPM_DEVICE
	root    *ca.Authority
	service []string // flags of credential-process
}

func newJourney(t *testing.T, env ...string) *journey {
	t.Helper()
	j := &journey{dir: t.TempDir(), env: env, root: newAuthority(t)}
	e, url := emulate(t, j.root.Certificate())
	j.service = []string{
		"--endpoint", url, "--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
		"--max-attempts", "1", "--cache", "off",
	}
	writeFile(t, filepath.Join(j.dir, "secret"), "1234\n")
	return j
}

// kedge runs the program and returns what it prints. Nothing else may be said.
func (j *journey) kedge(t *testing.T, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"kedge"}, args...)
	cmd.Dir = j.dir
	cmd.Env = append(os.Environ(), j.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("kedge %q: %v\n%s", args, err, &stderr)
	}
	return strings.TrimSpace(stdout.String())
}

// sign is what the CA does with a request.
func (j *journey) sign(t *testing.T, request string) string {
	t.Helper()
	csr, err := ca.ParseCSR([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	profile := ca.DefaultProfile()
	r, dropped, err := profile.FromCSR(csr, ca.CSROptions{})
	if err != nil || len(dropped) > 0 {
		t.Fatalf("%v; left out: %q", err, dropped)
	}
	prepared, err := j.root.PrepareLeaf(profile, r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := prepared.Issue(t.Context(), ca.Unrecorded{})
	if err != nil {
		t.Fatal(err)
	}
	return string(pemOf("CERTIFICATE", leaf.Raw))
}

// certify has a request for the key signed, and returns the path of the certificate. openssl
// verifies the request, if it supports such keys.
func (j *journey) certify(t *testing.T, name, key string, unlock ...string) string {
	t.Helper()
	request := j.kedge(t, append([]string{"csr", "--private-key", key, "--name", name}, unlock...)...)
	if !strings.HasPrefix(name, "ML-DSA") {
		path := filepath.Join(j.dir, name+".csr")
		writeFile(t, path, request)
		testenv.Run(t, j.dir, "openssl", "req", "-verify", "-noout", "-in", path)
	}
	path := filepath.Join(j.dir, name+".crt")
	writeFile(t, path, j.sign(t, request))
	return path
}

// credentials gets some.
func (j *journey) credentials(t *testing.T, args ...string) {
	t.Helper()
	out := j.kedge(t, append(append([]string{"credential-process"}, j.service...), args...)...)
	var got struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.AccessKeyId == "" || got.SecretAccessKey == "" || got.SessionToken == "" {
		t.Errorf("%q: %v", out, err)
	}
}

// TestCreatedInFile: a key of each kind that kedge makes in a file, encrypted, gets credentials, by the request
// that kedge makes for it.
func TestCreatedInFile(t *testing.T) {
	t.Parallel()
	j := newJourney(t)
	for _, kind := range keys.Types("") {
		unlock := []string{"--key-password-from", "secret"}
		key := j.kedge(t, append([]string{"key", "create", "--out", kind + ".key", "--key-type", kind}, unlock...)...)
		cert := j.certify(t, kind, key, unlock...)
		j.credentials(t, append([]string{"--certificate", cert, "--private-key", key}, unlock...)...)
	}
}

// TestCreatedInTPM: the same in a TPM, in key files and under a handle, with and without auth
// value, while the owner hierarchy has one. The TPM is left as it was.
func TestCreatedInTPM(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_changeauth", "-c", "owner", "1234")
	j := newJourney(t, "TPM_DEVICE="+s.Device)
	unlock := []string{"--key-password-from", "secret"}
	for _, kind := range keys.Types("tpm:") {
		key := j.kedge(t, "key", "create", "--tpm", "tpm:file="+kind+".tss2.pem?owner-auth-source=secret", "--key-type", kind)
		j.credentials(t, "--certificate", j.certify(t, kind, key), "--private-key", key)

		key = j.kedge(t, append([]string{"key", "create", "--tpm", "tpm:handle=0x81000042?owner-auth-source=secret", "--key-type", kind}, unlock...)...)
		cert := j.certify(t, kind, key, unlock...)
		j.credentials(t, append([]string{"--certificate", cert, "--private-key", key}, unlock...)...)
		s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-P", "1234", "-c", "0x81000042")
		if left := string(s.Run(t, dir, "tpm2_getcap", "handles-persistent")) + s.Transient(t); left != "" {
			t.Errorf("%s: left in the TPM: %s", kind, left)
		}
	}
}

// TestCreatedOnToken: the same on a token, with the certificate in a file and then on the token.
func TestCreatedOnToken(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "kedge")
	j := newJourney(t, "SOFTHSM2_CONF="+filepath.Join(h.Dir, "softhsm2.conf"), "KEDGE_PKCS11_HELPER="+testenv.PKCS11Helper(t))
	unlock := []string{"--key-password-from", "secret"}
	for _, kind := range keys.Types("pkcs11:") {
		key := j.kedge(t, append([]string{"key", "create", "--pkcs11", "pkcs11:token=kedge;object=" + kind, "--pkcs11-lib", h.Module, "--key-type", kind}, unlock...)...)
		cert := j.certify(t, kind, key, unlock...)
		j.credentials(t, append([]string{"--certificate", cert, "--private-key", key}, unlock...)...)

		onToken := j.kedge(t, append([]string{"certificate", "import", "--pkcs11", key, "--certificate", cert}, unlock...)...)
		j.credentials(t, append([]string{"--certificate", onToken}, unlock...)...)
	}
}
