package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/doctor"
)

// recorder keeps the secrets of the sessions that a service gives.
type recorder struct {
	http.Handler
	mu      sync.Mutex
	secrets []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	answer := httptest.NewRecorder()
	r.Handler.ServeHTTP(answer, request)
	var body struct {
		CredentialSet []struct{ Credentials map[string]string }
	}
	if json.Unmarshal(answer.Body.Bytes(), &body) == nil {
		r.mu.Lock()
		for _, set := range body.CredentialSet {
			for _, name := range []string{"accessKeyId", "secretAccessKey", "sessionToken"} {
				r.secrets = append(r.secrets, set.Credentials[name])
			}
		}
		r.mu.Unlock()
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// TestDoctor_secrets: neither the document nor the text has a secret that was planted where doctor looks, nor one of
// the session that it made.
func TestDoctor_secrets(t *testing.T) {
	t.Parallel()
	const key, id, login, token = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE", "hunter2", "kedge1_c2VjcmV0"
	check := func(t *testing.T, s *site, secrets ...string) {
		t.Helper()
		report, stderr, _ := s.run()
		document, err := report.JSON()
		must(t, err)
		for _, secret := range secrets {
			if all := string(document) + string(report.Text()) + stderr; strings.Contains(all, secret) {
				t.Errorf("%q is shown: %s", secret, all)
			}
		}
	}
	t.Run("session", func(t *testing.T) {
		s := newSite(t)
		r := &recorder{Handler: s.emulator.Handler()}
		server := httptest.NewServer(r)
		t.Cleanup(server.Close)
		s.profile["endpoint"] = server.URL
		check(t, s) // makes the session
		if len(r.secrets) != 3 {
			t.Fatalf("%d secrets", len(r.secrets))
		}
		report, _, _ := s.run()
		document, err := report.JSON()
		must(t, err)
		for _, secret := range r.secrets {
			if strings.Contains(string(document), secret) {
				t.Errorf("%q is shown", secret)
			}
		}
	})
	t.Run("refusal", func(t *testing.T) {
		s := newSite(t)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message":"the key ` + id + ` with ` + key + ` and ` + token + ` of http://user:` + login + `@proxy"}`))
		}))
		t.Cleanup(server.Close)
		s.profile["endpoint"] = server.URL
		check(t, s, key, id, login, token)
	})
	t.Run("proxy", func(t *testing.T) {
		s := newSite(t)
		s.throughProxy("user:" + login)
		check(t, s, login)
	})
	t.Run("a proxy's address that is wrong", func(t *testing.T) {
		s := newSite(t)
		s.args = []string{"--proxy", "http://user:" + login + "#@proxy:3128"}
		check(t, s, login)
	})
	t.Run("an address of STS with a login", func(t *testing.T) {
		s := newSite(t)
		s.args = []string{"--sts-endpoint", "https://us:hun&ter2@h"}
		check(t, s, "hun", "ter2")
	})
	t.Run("a login with a space", func(t *testing.T) {
		for _, args := range [][]string{{"--role-arn", "http://us:hun ter2@h:1"}, {"--proxy", "http://us:hun ter2@h:1"}, {"--endpoint", "http://us:hun ter2@h:1"}, {"--sts-endpoint", "http://us:hun ter2@h:1"}} {
			s := newSite(t)
			s.args = args
			check(t, s, "hun", "ter2")
			s.args, s.env = nil, append(s.env, "HTTPS_PROXY="+args[1], "NO_PROXY=example.com", "AWS_CONTAINER_CREDENTIALS_FULL_URI="+args[1])
			s.profile["endpoint"] = ""
			must(t, os.Remove(s.path("config.yaml")))
			check(t, s, "hun", "ter2")
		}
	})
	t.Run("PIN", func(t *testing.T) {
		s := newSite(t)
		s.args = []string{"--private-key", "pkcs11:token=none;object=none?pin-value=" + login}
		s.env = append(s.env, "KEDGE_PKCS11_HELPER=/nonexistent")
		check(t, s, login)
	})
	t.Run("password", func(t *testing.T) {
		s := newSite(t)
		s.args = []string{"--pkcs8-password", login, "--tpm-key-password", login}
		check(t, s, login)
	})
	t.Run("environment and serve", func(t *testing.T) {
		s := newSite(t)
		s.serveFrom(http.StatusOK, credentialsUntil(time.Now().Add(time.Hour)))
		s.env = append(s.env, "AWS_ACCESS_KEY_ID="+id, "AWS_SECRET_ACCESS_KEY="+key, "AWS_SESSION_TOKEN="+token)
		check(t, s, "secret-token", key, id, token, "ASIAIOSFODNN7EXAMPLE")
	})
	t.Run("what serve says", func(t *testing.T) {
		s := newSite(t)
		s.serveFrom(http.StatusInternalServerError, "the key "+id+" and "+key+" and "+token)
		check(t, s, key, id, token)
	})
}

// TestDoctor_stsVariables: the variables of the SDKs do not lead the session's token elsewhere.
func TestDoctor_stsVariables(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	s.env = append(s.env, "AWS_ENDPOINT_URL="+other.URL, "AWS_ENDPOINT_URL_STS="+other.URL)
	report, _, _ := s.run()
	if got := s.result(report, "caller-identity"); got.State != doctor.OK || asked.Load() != 0 {
		t.Errorf("%+v, %d requests elsewhere", got, asked.Load())
	}
}

// TestDoctor_limits: with everything silent that is asked, the report comes, names what does not answer, and takes no
// longer than the limits allow.
func TestDoctor_limits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enroll()
	address := silentListener(t)
	s.profile["endpoint"] = "https://" + address
	s.record(func(r map[string]any) { r["server"] = "https://" + address })
	s.env = append(s.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+address)
	s.limits = doctor.Limits{Service: 50 * time.Millisecond, Session: 50 * time.Millisecond, STS: 50 * time.Millisecond, Local: 50 * time.Millisecond}
	report, _, code := s.run()
	for id, state := range map[string]doctor.State{"tls": doctor.Failed, "session": doctor.Blocked, "serve-answer": doctor.Failed, "enrollment-server": doctor.Warning} {
		if got := s.result(report, id); got.State != state {
			t.Errorf("%+v", got)
		}
	}
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// TestDoctor_silentTPM: a TPM that accepts a connection and says nothing costs its limit and the two seconds of closing
// it, and the message names what ended the wait. The service is silent, too.
func TestDoctor_silentTPM(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.profile["private-key"], s.profile["endpoint"] = "tpm:handle=0x81000011", "https://"+silentListener(t)
	s.env = append(s.env, "TPM_DEVICE=tcp:"+silentListener(t))
	short := 200 * time.Millisecond
	s.limits = doctor.Limits{Service: short, Session: short, STS: short, Local: short, Key: short}
	start := time.Now()
	report, _, _ := s.run()
	if sum := 5*short + 2*time.Second; time.Since(start) > 2*sum {
		t.Errorf("it took %s, and the limits together are %s", time.Since(start), sum)
	}
	if got := s.result(report, "hardware"); got.State != doctor.Failed || !strings.Contains(got.Seen, "kedge doctor waits for 200ms at the most") || strings.Contains(got.Seen, "--timeout") {
		t.Errorf("%+v", got)
	}
}

// TestDoctor_silentLater: a service that answers once, and then says nothing to CreateSession or as STS.
func TestDoctor_silentLater(t *testing.T) {
	t.Parallel()
	for silent, check := range map[string]string{"/sessions": "session", "/": "caller-identity"} {
		s := newSite(t)
		release := make(chan struct{})
		handler := s.emulator.Handler()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.Path == silent {
				<-release
				return
			}
			handler.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		t.Cleanup(func() { close(release) })
		s.profile["endpoint"] = server.URL
		s.limits = doctor.Limits{Session: 100 * time.Millisecond, STS: 100 * time.Millisecond}
		if silent == "/" {
			s.limits.Session = 0
		}
		report, _, _ := s.run()
		if got := s.result(report, check); got.State == doctor.OK || !strings.Contains(got.Seen, "it takes too long") {
			t.Errorf("%s: %+v", silent, got)
		}
	}
}
