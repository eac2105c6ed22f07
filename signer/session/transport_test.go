package session

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func newTLSService(t *testing.T, steps ...http.HandlerFunc) *service {
	t.Helper()
	s := unstarted(steps...)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestCreateSession_TLS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		change   func(*Config, *service)
		requests int
		want     string // empty for success
	}{
		{"its CA", func(*Config, *service) {}, 1, ""},
		{"the system's CAs", func(c *Config, _ *service) { c.RootCAs = nil }, 0, "tls: failed to verify certificate: x509: "},
		{"another CA", func(c *Config, _ *service) {
			c.RootCAs = x509.NewCertPool()
			c.RootCAs.AddCert(identity().Leaf())
		}, 0, "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{"another name", func(c *Config, s *service) { c.Endpoint = strings.Replace(s.URL, "127.0.0.1", "localhost", 1) }, 0, "tls: failed to verify certificate: x509: "},
		{"any CA", func(c *Config, _ *service) { c.RootCAs, c.InsecureSkipVerify = nil, true }, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newTLSService(t, success())
			c := s.client(t, func(cfg *Config) { tt.change(cfg, s) })
			_, err := c.CreateSession(t.Context(), identity())
			if tt.want == "" && err != nil {
				t.Fatal(err)
			}
			if e, ok := errors.AsType[*NetworkError](err); tt.want != "" && (!ok || !e.Untrusted() || e.Attempts != 1 || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if s.count() != tt.requests || len(s.clock.pauses) != 0 {
				t.Errorf("%d requests, %d pauses", s.count(), len(s.clock.pauses))
			}
		})
	}
}

// What cannot get better is not tried again: the two sides speak different protocols.
func TestCreateSession_TLSMismatch(t *testing.T) {
	t.Parallel()
	old := unstarted(success())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	plain := newService(t, success())
	for name, s := range map[string]*service{"TLS 1.1": old, "no TLS": plain} {
		c := s.client(t, func(cfg *Config) { cfg.Endpoint = strings.Replace(s.URL, "http:", "https:", 1) })
		_, err := c.CreateSession(t.Context(), identity())
		if e, ok := errors.AsType[*NetworkError](err); !ok || e.Attempts != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if s.count() != 0 || len(s.clock.pauses) != 0 {
			t.Errorf("%s: %d requests, %d pauses", name, s.count(), len(s.clock.pauses))
		}
	}
}

func TestCreateSession_nobodyListens(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	c := s.client(t, func(cfg *Config) { cfg.Endpoint = "http://" + address })
	_, err = c.CreateSession(t.Context(), identity())
	e, ok := errors.AsType[*NetworkError](err)
	want := "no answer from " + address + " in 3 attempts: dial tcp " + address + ": connect: connection refused"
	if !ok || e.Host != address || e.Attempts != 3 || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestNetworkError_hopeless(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}, true},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true}}, false},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, false},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, true},
	} {
		e := &NetworkError{Err: tt.err}
		if e.hopeless() != tt.want || (retryable(e) == aws.TrueTernary) == tt.want {
			t.Errorf("%v: hopeless is %v", tt.err, e.hopeless())
		}
	}
}

func TestCreateSession_proxy(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(t, func(cfg *Config) {
		cfg.Proxy = http.ProxyURL(address)
		cfg.Endpoint = "http://aws.example" // which does not exist
		cfg.InsecureSkipVerify = true       // allows http
	})
	if _, err := c.CreateSession(t.Context(), identity()); err != nil {
		t.Fatal(err)
	}
	if asked != "aws.example" || s.count() != 1 {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

// doer is an HTTPClient of the caller's own.
type doer func(*http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestCreateSession_HTTPClient(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	used := 0
	c := s.client(t, func(cfg *Config) {
		cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			used++
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	if _, err := c.CreateSession(t.Context(), identity()); err != nil || used != 1 {
		t.Errorf("%v, used %d times", err, used)
	}
}

func TestProvider(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	s.ahead = 2 * time.Minute
	var p aws.CredentialsProvider = NewProvider(s.client(t), identity())
	got, err := p.Retrieve(t.Context())
	want := aws.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret/Key+1", SessionToken: "token//==", Source: ProviderName,
		CanExpire: true, Expires: start().Add(58 * time.Minute), AccountID: "111122223333",
	}
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	bad := newService(t, fail(403, "AccessDeniedException", "no"))
	if got, err := NewProvider(bad.client(t), identity()).Retrieve(t.Context()); err == nil || got != (aws.Credentials{}) {
		t.Errorf("got %v, %v", got, err)
	}
}
