package main

import (
	"bytes"
	"crypto/x509/pkix"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/cli"
	"kedge/internal/keys"
	"kedge/internal/testenv"
	"kedge/tpm"
)

// TestInterrupt: SIGTERM kills a run that waits for the service, with nothing on standard output.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send there")
	}
	dir := t.TempDir()
	issue(t, newAuthority(t), dir, "leaf", time.Now())
	stderr, state := terminated(t, filepath.Join(dir, "leaf.pem"), filepath.Join(dir, "leaf.key"))
	if state.String() != "signal: terminated" || stderr != "" {
		t.Errorf("%s, stderr:\n%s", state, stderr)
	}
}

// TestInterrupt_tpm: with a key in a TPM that is said, and the key does not stay loaded.
func TestInterrupt_tpm(t *testing.T) {
	t.Parallel()
	server := testenv.Swtpm(t)
	file, err := tpm.Create(t.Context(), tpm.CreateOptions{Device: server.Device, Type: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	writeFile(t, key, string(file))
	opened, err := keys.Open(t.Context(), key, keys.Options{Device: server.Device})
	if err != nil {
		t.Fatal(err)
	}
	public := opened.Public()
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, certificate, string(pemOf("CERTIFICATE", newHardwareRig(t).certify(t, public, "tpm").Raw)))
	stderr, state := terminated(t, certificate, key, "TPM_DEVICE="+server.Device)
	const want = "kedge: error: terminated signal received\nkedge: hint: what was finished before that stays; run the same again\n"
	if state.ExitCode() != cli.ExitFailed || stderr != want {
		t.Errorf("%s, stderr:\n%swant:\n%s", state, stderr, want)
	}
	if left := server.Transient(t); left != "" {
		t.Errorf("the TPM is left with\n%s", left)
	}
}

// terminated runs credential-process against a service that never answers, and sends it SIGTERM when
// it waits for that.
func terminated(t *testing.T, certificate, key string, env ...string) (stderr string, _ *os.ProcessState) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then a server notices that the client is gone
		close(asked)
		<-r.Context().Done()
	}))
	t.Cleanup(service.Close)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), env...)
	cmd.Args = []string{
		"kedge", "credential-process", "--endpoint", service.URL, "--max-attempts", "1",
		"--trust-anchor-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/11111111-2222-4333-8444-555555555555",
		"--profile-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:profile/11111111-2222-4333-8444-555555555555",
		"--role-arn", "arn:aws:iam::111122223333:role/app", "--certificate", certificate, "--private-key", key,
	}
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1) // the caller checks its exit code
	go func() { ended <- cmd.Wait() }()
	select {
	case <-asked:
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ended
	case <-ended:
	}
	if out.Len() != 0 {
		t.Errorf("standard output: %q", &out)
	}
	return words.String(), cmd.ProcessState
}

// newAuthority makes a CA that has been there for a while.
func newAuthority(t *testing.T) *ca.Authority {
	t.Helper()
	key, err := newKey("p256")
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := ca.PrepareRoot(key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "tests"}, Lifetime: 1000 * 24 * time.Hour}, time.Now().Add(-100*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := prepared.Issue(t.Context(), ca.Unrecorded{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := ca.New(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
