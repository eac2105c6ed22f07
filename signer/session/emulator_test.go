package session_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/emulator"
	"kedge/signer"
	"kedge/signer/session"
)

// service is the emulator, which verifies every request with code of its own, around a
// trust anchor that was made for it.
type service struct {
	*emulator.Emulator
	*httptest.Server
	authority *ca.Authority
	log       *bytes.Buffer // why it refused
	folder    string        // for issue; the caller removes it
}

func startEmulator() *service {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	root := must(ca.PrepareRoot(key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Example root"}, Lifetime: 24 * time.Hour}, time.Now()))
	authority := must(ca.New(must(root.Issue(context.Background(), ca.Unrecorded{})), key))
	s := &service{authority: authority, log: new(bytes.Buffer)}
	s.Emulator = must(emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: encode("CERTIFICATE", authority.Certificate().Raw)}},
		Profiles:     []emulator.Profile{{AcceptRoleSessionName: true}},
		Roles:        []emulator.Role{{}, {ARN: "arn:aws:iam::111122223333:role/deep/path/a+b=c,d.e@f-g_h"}},
		Log:          s.log,
	}))
	s.Server = httptest.NewServer(s.Handler())
	return s
}

// issue writes a pair that the trust anchor vouches for.
func (s *service) issue(name string) (certificate, key string) {
	s.folder = must(os.MkdirTemp("", "kedge"))
	cert, private := s.pair(name)
	certificate, key = filepath.Join(s.folder, "web-1.pem"), filepath.Join(s.folder, "web-1.key")
	err := errors.Join(
		os.WriteFile(certificate, encode("CERTIFICATE", cert.Raw), 0o600),
		os.WriteFile(key, encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private))), 0o600),
	)
	if err != nil {
		log.Fatal(err)
	}
	return certificate, key
}

func (s *service) pair(name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	prepared := must(s.authority.PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: name, Public: key.Public(), Lifetime: time.Hour}, time.Now()))
	return must(prepared.Issue(context.Background(), ca.Unrecorded{})), key
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// exchange makes a session of the emulator's, with a configuration changed by f.
func (s *service) exchange(t *testing.T, f func(*session.Config)) (*session.Session, error) {
	t.Helper()
	cfg := session.Config{
		TrustAnchorARN: s.TrustAnchorARN(), ProfileARN: s.ProfileARN(), RoleARN: s.RoleARN(),
		Endpoint: s.URL, Now: time.Now,
	}
	if f != nil {
		f(&cfg)
	}
	client, err := session.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := s.pair("web-1")
	id, err := signer.NewIdentity(key, []*x509.Certificate{cert}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return client.CreateSession(t.Context(), id)
}

func TestEmulator_takesWhatIsSigned(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*session.Config)
		lasts  time.Duration
		who    string // the end of the assumed role's ARN
	}{
		{"the least", nil, time.Hour, ":assumed-role/kedge/"},
		{"a duration", func(c *session.Config) { c.Duration = 15 * time.Minute }, 15 * time.Minute, ":assumed-role/kedge/"},
		{"a session name", func(c *session.Config) { c.RoleSessionName = "a+b=c,d.e@f-g_h" }, time.Hour, ":assumed-role/kedge/a+b=c,d.e@f-g_h"},
		{"a role with every sign", func(c *session.Config) { c.RoleARN = "arn:aws:iam::111122223333:role/deep/path/a+b=c,d.e@f-g_h" }, time.Hour, ":assumed-role/a+b=c,d.e@f-g_h/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startEmulator()
			defer s.Close()
			got, err := s.exchange(t, tt.change)
			if err != nil {
				t.Fatalf("%v\n%s", err, s.log)
			}
			left := time.Until(got.Expiration)
			if got.AccountID != "111122223333" || got.SourceIdentity != "CN=web-1" || got.Skew != 0 || !strings.Contains(got.AssumedRoleARN, tt.who) || left > tt.lasts || left < tt.lasts-time.Minute {
				t.Errorf("%+v, source identity %q, %s left", got, got.SourceIdentity, left)
			}
		})
	}
}

func TestEmulator_faults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault string
		want  string // empty for success
	}{
		{"delay=1ms", ""},
		{"delay=10s", "no answer from "},
		{"status=400", "AWS refused the session: InternalServerException: Bad Request"},
		{"status", "AWS could not make the session: InternalServerException: Internal Server Error"},
		{"throttle", "AWS refused the session: ThrottlingException: Rate exceeded"},
		{"cut", ": it closed the connection"},
		{"cut=body", ": it closed the connection within its answer"},
		{"html", "answered 200 OK with HTML: is there a proxy or a login page between?"},
		{"html=503", "answered 503 Service Unavailable with HTML"},
		{"redirect=https://login.example/", `redirects to "https://login.example/" (302 Found), which is not followed`},
		{"huge", "answered 201 Created with more than 1 MiB"},
		{"endless", "answered 201 Created with more than 1 MiB"},
		{"body", "answered with JSON that is cut off or not a session"},
		{"body={}", "answered with 0 credential sets, not one"},
		{"wrong-role", "answered with credentials of the role"},
		{"two-sets", "answered with 2 credential sets, not one"},
		{"no-sets", "answered with 0 credential sets, not one"},
		{"expired", "answered with credentials that expired at "},
		{"remove=credentialSet.0.credentials.expiration", `answered with the expiration "", which is not a time of RFC 3339`},
		{"remove=credentialSet.0.credentials.sessionToken", "answered without sessionToken"},
		{`set=credentialSet.0.credentials.expiration="soon"`, `answered with the expiration "soon"`},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			s := startEmulator()
			defer s.Close()
			fault, err := emulator.ParseFault(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Inject(fault); err != nil {
				t.Fatal(err)
			}
			got, err := s.exchange(t, func(c *session.Config) {
				c.MaxAttempts, c.Duration = 1, 4*time.Hour
				if fault.Value == "10s" {
					c.Timeout = 100 * time.Millisecond
				}
			})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || (got == nil) == (err == nil) {
				t.Errorf("got  %v\nwant %s\n%s", err, tt.want, s.log)
			}
		})
	}
}

// Attempts against the emulator are each signed in their own right: it would refuse one
// that was sent before.
func TestEmulator_triesAgain(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	if err := s.Inject(emulator.Fault{Kind: "cut"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.exchange(t, nil); err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	if n := len(s.Calls()); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// A clock that is off, either way, costs one request.
func TestEmulator_skew(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-40 * time.Minute, 26 * time.Hour} {
		s := startEmulator()
		defer s.Close()
		got, err := s.exchange(t, func(c *session.Config) {
			c.Now = func() time.Time { return time.Now().Add(off) }
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, s.log)
		}
		if (got.Skew+off).Abs() > 5*time.Second || len(s.Calls()) != 2 {
			t.Errorf("off by %s: skew %s, %d calls", off, got.Skew, len(s.Calls()))
		}
	}
}

func TestEmulator_refuses(t *testing.T) {
	t.Parallel()
	s := startEmulator()
	defer s.Close()
	other := startEmulator()
	defer other.Close()
	s.authority = other.authority
	_, err := s.exchange(t, nil)
	if e, ok := errors.AsType[*session.APIError](err); !ok || e.Status != 403 || e.Code != "AccessDeniedException" || err.Error() != "AWS refused the session: AccessDeniedException: Untrusted signing certificate" {
		t.Errorf("got %v\n%s", err, s.log)
	}
}
