package session

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/signer"
)

const (
	anchorARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a1b2c3d4-0000-4000-8000-000000000001"
	profileARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/a1b2c3d4-0000-4000-8000-000000000002"
	roleARN    = "arn:aws:iam::111122223333:role/path/web"
	assumedARN = "arn:aws:sts::111122223333:assumed-role/web/0a1b"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// clock stands still but for the pauses between attempts, which take no time.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	pauses []time.Duration
}

func newClock() *clock { return &clock{now: start()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pauses = append(c.pauses, d)
	c.now = c.now.Add(d.Truncate(time.Second) + time.Second) // dates count seconds
	return nil
}

// service answers with one step after the other, the last one for ever. It dates answers
// by its own clock, which may differ.
type service struct {
	*httptest.Server
	clock *clock
	ahead time.Duration

	mu       sync.Mutex
	steps    []http.HandlerFunc
	requests []*http.Request
	bodies   []string
}

func newService(t *testing.T, steps ...http.HandlerFunc) *service {
	t.Helper()
	s := unstarted(steps...)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func unstarted(steps ...http.HandlerFunc) *service {
	s := &service{steps: steps, clock: newClock()}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, string(body))
	step := s.steps[min(len(s.requests), len(s.steps))-1]
	s.mu.Unlock()
	w.Header().Set("Date", s.clock.Now().Add(s.ahead).Format(http.TimeFormat))
	w.Header().Set("X-Amzn-Requestid", "request-1")
	step(w, r)
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *service) config() Config {
	return Config{
		TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN,
		Endpoint: s.URL, Now: s.clock.Now, RootCAs: s.roots(),
	}
}

func (s *service) roots() *x509.CertPool {
	if s.Certificate() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func (s *service) client(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	cfg := s.config()
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.sleep = s.clock.sleep
	return c
}

// The steps of a service.

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func fail(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"message": message})
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// good is the body of a session; changes are pairs of what to replace and with what.
func good(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(`{"credentialSet":[{"assumedRoleUser":{"arn":"` + assumedARN + `","assumedRoleId":"AROAEXAMPLE:0a1b"},` +
		`"credentials":{"accessKeyId":"ASIAEXAMPLE","secretAccessKey":"secret/Key+1","sessionToken":"token//==","expiration":"2026-03-01T13:00:00Z"},` +
		`"packedPolicySize":12,"roleArn":"` + roleARN + `","sourceIdentity":"CN=web-1"}],` +
		`"subjectArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:subject/a1b2c3d4-0000-4000-8000-000000000003"}`)
}

func success() http.HandlerFunc { return reply(http.StatusCreated, good()) }

// identity is a P-256 leaf and its key, made once.
var identity = sync.OnceValue(func() *signer.Identity {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"},
		NotBefore: start().Add(-time.Hour), NotAfter: start().AddDate(50, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2575), Subject: pkix.Name{CommonName: "web-1"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	rootKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), rootKey)
	if err != nil {
		panic(err)
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	id, err := signer.NewIdentity(key, []*x509.Certificate{leaf}, start())
	if err != nil {
		panic(err)
	}
	return id
})
