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
	"kedge/internal/testenv"
)

// TestInterrupt: SIGTERM ends a run that waits for the service, with a message and nothing on
// standard output.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send there")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then a server notices that the client is gone
		close(asked)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	issue(t, newAuthority(t), dir, "leaf", time.Now())

	cmd := exec.Command(self)
	cmd.Args = []string{
		"kedge", "credential-process", "--endpoint", server.URL, "--max-attempts", "1",
		"--trust-anchor-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/11111111-2222-4333-8444-555555555555",
		"--profile-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:profile/11111111-2222-4333-8444-555555555555",
		"--role-arn", "arn:aws:iam::111122223333:role/app",
		"--certificate", filepath.Join(dir, "leaf.pem"), "--private-key", filepath.Join(dir, "leaf.key"),
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1) // its exit code is looked at below
	go func() { ended <- cmd.Wait() }()
	select {
	case <-asked:
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ended
	case <-ended:
	}
	const want = "kedge: error: terminated signal received\nkedge: hint: it was interrupted; nothing was written\n"
	if cmd.ProcessState.ExitCode() != cli.ExitFailed || stdout.Len() != 0 || stderr.String() != want {
		t.Errorf("%s, stdout %q, stderr:\n%swant:\n%s", cmd.ProcessState, &stdout, &stderr, want)
	}
}

// TestInterrupt_whileReading: the first SIGTERM ends a run that waits for the bytes of a key.
func TestInterrupt_whileReading(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Run(t, dir, "mkfifo", "key")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Dir = dir
	cmd.Args = []string{"kedge", "sign-string", "--private-key", "key"}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	key, err := os.OpenFile(filepath.Join(dir, "key"), os.O_WRONLY, 0) // waits for the reader
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: terminated" || stdout.Len() != 0 {
		t.Errorf("%v, stdout %q", err, &stdout)
	}
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
