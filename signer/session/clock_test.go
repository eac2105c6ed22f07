package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kedge/signer"
)

// refusedOnce refuses the first signature as the service does when the clocks differ.
func refusedOnce() []http.HandlerFunc {
	return []http.HandlerFunc{fail(403, "AccessDeniedException", "Invalid signature"), success()}
}

// signedAt are the times of the signatures, hours and minutes.
func (s *service) signedAt() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, r := range s.requests {
		if date := r.Header.Get("X-Amz-Date"); date != "" {
			all = append(all, date[9:13])
		}
	}
	return strings.Join(all, " ")
}

// The Date of an answer counts if nobody but the service can have written it: nothing else moves the
// time that is signed with, or that certificates are judged by.
func TestClock_verified(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		tls     bool
		change  func(*Config, *service)
		counts  bool
		problem string // where it is asked for the time alone
	}{
		{"https", true, func(*Config, *service) {}, true, ""},
		{"https, not verified", true, func(c *Config, _ *service) { c.InsecureSkipVerify = true }, false, "is not verified"},
		{"https, not verified, with the right CA", true, func(c *Config, s *service) { c.InsecureSkipVerify, c.RootCAs = true, s.roots() }, false, "is not verified"},
		{"https, a client that does not tell", true, func(c *Config, s *service) { c.HTTPClient = silentClient{s.Client()} }, false, "is not verified"},
		{"https, a client that does not verify", true, func(c *Config, _ *service) {
			c.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		}, false, "is not verified"},
		{"http on loopback", false, func(*Config, *service) {}, true, ""},
		{"http on loopback by name", false, func(c *Config, s *service) { c.Endpoint = strings.Replace(s.URL, "127.0.0.1", "localhost", 1) }, true, ""},
		{"http, anyone", false, func(c *Config, _ *service) { c.InsecureSkipVerify = true }, false, "is not verified"},
		{"http by a proxy", false, byProxy, false, "is not verified"},
		{"http on another host", false, func(c *Config, s *service) {
			byProxy(c, s)
			c.Endpoint, c.InsecureSkipVerify = "http://service.example", true
		}, false, "is not verified"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := unstarted(refusedOnce()...)
			s.ahead = -7 * time.Minute
			if tt.tls {
				s.StartTLS()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			c := s.client(t, func(cfg *Config) { tt.change(cfg, s) })
			_, err := c.CreateSession(t.Context(), identity())
			want := "1200"
			if tt.counts {
				want = "1200 1153"
			}
			if s.signedAt() != want || (err == nil) != tt.counts || c.cfg.Clock.Known() != tt.counts {
				t.Errorf("signed at %s, known %t, %v", s.signedAt(), c.cfg.Clock.Known(), err)
			}
			asking := s.client(t, func(cfg *Config) { tt.change(cfg, s) })
			at, err := asking.ServiceTime(t.Context())
			if tt.counts != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("asked: %v", err)
			}
			if tt.counts && !at.Equal(start().Add(s.ahead)) || asking.cfg.Clock.Skew() != map[bool]time.Duration{true: s.ahead}[tt.counts] {
				t.Errorf("asked: %s, skew %s", at, asking.cfg.Clock.Skew())
			}
		})
	}
}

// byProxy has the service itself for its proxy.
func byProxy(c *Config, s *service) {
	c.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(s.URL) }
}

// silentClient sends nothing of TLS.
type silentClient struct{ client *http.Client }

func (c silentClient) Do(r *http.Request) (*http.Response, error) {
	resp, err := c.client.Do(r)
	if err == nil {
		resp.TLS = nil
	}
	return resp, err
}

// What the service's time was is kept for the next call, until another answer tells another.
func TestClock_kept(t *testing.T) {
	t.Parallel()
	refuse := fail(403, "AccessDeniedException", "Invalid signature")
	s := newService(t, refuse, success(), success(), refuse, success())
	s.ahead = -7 * time.Minute
	c := s.client(t)
	for i := range 3 {
		if i == 2 {
			s.ahead = 0 // this host's clock was set
		}
		if _, err := c.CreateSession(t.Context(), identity()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.signedAt(); got != "1200 1153 1153 1153 1200" || c.cfg.Clock.Skew() != 0 {
		t.Errorf("signed at %s, skew %s", got, c.cfg.Clock.Skew())
	}
}

func TestServiceTime_once(t *testing.T) {
	t.Parallel()
	s := newService(t, fail(404, "UnknownOperationException", ""))
	s.ahead = 48 * time.Hour
	c := s.client(t)
	for range 3 {
		if at, err := c.ServiceTime(t.Context()); err != nil || !at.Equal(start().Add(48*time.Hour)) {
			t.Errorf("%s, %v", at, err)
		}
	}
	if r := s.requests[0]; s.count() != 1 || r.Method != http.MethodHead || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "" {
		t.Errorf("%d requests, %s %s", s.count(), r.Method, r.URL)
	}
	s.clock.sleep(t.Context(), askInterval)
	if _, err := c.ServiceTime(t.Context()); err != nil || s.count() != 2 {
		t.Errorf("%d requests after a minute, %v", s.count(), err)
	}
}

func TestServiceTime_fails(t *testing.T) {
	t.Parallel()
	s := newService(t, cut)
	c := s.client(t)
	var network *NetworkError
	if _, err := c.ServiceTime(t.Context()); !errors.As(err, &network) || c.cfg.Clock.Known() {
		t.Errorf("cut: %v", err)
	}
	s = newService(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil })
	if _, err := s.client(t).ServiceTime(t.Context()); err == nil || !strings.Contains(err.Error(), "answered without its time") {
		t.Errorf("no date: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.client(t).ServiceTime(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TLS is verified by the clock that is a parameter, and a host at 1970 is told so by the error.
func TestServiceTime_hostAt1970(t *testing.T) {
	t.Parallel()
	s := unstarted(success())
	s.StartTLS()
	t.Cleanup(s.Close)
	c := s.client(t, func(cfg *Config) {
		cfg.Now = func() time.Time { return s.Certificate().NotBefore.Add(-time.Hour) }
	})
	_, err := c.ServiceTime(t.Context())
	var invalid x509.CertificateInvalidError
	var unverified *tls.CertificateVerificationError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired || !errors.As(err, &unverified) {
		t.Errorf("got %v", err)
	}
}

// A certificate that is in its validity by this host's clock alone is not sent a second time.
func TestCreateSession_outOfValidity(t *testing.T) {
	t.Parallel()
	const century = 100 * 365 * 24 * time.Hour
	for _, message := range []string{"Invalid signature", "Untrusted signing certificate"} {
		s := newService(t, fail(403, "AccessDeniedException", message), success())
		s.ahead = century
		_, err := s.client(t).CreateSession(t.Context(), identity())
		validity, ok := errors.AsType[*signer.ValidityError](err)
		if !ok || !validity.Expired() || !validity.Now.Equal(start().Add(century)) || s.count() != 1 {
			t.Errorf("%s: %v, %d requests", message, err, s.count())
		}
	}
}
