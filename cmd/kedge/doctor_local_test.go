package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/doctor"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// serveFrom has the environment name a container endpoint that answers so, with a token in a file.
func (s *site) serveFrom(status int, body string) {
	s.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := status
		if r.Header.Get("Authorization") != "secret-token" {
			answer = http.StatusUnauthorized
		}
		w.WriteHeader(answer)
		_, _ = w.Write([]byte(body))
	}))
	s.t.Cleanup(server.Close)
	s.write("token", "secret-token")
	s.env = append(s.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+server.URL+"/v1/credentials/web", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+s.path("token"))
}

func credentialsUntil(at time.Time) string {
	return `{"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY","Token":"x","Expiration":"` + at.UTC().Format(time.RFC3339) + `"}`
}

func faultsOfServe() []fault {
	served := func(set func(s *site)) func(*site) {
		return func(s *site) { s.serveFrom(http.StatusOK, credentialsUntil(time.Now().Add(time.Hour))); set(s) }
	}
	return []fault{
		{name: "an address that is no URL", check: "serve-variables", state: doctor.Failed, code: 2, says: "is no URL",
			set: func(s *site) { s.env = append(s.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI=127.0.0.1:9911") }},
		{name: "no token", check: "serve-token", state: doctor.Failed, code: 1, says: "is set",
			set: func(s *site) { s.env = append(s.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+nowhereURL) }},
		{name: "no file with the token", check: "serve-token", state: doctor.Failed, code: 1, says: "no such file", run: "systemctl status kedge-serve.service",
			set: served(func(s *site) { must(s.t, os.Remove(s.path("token"))) }), fix: func(s *site) { s.write("token", "secret-token") }},
		{name: "an empty token", check: "serve-token", state: doctor.Failed, code: 1, says: "is empty", set: served(func(s *site) { s.write("token", "") }), fix: func(s *site) { s.write("token", "secret-token") }},
		{name: "a line ending after the token", check: "serve-token", state: doctor.Warning, code: 0, says: "line ending", run: "perl", paste: true,
			set: served(func(s *site) { s.write("token", "secret-token\n") })},
		{name: "a proxy before kedge serve", check: "serve-proxy", state: doctor.Warning, code: 0, says: "boto3 and the AWS CLI ask the proxy", run: "export NO_PROXY=127.0.0.1",
			set: served(func(s *site) { s.env = append(s.env, "HTTP_PROXY="+nowhereURL) }), fix: func(s *site) { s.env = append(s.env, "NO_PROXY=127.0.0.1") }},
		{name: "no kedge serve", check: "serve-answer", state: doctor.Failed, code: 1, says: "does not answer", run: "systemctl status kedge-serve.service",
			set: func(s *site) { s.env = append(s.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+nowhereURL) }},
		{name: "the token of an earlier start", check: "serve-answer", state: doctor.Failed, code: 3, says: "does not take the token", set: served(func(s *site) { s.write("token", "old") }), fix: func(s *site) { s.write("token", "secret-token") }},
		{name: "kedge serve has no credentials", check: "serve-answer", state: doctor.Failed, code: 1, says: "503: the role cannot be assumed",
			set: func(s *site) { s.serveFrom(http.StatusServiceUnavailable, "the role cannot be assumed\nmore") }},
		{name: "another program listens", check: "serve-answer", state: doctor.Failed, code: 1, says: "without credentials", set: func(s *site) { s.serveFrom(http.StatusOK, "<html>") }},
		{name: "credentials that have expired", check: "serve-answer", state: doctor.Warning, code: 0, says: "have expired",
			set: func(s *site) { s.serveFrom(http.StatusOK, credentialsUntil(time.Now().Add(-time.Hour))) }},
	}
}

// TestDoctor_serve: a real kedge serve is found by both kinds of variables.
func TestDoctor_serve(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure()
	must(t, os.MkdirAll(s.path("bin"), 0o700))
	server, err := startServing(s.command(), "--config", s.path("config.yaml"), "--profile", "web", "--token-file", s.path("token"))
	must(t, err)
	t.Cleanup(func() { _ = server.stop() })
	for _, variables := range [][]string{{"AWS_EC2_METADATA_SERVICE_ENDPOINT"}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}} {
		s.env = s.env[:2:2]
		for _, name := range variables {
			s.env = append(s.env, name+"="+server.exports[name])
		}
		report, _, code := s.run()
		if got := s.result(report, "serve-answer"); got.State != doctor.OK || !strings.Contains(got.Seen, "has some until") || code != 0 {
			t.Errorf("%v: %+v", variables, got)
		}
	}
}

// TestDoctor_foreignEndpoint: an address that is not of this machine is not asked, and gets no token.
func TestDoctor_foreignEndpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.env = append(s.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=secret-token")
	report, _, code := s.run()
	if got := s.result(report, "serve-variables"); got.State != doctor.OK || !strings.Contains(got.Seen, "it is not asked") || code != 0 {
		t.Errorf("%+v", got)
	}
	if got := s.result(report, "serve-answer"); got.State != doctor.OK || got.Seen != "no endpoint is used" {
		t.Errorf("%+v", got)
	}
}

func faultsOfCache() []fault {
	return []fault{
		{name: "others can write to the cache", check: "cache-folder", state: doctor.Warning, code: 0, says: "can be written to by other users", run: "chmod go-w", paste: true,
			set: func(s *site) {
				must(s.t, os.Mkdir(s.path("cache"), 0o700), os.Chmod(s.path("cache"), 0o777))
			}},
		{name: "the cache is a file", check: "cache-folder", state: doctor.Warning, code: 0, says: "is not a folder", set: func(s *site) { s.write("cache", "") }, fix: func(s *site) { must(s.t, os.Remove(s.path("cache"))) }},
		{name: "a damaged session in the cache", check: "cache-files", state: doctor.Warning, code: 0, says: "holds no credentials that kedge wrote", run: "kedge cache clear", paste: true,
			set: func(s *site) {
				must(s.t, os.Mkdir(s.path("cache"), 0o700))
				s.write("cache/"+strings.Repeat("a", 32)+".session", "hello")
			}},
		{name: "a session of the future", check: "cache-files", state: doctor.Warning, code: 0, says: "later than this host's clock", run: "kedge cache clear", paste: true,
			set: func(s *site) {
				s.fillCache()
				s.now = func() time.Time { return time.Now().Add(-30 * time.Minute) }
			}},
	}
}

// fillCache runs credential-process.
func (s *site) fillCache() {
	s.t.Helper()
	s.configure()
	s.kedge("credential-process", "--config", s.path("config.yaml"), "--profile", "web", "--cache", s.path("cache"))
}

// kedge runs a command that must succeed.
func (s *site) kedge(args ...string) {
	s.t.Helper()
	if code, stderr := s.tryKedge(args...); code != cli.ExitDone {
		s.t.Fatalf("%v: exit code %d, %s", args, code, stderr)
	}
}

func (s *site) tryKedge(args ...string) (code int, stderr string) {
	s.t.Helper()
	var out, words bytes.Buffer
	h := newHost(cli.Streams{In: strings.NewReader(""), Out: &out, Err: &words})
	h.environment, h.inputs.Now = s.env, s.now
	code = cli.Main(s.t.Context(), cli.Program{Name: name, Root: rootOf(h, args), Advise: advise}, args, h.Streams)
	return code, words.String()
}

// TestDoctor_cached: a session in the cache is shown, with the command that forgets it.
func TestDoctor_cached(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fillCache()
	report, _, code := s.run()
	if got := s.result(report, "cache-files"); got.State != doctor.OK || !strings.Contains(got.Seen, "one for this role until") || got.Command == "" || code != 0 {
		t.Errorf("%+v", got)
	}
}

// enroll makes the site an enrolled host, of an enrollment server with the same CA.
func (s *site) enroll() *enrolltest.Server {
	s.t.Helper()
	return s.enrollAt(0)
}

// enrollAt is enroll when the clocks of host and server were so far from now.
func (s *site) enrollAt(shift time.Duration) *enrolltest.Server {
	s.t.Helper()
	server := enrolltest.Serve(s.t, s.ca, s.ca.ServerCertificate(s.t, enrolltest.Unchanged))
	s.server = server
	server.Between(func() { server.Skew = shift })
	defer server.Between(func() { server.Skew = 0 })
	s.now = func() time.Time { return time.Now().Add(shift) }
	s.write("enrollment-token", server.Token(s.t).String())
	s.kedge("enroll", "--token-file", s.path("enrollment-token"), "--dir", s.path("host"))
	s.profile["certificate"], s.profile["private-key"] = "host/current/leaf.pem", "host/current/leaf.key"
	return server
}

// record changes what an enrolled host has recorded of its certificate.
func (s *site) record(change func(record map[string]any)) {
	s.t.Helper()
	path := s.path("host/current/identity.json")
	data, err := os.ReadFile(path)
	record := map[string]any{}
	must(s.t, err, json.Unmarshal(data, &record))
	change(record)
	data, err = json.Marshal(record)
	must(s.t, err)
	writeFile(s.t, path, string(data))
}

// expire makes the site a host that enrolled two days ago, and whose certificate has expired since.
func (s *site) expire() *enrolltest.Server {
	s.t.Helper()
	server := s.enrollAt(-48 * time.Hour)
	s.now = time.Now
	return server
}

// end has the server refuse a renewal, as it will from then on, and leaves a file with a token for another key.
func (s *site) end(server *enrolltest.Server, reason enrollapi.Code) {
	s.t.Helper()
	server.Between(func() {
		server.Refuse = func(path string) error {
			if path != enrollapi.PathRenew {
				return nil
			}
			return &enrollapi.Error{Code: reason, Message: "the CA says no"}
		}
	})
	if code, stderr := s.tryKedge("renew", "--force", "--dir", s.path("host")); code != cli.ExitRefused {
		s.t.Errorf("exit code %d, %s", code, stderr)
	}
	s.write("TOKEN-FILE", server.Token(s.t).String())
}

func faultsOfEnrollment() []fault {
	return []fault{
		{name: "nothing renews", check: "renewal", state: doctor.Warning, code: 0, says: "nothing renews it", run: "kedge renew --dir", paste: true,
			set: func(s *site) {
				s.enroll()
				s.record(func(r map[string]any) { r["answered"] = time.Now().Add(-48 * time.Hour) })
			}},
		{name: "the last renewal failed", check: "last-renewal", state: doctor.Warning, code: 0, says: "correct the cause", run: "kedge renew --dir", paste: true,
			set: func(s *site) {
				server := s.enroll()
				server.Between(func() { server.Lose = func(path string) bool { return path == enrollapi.PathRenew } })
				if code, _ := s.tryKedge("renew", "--force", "--dir", s.path("host")); code == 0 {
					s.t.Error("it was renewed")
				}
				server.Between(func() { server.Lose = nil })
			}},
		{name: "the server renews no more", check: "renewal", state: doctor.Failed, code: 3, says: "the CA says no", run: "kedge enroll --force --dir", paste: true,
			set: func(s *site) { s.end(s.enroll(), enrollapi.Revoked) }},
		{name: "an enrolled certificate has expired", check: "certificate-validity", state: doctor.Failed, code: 4, says: "renew the certificate", run: "kedge renew --dir", paste: true,
			set: func(s *site) { s.expire() }},
		{name: "an enrolled certificate has expired too long ago", check: "certificate-validity", state: doctor.Failed, code: 4, says: "kedge-ca token web-01 --replace", run: "kedge enroll --force --dir", paste: true,
			set: func(s *site) { s.end(s.expire(), enrollapi.BeyondGrace) }},
		{name: "the certificate of an enrolled host is revoked", check: "session", state: doctor.Failed, code: 3, says: "enroll anew", run: "kedge enroll --force --dir",
			set: func(s *site) {
				s.enroll()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
					w.WriteHeader(http.StatusForbidden)
					_, _ = w.Write([]byte(`{"message":"Certificate revoked"}`))
				}))
				s.t.Cleanup(server.Close)
				s.profile["endpoint"] = server.URL
			}},
		{name: "no enrollment server", check: "enrollment-server", state: doctor.Warning, code: 0, says: "see whether kedge-ca serve runs there", run: "kedge renew --dir",
			set: func(s *site) {
				server := s.enroll()
				server.Between(func() { server.Lose = func(string) bool { return true } })
			}, fix: func(s *site) { s.server.Between(func() { s.server.Lose, s.server.Write = nil, nil }) }},
		{name: "the enrollment server is not ready", check: "enrollment-server", state: doctor.Warning, code: 0, says: "HTTP status 503",
			set: func(s *site) {
				server := s.enroll()
				server.Between(func() { server.Write = func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) } })
			}, fix: func(s *site) { s.server.Between(func() { s.server.Lose, s.server.Write = nil, nil }) }},
		{name: "the enrollment server of another CA", check: "enrollment-server", state: doctor.Warning, code: 0, says: "does not lead to the key of the CA",
			set: func(s *site) {
				s.enroll()
				other := enrolltest.New(s.t)
				s.record(func(r map[string]any) { r["server"] = other.URL })
			}, fix: func(s *site) { s.record(func(r map[string]any) { r["server"] = s.server.URL }) }},
		{name: "a damaged identity", check: "enrollment", state: doctor.Failed, code: 1, says: "is not as kedge wrote it",
			set: func(s *site) {
				s.enroll()
				s.write("host/current/identity.json", "{")
			}},
		{name: "the root of another CA", check: "certificate-anchor", state: doctor.Failed, code: 4, says: "to no root in", run: "kedge renew --dir", paste: true,
			set: func(s *site) {
				server := s.enroll()
				server.Between(func() { server.Write = nil })
				s.write("host/current/bundle.pem", string(pemOf("CERTIFICATE", enrolltest.NewAuthority(s.t, "other", nil).Raw)))
			}},
		{name: "an enrolled host without flags", check: "settings-needed", state: doctor.Failed, code: 2, says: "this host is enrolled", run: "--certificate",
			set: func(s *site) {
				s.known()
				s.profile["certificate"], s.profile["private-key"] = "", ""
			}},
	}
}
