package systemd

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kedge/internal/emulator"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/testenv"
)

// uid is that of a user without rights and without a name, in place of kedge.
const uid = 64711

// account runs the lines of the units as the user that they name.
type account struct {
	t     *testing.T
	state string // instead of /var/lib/kedge
}

// command is a program that runs as the user, if the tests are root; they have no more rights otherwise.
func (a account) command(words ...string) *exec.Cmd {
	a.t.Helper()
	if os.Geteuid() == 0 {
		id := fmt.Sprint(uid)
		words = append([]string{testenv.Tool(a.t, "setpriv"), "--reuid", id, "--regid", id, "--clear-groups", "--no-new-privs", "--bounding-set=-all"}, words...)
	}
	cmd := exec.CommandContext(a.t.Context(), words[0], words[1:]...)
	cmd.Env = []string{"KEDGE_STATE_DIR=" + a.state, "RUNTIME_DIRECTORY=" + a.state + "/run", "PATH=/usr/bin:/bin"}
	return cmd
}

// TestRenewal_reachesServe: run by hand as their user, the line of kedge-renew.service renews a
// certificate, and the kedge serve of kedge-serve.service uses it without being told.
func TestRenewal_reachesServe(t *testing.T) {
	dir := filepath.Dir(kedge) // which the user can reach, as no t.TempDir
	a := account{t: t, state: filepath.Join(dir, "state")}
	if err := os.MkdirAll(a.state+"/run", 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		for _, path := range []string{a.state, a.state + "/run"} {
			if err := os.Chown(path, uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	ca, e, config := services(t, dir, a.state)

	enroll := a.command(kedge, "enroll", "--token-file", "-", "--no-check")
	enroll.Stdin = strings.NewReader(ca.Token(t).String())
	if out, err := enroll.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	line := commandLine(strings.ReplaceAll(unit(t, "kedge-serve.service"), "/etc/kedge/config.yaml", config))
	serve := a.command(append(line, "--port", "0")...)
	log := &sharedBuffer{}
	serve.Stderr = log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait() // of the signal
	})
	first := awaitSession(t, e, log, "")

	renew := commandLine(unit(t, "kedge-renew.service"))
	before, err := os.Readlink(filepath.Join(a.state, "web-01", "current"))
	if err != nil {
		t.Fatal(err)
	}
	for now := before; now == before; { // it is due a second after the answer
		if out, err := a.command(renew...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%s: %v: %s", renew, err, out)
		}
		if now, err = os.Readlink(filepath.Join(a.state, "web-01", "current")); err != nil {
			t.Fatal(err)
		}
	}
	if second := awaitSession(t, e, log, first); second == first {
		t.Errorf("serve still uses certificate %s", second)
	}
}

// services starts a CA whose certificates are due at once, and the emulator, whose sessions are short, and
// writes a configuration for both.
func services(t *testing.T, dir, state string) (*enrolltest.Server, *emulator.Emulator, string) {
	t.Helper()
	ca := enrolltest.New(t)
	ca.Change = func(a *enrollapi.Answer) { a.Renew = enrollapi.Window{After: 1, Before: 1} }
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Root.Raw})}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	fault, err := emulator.ParseFault("short=62s*1000000") // of which a minute is kept for clocks that are off
	if err == nil {
		err = e.Inject(fault)
	}
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("defaults:\n  certificate: %[1]s/web-01/current/leaf.pem\n  private-key: %[1]s/web-01/current/leaf.key\n  endpoint: %s\n  trust-anchor-arn: %s\n  profile-arn: %s\n  role-arn: %s\n",
		state, server.URL, e.TrustAnchorARN(), e.ProfileARN(), e.RoleARN())
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return ca, e, config
}

// awaitSession returns the serial number of the certificate of a session, another than the one before.
func awaitSession(t *testing.T, e *emulator.Emulator, log *sharedBuffer, before string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, s := range e.Sessions() {
			if s.SerialNumber != "" && s.SerialNumber != before {
				return s.SerialNumber
			}
		}
	}
	t.Fatalf("no session with another certificate than %q:\n%s", before, log)
	return ""
}

// sharedBuffer is written to by a process and read by the test.
type sharedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
