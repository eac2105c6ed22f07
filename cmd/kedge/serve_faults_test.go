package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// get reads the role's credentials at the container endpoint.
func (s *serving) get(t *testing.T) (status int, body string) {
	t.Helper()
	token, err := os.ReadFile(s.exports["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest("GET", s.exports["AWS_CONTAINER_CREDENTIALS_FULL_URI"], nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", string(token))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func (s *serving) wantCredentials(t *testing.T) string {
	t.Helper()
	status, body := s.get(t)
	if status != 200 || !strings.Contains(body, `"AccessKeyId":"ASIA`) {
		t.Fatalf("%d %s", status, body)
	}
	return body
}

func (s *serving) hangup(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// TestServe_tokenFile: only its owner reads it, and it has no end of line.
func TestServe_tokenFile(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	s := w.serve()
	info, err := os.Stat(w.path("token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if token, err := os.ReadFile(w.path("token")); err != nil || len(token) < 20 || strings.ContainsAny(string(token), "\r\n ") {
		t.Errorf("token %q, %v", token, err)
	}
	if err := os.Remove(w.path("token")); err != nil {
		t.Fatal(err)
	}
	s.hangup(t) // puts it back
	s.waitFor(t, "msg=reloaded", 1)
	s.wantCredentials(t)
}

// TestServe_serviceDownAtStart: clients get an error that says so, the log has it once, and
// credentials come when the service does.
func TestServe_serviceDownAtStart(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	w.fault("status=503*1000000")
	s := w.serve()
	s.waitFor(t, "there are no credentials", 1)
	if status, body := s.get(t); status != 503 || !strings.HasPrefix(body, `{"code":"ServiceUnavailable","message":"no credentials: `) || strings.Contains(body, "AccessKeyId") {
		t.Errorf("%d %s", status, body)
	}
	w.noFaults()
	s.waitFor(t, "credentials renewed", 1) // it tries again within seconds
	s.wantCredentials(t)
	if n := strings.Count(s.log.String(), "level=ERROR") + strings.Count(s.log.String(), "level=WARN"); n > 2 {
		t.Errorf("%d complaints:\n%s", n, s.log)
	}
}

// TestServe_refused: the log says why, with a hint.
func TestServe_refused(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	s := w.serve("--role-arn", "arn:aws:iam::111122223333:role/other")
	s.waitFor(t, "isn't one of those listed in the Profile", 1)
	s.waitFor(t, "hint=\"add the role arn:aws:iam::111122223333:role/other to the profile", 1)
	if status, body := s.get(t); status != 503 || !strings.Contains(body, "isn't one of those listed in the Profile") {
		t.Errorf("%d %s", status, body)
	}
}

// TestServe_badFilesKeepTheOld: a certificate that is half written, gone, or of another key does not
// end what works; the log says each once. A good new pair, even of another type, is taken.
func TestServe_badFilesKeepTheOld(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	good, err := os.ReadFile(w.path("leaf.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s := w.serve()
	before := s.wantCredentials(t)
	issue(t, w.authority, w.dir, "other", time.Now())
	other, err := os.ReadFile(w.path("other.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range []string{string(good[:len(good)/2]), "", string(other)} {
		writeFile(t, w.path("leaf.pem"), content)
		s.hangup(t)
		s.waitFor(t, "not reloaded; all goes on as before", i+1)
		if got := s.wantCredentials(t); got != before {
			t.Errorf("other credentials: %s", got)
		}
	}
	if err := os.Rename(w.path("other.key"), w.path("leaf.key")); err != nil { // completes the pair
		t.Fatal(err)
	}
	s.hangup(t)
	s.waitFor(t, "msg=reloaded", 1)
	s.waitFor(t, `subject="CN=other"`, 1)
	if got := s.wantCredentials(t); got == before {
		t.Error("the credentials of the old pair")
	}
}

// TestServe_reloadRefused: a reload whose role is refused says so in one line, with the hint, and not that
// there are no credentials: the old ones are served on.
func TestServe_reloadRefused(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	text := "defaults:\n  certificate: leaf.pem\n  private-key: leaf.key\n  max-attempts: 1\n  endpoint: " + w.endpoint + "\n  trust-anchor-arn: " +
		w.emulator.TrustAnchorARN() + "\n  profile-arn: " + w.emulator.ProfileARN() + "\nprofiles:\n  one:\n    role-arn: "
	writeFile(t, w.path("config.yaml"), text+w.emulator.RoleARN()+"\n")
	s := w.start("--config", w.path("config.yaml"), "--token-file", w.path("token"))
	before := s.wantCredentials(t)
	s.waitFor(t, "msg=serving", 1)
	s.waitFor(t, `msg="credentials renewed"`, 1)
	writeFile(t, w.path("config.yaml"), text+"arn:aws:iam::111122223333:role/other\n")
	old := len(s.log.String())
	s.hangup(t)
	s.waitFor(t, "not reloaded; all goes on as before", 1)
	if got := s.wantCredentials(t); got != before {
		t.Errorf("other credentials: %s", got)
	}
	said := s.log.String()[old:]
	if strings.Contains(said, "there are no credentials") || strings.Count(said, "\n") != 1 || !strings.Contains(said, `hint="add the role arn:aws:iam::111122223333:role/other to the profile`) {
		t.Errorf("log of the reload:\n%s", said)
	}
}

// TestServe_signals: SIGTERM and SIGINT end it with exit code 0, and the token's file goes.
func TestServe_signals(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		s := w.serve()
		s.waitFor(t, "msg=serving", 1)
		if err := s.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := <-s.ended; err != nil {
			t.Errorf("%v: %v\n%s", signal, err, s.log)
		}
		if _, err := os.Stat(w.path("token")); !os.IsNotExist(err) {
			t.Errorf("the token's file: %v", err)
		}
	}
}

// TestServe_configuration: all profiles are served, and SIGHUP takes changes of the file.
func TestServe_configuration(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	role := "  %:\n    role-arn: " + w.emulator.RoleARN() + "\n"
	defaults := "defaults:\n  certificate: leaf.pem\n  private-key: leaf.key\n  max-attempts: 1\n  endpoint: " + w.endpoint + "\n  trust-anchor-arn: " +
		w.emulator.TrustAnchorARN() + "\n  profile-arn: " + w.emulator.ProfileARN() + "\nprofiles:\n"
	writeFile(t, w.path("config.yaml"), defaults+strings.ReplaceAll(role, "%", "one"))
	s := w.start("--config", w.path("config.yaml"), "--token-file", w.path("token"))
	s.wantCredentials(t)
	writeFile(t, w.path("config.yaml"), defaults+strings.ReplaceAll(role, "%", "one")+strings.ReplaceAll(role, "%", "two"))
	s.hangup(t)
	s.waitFor(t, "msg=reloaded", 1)
	one := s.exports["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
	s.exports["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = strings.TrimSuffix(one, "one") + "two"
	s.wantCredentials(t)
	writeFile(t, w.path("config.yaml"), "profiles: [")
	s.hangup(t)
	s.waitFor(t, "not reloaded; all goes on as before", 1)
	s.wantCredentials(t)
	if err := os.Remove(w.path("config.yaml")); err != nil {
		t.Fatal(err)
	}
	s.hangup(t)
	s.waitFor(t, "config.yaml: no such file or directory", 1)
	s.wantCredentials(t)
}

// TestServe_monitor: health and metrics are on a listener of their own.
func TestServe_monitor(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	s := w.serve("--metrics-address", "127.0.0.1:0")
	s.waitFor(t, "credentials renewed", 1)
	s.waitFor(t, "msg=serving", 1)
	_, rest, _ := strings.Cut(s.log.String(), "monitor=")
	address, _, _ := strings.Cut(rest, "\n")
	address, _, _ = strings.Cut(address, " ")
	for path, want := range map[string]string{"healthz": "ok\n", "readyz": "kedge: valid until ", "metrics": "kedge_credentials_valid{role=\"kedge\"} 1\n"} {
		response, err := http.Get("http://" + address + "/" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, %v", path, response.StatusCode, body, err)
		}
	}
	metadata := s.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
	if response, err := http.Get(metadata + "metrics"); err != nil || response.StatusCode != 404 {
		t.Errorf("metrics where the credentials are: %v, %v", response, err)
	}
	if filepath.Base(metadata) == address {
		t.Error("one listener for both")
	}
}
