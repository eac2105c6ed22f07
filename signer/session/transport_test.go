package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
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
		{"the system's CAs", func(c *Config, _ *service) { c.RootCAs = nil }, 0, ": the server's certificate "},
		{"another CA", func(c *Config, _ *service) {
			c.RootCAs = x509.NewCertPool()
			c.RootCAs.AddCert(identity().Leaf())
		}, 0, ": the server's certificate is signed by an unknown authority, \"O=Acme Co\""},
		{"another name", func(c *Config, s *service) { c.Endpoint = strings.Replace(s.URL, "127.0.0.1", "localhost", 1) }, 0, ": the server's certificate is for another name than localhost"},
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
	want := "cannot connect to " + address + " in 3 attempts: connection refused"
	if !ok || e.Host != address || e.Attempts != 3 || !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The words are those of the system, without the calls of package net.
func TestNetworkError_words(t *testing.T) {
	t.Parallel()
	address := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: address, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	unknown := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nosuch", Server: "192.0.2.53:53"}}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{refused, "cannot connect to h (192.0.2.1:443): " + syscall.ECONNREFUSED.Error()},
		{unknown, "cannot connect to h: no such host"},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}, "cannot connect to the proxy 192.0.2.1:443: " + syscall.ECONNREFUSED.Error()},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: unknown}, "cannot connect to the proxy nosuch: no such host"},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("cut")}, "no answer from h: proxyconnect tcp: cut"},
		{&net.OpError{Op: "read", Net: "tcp", Addr: address, Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "no answer from h: " + syscall.ECONNRESET.Error()},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "no answer from h: it closed the connection within its answer"},
		{io.EOF, "no answer from h: it closed the connection"},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}, "no answer from h: remote error: tls: handshake failure"},
	} {
		e := &NetworkError{Host: "h", Err: tt.err}
		if e.Error() != tt.want || !errors.Is(e, tt.err) {
			t.Errorf("got  %v\nwant %s", e, tt.want)
		}
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

func TestCreateSession_HTTPClientWithoutBody(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	c := s.client(t, func(cfg *Config) {
		cfg.HTTPClient = doer(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusCreated}, nil
		})
	})
	if _, err := c.CreateSession(t.Context(), identity()); err == nil || !strings.HasSuffix(err.Error(), "answered with JSON that is cut off or not a session") {
		t.Errorf("got %v", err)
	}
}

// A proxy that refuses is named without its password, and asked again only if that can help.
func TestCreateSession_proxyRefuses(t *testing.T) {
	t.Parallel()
	for status, attempts := range map[int]int{403: 1, 407: 1, 429: 2, 502: 2} {
		s := newService(t, success())
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(proxy.Close)
		address, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		host := address.Host
		address.User = url.UserPassword("user", "hunter2")
		var trace strings.Builder
		c := s.client(t, func(cfg *Config) {
			cfg.Proxy, cfg.Endpoint, cfg.MaxAttempts = http.ProxyURL(address), "https://aws.example", 2
			cfg.Trace = func(format string, args ...any) { fmt.Fprintf(&trace, format+"\n", args...) }
		})
		_, err = c.CreateSession(t.Context(), identity())
		refused, ok := errors.AsType[*ProxyError](err)
		if !ok || *refused != (ProxyError{Proxy: host, Status: status, Login: true}) || len(s.clock.pauses) != attempts-1 {
			t.Errorf("%d: %v after %d pauses", status, err, len(s.clock.pauses))
		}
		if text := fmt.Sprint(err, trace.String()); strings.Contains(text, "hunter2") || !strings.Contains(text, "the proxy "+host+" answered "+statusText(status)) {
			t.Errorf("%d: %s", status, text)
		}
	}
}

// The ways to log in that a proxy offers are told, by CONNECT and without, once; nothing else that it
// sends is.
func TestCreateSession_proxyAsksWho(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		challenges []string
		want       string
		basic      bool
	}{
		{nil, "", true},
		{[]string{"Negotiate", "NTLM"}, "Negotiate, NTLM", false},
		{[]string{"negotiate, ntlm"}, "Negotiate, NTLM", false},
		{[]string{`Basic realm="a, NTLM"`}, "Basic", true},
		{[]string{`Digest realm="a", nonce="b", NTLM`}, "Digest, NTLM", false},
		{[]string{"NTLM TlRMTVNTUAACAAAA", "BASIC realm=x", "Basic"}, "NTLM, Basic", true},
		{[]string{"Kerberos", "hunter2"}, "Kerberos", false},
		{[]string{`hunter2 a="`, ","}, "", true},
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Proxy-Authenticate"] = tt.challenges
			w.WriteHeader(http.StatusProxyAuthRequired)
		}))
		t.Cleanup(proxy.Close)
		address, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		want := ProxyError{Proxy: address.Host, Status: 407, Login: true, Schemes: tt.want}
		address.User = url.UserPassword("user", "hunter2")
		for _, scheme := range []string{"https", "http"} {
			c := newService(t, success()).client(t, func(cfg *Config) {
				cfg.Proxy, cfg.Endpoint, cfg.InsecureSkipVerify = http.ProxyURL(address), scheme+"://aws.example", true
			})
			_, err := c.CreateSession(t.Context(), identity())
			refused, ok := errors.AsType[*ProxyError](err)
			if !ok || *refused != want || refused.TakesBasic() != tt.basic || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q by %s: %v", tt.challenges, scheme, err)
			}
		}
	}
}

// slowBody lets time pass while it is read.
type slowBody struct {
	io.Reader
	pass func()
}

func (b slowBody) Read(p []byte) (int, error) {
	b.pass()
	return b.Reader.Read(p)
}

func (slowBody) Close() error { return nil }

// A body that takes long does not make this host's clock wrong.
func TestCreateSession_slowBodyIsNoSkew(t *testing.T) {
	t.Parallel()
	s := newService(t, success())
	c := s.client(t, func(cfg *Config) {
		cfg.HTTPClient = doer(func(*http.Request) (*http.Response, error) {
			pass := func() { _ = s.clock.sleep(t.Context(), 3*time.Minute) }
			return &http.Response{
				StatusCode: http.StatusCreated, Header: http.Header{"Date": {start().Format(http.TimeFormat)}},
				Body: slowBody{strings.NewReader(good()), pass},
			}, nil
		})
	})
	if got, err := c.CreateSession(t.Context(), identity()); err != nil || got.Skew != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// Whatever this host's clock, a cache never takes credentials for good that have expired.
func TestProvider_expiresNeverLate(t *testing.T) {
	t.Parallel()
	expiration := start().Add(time.Hour) // by the service's clock
	for _, ahead := range []time.Duration{-90, -61, -60, -30, 0, 30, 60, 61, 90} {
		s := newService(t, success())
		s.ahead = ahead * time.Second
		got, err := NewProvider(s.client(t), identity()).Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if early := expiration.Sub(got.Expires.Add(s.ahead)); early < 0 || early > 2*minSkew {
			t.Errorf("the service is ahead by %s: Expires is %s early", s.ahead, early)
		}
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
		CanExpire: true, Expires: start().Add(57 * time.Minute), AccountID: "111122223333",
	}
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	bad := newService(t, fail(403, "AccessDeniedException", "no"))
	if got, err := NewProvider(bad.client(t), identity()).Retrieve(t.Context()); err == nil || got != (aws.Credentials{}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestNetworkError_late: where no connection comes about in time, the address and the cause are named.
func TestNetworkError_late(t *testing.T) {
	t.Parallel()
	dial := func(to net.Addr, err error) error { return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: err} }
	address := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{dial(address, context.DeadlineExceeded), "cannot connect to example.com (192.0.2.1:443) in 3 attempts: it takes too long"},
		{dial(nil, &net.DNSError{Name: "example.com", IsTimeout: true}), "cannot connect to example.com in 3 attempts: the name servers of this host do not answer"},
		{context.DeadlineExceeded, "no answer from example.com in 3 attempts: it takes too long"},
	} {
		if got := (&NetworkError{Host: "example.com", Attempts: 3, Err: tt.err}).Error(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}
