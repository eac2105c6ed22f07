package ca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
	"kedge/signer"
	"kedge/signer/session"
)

// serverOf issues the certificate of a server.
func serverOf(t testing.TB, a *Authority, key crypto.Signer, now time.Time, names ...string) *x509.Certificate {
	t.Helper()
	prepared, err := a.PrepareServer(ServerRequest{Public: key.Public(), Names: names}, now)
	if err != nil {
		t.Fatal(err)
	}
	return issue(t, prepared)
}

func TestPrepareServer(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	root := newRoot(t, year)
	tests := []struct {
		r    ServerRequest
		dns  []string
		ips  string
		span time.Duration
	}{
		{ServerRequest{Names: []string{"ca.example.com"}}, []string{"ca.example.com"}, "[]", MaxServerLifetime},
		{ServerRequest{Names: []string{"CA.Example.com", "ca.example.COM", "b"}}, []string{"ca.example.com", "b"}, "[]", MaxServerLifetime},
		{ServerRequest{Names: []string{"127.0.0.1", "::1", "::ffff:10.0.0.1"}}, nil, "[127.0.0.1 ::1 10.0.0.1]", MaxServerLifetime},
		{ServerRequest{Names: []string{"localhost", "2001:DB8::1"}}, []string{"localhost"}, "[2001:db8::1]", MaxServerLifetime},
		{ServerRequest{Names: []string{"a"}, Lifetime: time.Hour}, []string{"a"}, "[]", time.Hour},
		{ServerRequest{Names: []string{"a"}, Lifetime: MaxServerLifetime, Host: "h", Why: "first"}, []string{"a"}, "[]", MaxServerLifetime},
	}
	for _, tt := range tests {
		key := newKey(t)
		tt.r.Public = key.Public()
		prepared, err := root.PrepareServer(tt.r, noon)
		if err != nil {
			t.Errorf("%v: %v", tt.r.Names, err)
			continue
		}
		var b book
		c, err := prepared.Issue(t.Context(), &b)
		if err != nil {
			t.Fatal(err)
		}
		s := newSubject(c, nil)
		switch {
		case !slices.Equal(c.DNSNames, tt.dns) || "["+strings.Join(HostNames(c)[len(c.DNSNames):], " ")+"]" != tt.ips:
			t.Errorf("%v: %v, %v", tt.r.Names, c.DNSNames, c.IPAddresses)
		case !bytes.Equal(c.RawSubject, []byte{0x30, 0}) || !s.critical(oidSubjectAltName) || !IsServer(c):
			t.Errorf("%v: the subject is %x, or the names are not critical", tt.r.Names, c.RawSubject)
		case !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || c.KeyUsage != x509.KeyUsageDigitalSignature || c.IsCA:
			t.Errorf("%v: usages %v and %v", tt.r.Names, c.ExtKeyUsage, c.KeyUsage)
		case c.NotAfter.Sub(noon) != tt.span:
			t.Errorf("%v: until %v", tt.r.Names, c.NotAfter)
		case len(b.issued) != 1 || b.issued[0].Profile != "" || b.issued[0].Host != tt.r.Host || b.issued[0].Why != tt.r.Why || !b.issued[0].At.Equal(noon):
			t.Errorf("%v: recorded as %+v", tt.r.Names, b.issued)
		}
	}
}

func TestPrepareServer_refuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	root := rootFor(t, key, 365*24*time.Hour)
	bounds := rootConfig(time.Hour)
	bounds.Subject.CommonName, bounds.MaxPathLen = "Bounded", 0
	bounds.Constraints = NameConstraints{PermittedDNS: []string{"example.com"}}
	bounded := below(t, root, newKey(t), bounds)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		by   *Authority
		r    ServerRequest
		want string
	}{
		{root, ServerRequest{}, "needs a DNS name or an IP address"},
		{root, ServerRequest{Names: []string{""}}, `"" is neither a DNS name`},
		{root, ServerRequest{Names: []string{"*.example.com"}}, `"*.example.com" is neither a DNS name`},
		{root, ServerRequest{Names: []string{"ca.example.com."}}, "is neither a DNS name"},
		{root, ServerRequest{Names: []string{"ca.example.com", "ca example"}}, `"ca example" is neither`},
		{root, ServerRequest{Names: []string{"ca\x00.example.com"}}, `"ca\x00.example.com" is neither`},
		{root, ServerRequest{Names: []string{"fe80::1%eth0"}}, `"fe80::1%eth0" is neither`},
		{root, ServerRequest{Names: []string{"10.0.0.256"}}, `"10.0.0.256" is neither`},
		{root, ServerRequest{Names: []string{"https://ca.example.com"}}, "is neither"},
		{root, ServerRequest{Names: []string{"ca.example.com:8443"}}, "is neither"},
		{root, ServerRequest{Names: []string{"a"}, Lifetime: MaxServerLifetime + time.Second}, "from one second to 30d"},
		{root, ServerRequest{Names: []string{"a"}, Lifetime: -time.Hour}, "from one second to 30d"},
		{root, ServerRequest{Names: []string{"a"}, Public: key.Public()}, `the key for "a" is the key of the CA`},
		{root, ServerRequest{Names: []string{"a"}, Public: weak.Public()}, `"a" breaks the rule key`},
		{bounded, ServerRequest{Names: []string{"ca.example.com", "other.test"}}, `"other.test" is not permitted`},
	}
	for _, tt := range tests {
		if tt.r.Public == nil {
			tt.r.Public = newKey(t).Public()
		}
		if _, err := tt.by.PrepareServer(tt.r, noon); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.r.Names, err, tt.want)
		}
	}
	if _, err := root.PrepareServer(ServerRequest{Public: newKey(t).Public(), Names: []string{"a"}}, noon.AddDate(2, 0, 0)); !isError[*ValidityError](err) {
		t.Errorf("by a CA that has expired: %v", err)
	}
}

func isError[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestPrepareServer_end: a server's certificate ends with the CA's at the latest.
func TestPrepareServer_end(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 48*time.Hour)
	if c := serverOf(t, root, newKey(t), noon, "a"); !c.NotAfter.Equal(root.Certificate().NotAfter) {
		t.Errorf("it ends at %v", c.NotAfter)
	}
}

// TestPrepareServer_issuerUsage: below a CA for clients alone, TLS clients refuse it.
func TestPrepareServer_issuerUsage(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	clients := *root.Certificate()
	clients.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	below := &Authority{cert: &clients, key: root.key, room: -1}
	_, err := below.PrepareServer(ServerRequest{Public: newKey(t).Public(), Names: []string{"a"}}, noon)
	if lint, ok := errors.AsType[*LintError](err); !ok || !slices.Equal(broke(lint.Findings), []string{"server-issuer-ext-key-usage"}) {
		t.Error(err)
	}
}

// TestServer_noIdentity: a server's certificate gets no session, lint refuses it as a leaf, and no
// profile or renewal makes one.
func TestServer_noIdentity(t *testing.T) {
	t.Parallel()
	now := time.Now()
	root := rootAt(t, newKey(t), 24*time.Hour, now)
	key := newKey(t)
	cert := serverOf(t, root, key, now, "ca.example.com")
	if _, err := signer.NewIdentity(key, []*x509.Certificate{cert}, now); err == nil {
		t.Error("package signer takes a server's certificate")
	}
	named := *cert // for package signer alone: what is sent are the bytes
	named.RawSubject = root.Certificate().RawSubject
	id, err := signer.NewIdentity(key, []*x509.Certificate{&named}, now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newService(t, root).CreateSession(t.Context(), id)
	if refused, ok := errors.AsType[*session.APIError](err); !ok || refused.Status != http.StatusForbidden || !strings.Contains(refused.Message, "Insufficient") {
		t.Errorf("the emulator: %v", err)
	}
	if rules := broke(Lint(cert, []*x509.Certificate{root.Certificate()})); !slices.Contains(rules, "subject-empty") {
		t.Errorf("lint finds %v", rules)
	}
	p, err := NewProfile("servers", ProfileConfig{SAN: SANConfig{DNS: []string{"**"}}, ExtKeyUsage: []string{"server_auth"}, AllowWarnings: Allowable()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.PrepareRenewal(Renewal{Old: cert, Profile: p}, now); err == nil || !strings.Contains(err.Error(), "certificate of a server") {
		t.Errorf("renewed: %v", err)
	}
	for _, name := range []string{"", " ", "ca.example.com"} {
		prepared, err := root.PrepareLeaf(p, Request{Name: name, Public: newKey(t).Public(), DNS: []string{"ca.example.com"}}, now)
		if err == nil && IsServer(prepared.Certificate()) {
			t.Errorf("%q: a profile makes a server's certificate", name)
		}
	}
}

// TestServer_verify: Go and openssl take a server's certificate for its names, and no host's.
func TestServer_verify(t *testing.T) {
	t.Parallel()
	now := time.Now()
	root := rootAt(t, newKey(t), 24*time.Hour, now)
	host := leafOfNow(t, root, "ca.example.com", now)
	tests := []struct {
		cert *x509.Certificate
		name string
		want bool
	}{
		{serverOf(t, root, newKey(t), now, "ca.example.com", "127.0.0.1"), "ca.example.com", true},
		{serverOf(t, root, newKey(t), now, "ca.example.com", "127.0.0.1"), "127.0.0.1", true},
		{serverOf(t, root, newKey(t), now, "ca.example.com"), "CA.EXAMPLE.COM", true},
		{serverOf(t, root, newKey(t), now, "ca.example.com"), "x.ca.example.com", false},
		{serverOf(t, root, newKey(t), now, "127.0.0.1"), "127.0.0.2", false},
		{host, "ca.example.com", false},
		{host, "127.0.0.1", false},
	}
	testenv.Tool(t, "openssl")
	dir := t.TempDir()
	writePEM := func(name string, c *x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate())
	anchor := writePEM("root.pem", root.Certificate())
	for _, tt := range tests {
		_, err := tt.cert.Verify(x509.VerifyOptions{DNSName: tt.name, Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		if (err == nil) != tt.want {
			t.Errorf("Go: %s for %s: %v", namesOf(tt.cert), tt.name, err)
		}
		check := "-verify_hostname"
		if _, err := netip.ParseAddr(tt.name); err == nil {
			check = "-verify_ip"
		}
		out, err := exec.CommandContext(t.Context(), "openssl", "verify", "-x509_strict", "-purpose", "sslserver", check, tt.name, "-CAfile", anchor, writePEM("cert.pem", tt.cert)).CombinedOutput()
		if (err == nil) != tt.want {
			t.Errorf("openssl: %s for %s: %v\n%s", namesOf(tt.cert), tt.name, err, out)
		}
	}
}

// leafOfNow issues a host's certificate by the default profile, with its name as a DNS name too.
func leafOfNow(t *testing.T, a *Authority, name string, now time.Time) *x509.Certificate {
	t.Helper()
	prepared, err := a.PrepareLeaf(DefaultProfile(), Request{Name: name, Public: newKey(t).Public(), DNS: []string{name}}, now)
	if err != nil {
		t.Fatal(err)
	}
	return issue(t, prepared)
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	names := func(usage []string, r Request) string {
		p, err := NewProfile("p", ProfileConfig{
			SAN: SANConfig{DNS: []string{"**"}, IP: []string{"0.0.0.0/0"}}, ExtKeyUsage: usage, AllowWarnings: Allowable(),
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Public = newKey(t).Public()
		return strings.Join(HostNames(leafOf(t, root, p, r)), " ")
	}
	clients, both := []string{"client_auth"}, []string{"client_auth", "server_auth"}
	addr := netip.MustParseAddr("10.0.0.1")
	tests := []struct {
		usage []string
		r     Request
		want  string
	}{
		{clients, Request{Name: "Web"}, ""},
		{clients, Request{Name: "web", DNS: []string{"A.example.com", "b"}}, "a.example.com b"},
		{both, Request{Name: "Web"}, "web"},
		{[]string{}, Request{Name: "Web", IPs: []netip.Addr{addr}}, "web 10.0.0.1"},
		{both, Request{Name: "web", DNS: []string{"a"}}, "a"},
		{clients, Request{Name: "web", IPs: []netip.Addr{addr}}, "10.0.0.1"},
	}
	for _, tt := range tests {
		if got := names(tt.usage, tt.r); got != tt.want {
			t.Errorf("%v, %+v: %q, want %q", tt.usage, tt.r, got, tt.want)
		}
	}
}
