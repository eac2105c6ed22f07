//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// serving is kedge-ca serve as its own process, started as systemd does.
type serving struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	told   chan string // by sd_notify
	log    chan string // its lines
	hosts  string      // address
	plain  string
	watch  string // for metrics
	client *http.Client
}

// kedgeCA runs a command of the program in a folder.
func kedgeCA(t *testing.T, dir string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Dir, cmd.Args = dir, append([]string{"kedge-ca"}, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// serve starts the server of the CA in dir/ca, with a socket for hosts, one for lists and one for
// metrics, and waits until it is ready. variables are set besides those of this process.
func serve(t *testing.T, dir string, variables ...string) *serving {
	t.Helper()
	s := launch(t, dir, variables...)
	s.ready()
	return s
}

// launch starts a server as serve does, and does not wait.
func launch(t *testing.T, dir string, variables ...string) *serving {
	t.Helper()
	s := &serving{t: t, dir: dir, told: make(chan string, 10_000), log: make(chan string, 10_000)}
	short, err := os.MkdirTemp("", "kedge") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(short, "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	go func() {
		for buffer := make([]byte, 4096); ; {
			n, err := notify.Read(buffer)
			if err != nil {
				return
			}
			s.told <- string(buffer[:n])
		}
	}()
	var files []*os.File
	for _, address := range []*string{&s.hosts, &s.plain, &s.watch} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		*address, files = l.Addr().String(), append(files, f)
		defer f.Close()
		defer l.Close()
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(short, "kedge-ca")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	// A shell stands for systemd: it has the process id before the program starts.
	s.cmd = exec.Command("/bin/sh", "-c", `export LISTEN_PID=$$; exec "$0" serve`, link)
	s.cmd.Dir, s.cmd.ExtraFiles = dir, files
	s.cmd.Env = append(slices.Concat(os.Environ(), variables), "LISTEN_FDS=3", "LISTEN_FDNAMES=kedge-ca.socket:http:metrics", "NOTIFY_SOCKET="+filepath.Join(short, "n"), "WATCHDOG_USEC=100000")
	s.start()
	return s
}

func (s *serving) start() {
	s.t.Helper()
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	go func() {
		defer close(s.log)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			s.log <- lines.Text()
		}
	}()
}

func (s *serving) ready() {
	s.t.Helper()
	s.await(s.told, "READY=1")
	roots := x509.NewCertPool()
	data, err := os.ReadFile(filepath.Join(s.dir, "ca", "ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(data) {
		s.t.Fatal(err)
	}
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "ca.example.com"}}}
}

// await waits for a text, in what systemd is told or in the log.
func (s *serving) await(from <-chan string, want string) {
	s.t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case got, ok := <-from:
			if strings.Contains(got, want) {
				return
			}
			if !ok {
				s.t.Fatalf("it ended without %q", want)
			}
		case <-deadline:
			s.t.Fatalf("no %q; the log goes on with %q", want, s.logged())
		}
	}
}

// logged returns the lines of the log that nobody has read yet.
func (s *serving) logged() (lines []string) {
	for {
		select {
		case line, ok := <-s.log:
			if !ok {
				return lines
			}
			lines = append(lines, line)
		default:
			return lines
		}
	}
}

// enroll asks for a certificate with a token.
func (s *serving) enroll(token enrollapi.TokenProof, name string) (int, string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := json.Marshal(enrollapi.EnrollRequest{Token: token, Request: csr, KeyPlace: enrollapi.InFile})
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.client.Post("https://"+s.hosts+enrollapi.PathEnroll, enrollapi.ContentType, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// addToken records a token beside the running server.
func addToken(t *testing.T, dir, name string) enrollapi.TokenProof {
	t.Helper()
	return addTokenTo(t, filepath.Join(dir, "ca", "ledger.db"), name)
}

// addTokenTo records a token in a ledger.
func addTokenTo(t *testing.T, where, name string) enrollapi.TokenProof {
	t.Helper()
	l, err := ledger.Open(t.Context(), where, ledger.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	proof := enrollapi.TokenProof{ID: make([]byte, ledger.TokenIDSize), Secret: enrollapi.NewSecret()}
	_, _ = rand.Read(proof.ID)
	now := time.Now()
	err = l.AddTokens(t.Context(), []ledger.Token{{ID: proof.ID, SecretHash: proof.Secret.Hash(), Names: []string{name}, Profile: "workload", Uses: 1, At: now, Expires: now.Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

const serverURL = "server: {url: 'https://ca.example.com:8443'}\n"

func writeSettings(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "ca", "kedge-ca.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestServe_systemd: the server takes the sockets that are open already, gives a certificate for a
// token, follows the configuration at SIGHUP, goes on with the old one if the new one is wrong, and
// ends at SIGTERM after it has answered.
func TestServe_systemd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kedgeCA(t, dir, "init", "--no-password")
	writeSettings(t, dir, serverURL)
	s := serve(t, dir)
	s.await(s.log, "revocation list made")
	s.await(s.told, "WATCHDOG=1")
	if status, text := s.enroll(addToken(t, dir, "web-01"), "web-01"); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	s.await(s.log, "rule=issued")
	for at, want := range map[string]int{
		s.plain + "/crl/ca.crl": 200, s.plain + "/ca/ca.cer": 200, s.plain + "/ca/ca.key": 404, s.plain + "/metrics": 404,
		s.watch + "/metrics": 200, s.watch + "/readyz": 200, s.watch + "/crl/ca.crl": 404,
	} {
		response, err := http.Get("http://" + at)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s", at, response.Status)
		}
	}
	token := addToken(t, dir, "web-02")
	for _, step := range []struct {
		settings, says string
		status         int
	}{
		{"profiles: {workload: {enroll: {proofs: [renewal]}}}\n" + serverURL, "msg=reloaded", http.StatusForbidden},
		{"profiles: [\n", "not reloaded; all goes on as before", http.StatusForbidden},
		{serverURL, "msg=reloaded", http.StatusOK},
	} {
		writeSettings(t, dir, step.settings)
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.await(s.told, "RELOADING=1\nMONOTONIC_USEC=")
		s.await(s.log, step.says)
		s.await(s.told, "READY=1")
		if status, text := s.enroll(token, "web-02"); status != step.status {
			t.Errorf("%q: %d %s", step.settings, status, text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.await(s.told, "STOPPING=1")
	context.AfterFunc(ctx, func() { _ = s.cmd.Process.Kill() })
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	kedgeCA(t, dir, "ledger", "verify")
}
