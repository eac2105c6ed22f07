package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// noon is the service's time in the tests of clocks; it stands still.
func noon() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// minted is a certificate and its key.
type minted struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// mintFor makes a certificate that is valid from and to these times of the service: a leaf of issuer
// or, without one, a CA that may serve on loopback.
func mintFor(t *testing.T, name string, issuer *minted, from, to time.Duration) *minted {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name)) + 1), Subject: pkix.Name{CommonName: name},
		NotBefore: noon().Add(from), NotAfter: noon().Add(to), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	parent, parentKey := template, key
	if issuer != nil {
		parent, parentKey = issuer.cert, issuer.key
	} else {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &minted{cert, key}
}

// clockWorld is a service at noon, over http and https, and the files of hosts.
type clockWorld struct {
	dir, http, https string
	arns             []string
}

const month = 30 * 24 * time.Hour

// newClockWorld makes leaves that are, by the service's time, fresh, of some age, and expired.
func newClockWorld(t *testing.T) *clockWorld {
	t.Helper()
	root := mintFor(t, "root", nil, -month, month)
	e, err := emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: pemOf("CERTIFICATE", root.cert.Raw)}}, Now: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &clockWorld{dir: t.TempDir(), arns: []string{
		"--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
	}}
	w.http, w.https = w.serve(t, e.Handler(), nil), w.serve(t, e.Handler(), mintFor(t, "server", nil, -month, month))
	for name, validity := range map[string][2]time.Duration{
		"fresh": {-time.Minute, time.Hour}, "long": {-10 * 24 * time.Hour, 10 * 24 * time.Hour}, "old": {-10 * 24 * time.Hour, -time.Minute},
	} {
		leaf := mintFor(t, name, root, validity[0], validity[1])
		key, err := x509.MarshalPKCS8PrivateKey(leaf.key)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(w.dir, name+".pem"), string(pemOf("CERTIFICATE", leaf.cert.Raw))+string(pemOf("PRIVATE KEY", key)))
	}
	return w
}

// serve returns the URL. With a certificate it is one of https, and ca.pem vouches for it.
func (w *clockWorld) serve(t *testing.T, handler http.Handler, with *minted) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	t.Cleanup(server.Close)
	if with == nil {
		server.Start()
		return server.URL
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{with.cert.Raw}, PrivateKey: with.key}}}
	server.StartTLS()
	writeFile(t, filepath.Join(w.dir, "ca.pem"), string(pemOf("CERTIFICATE", with.cert.Raw)))
	return server.URL
}

// run is kedge on a host with this clock.
func (w *clockWorld) run(t *testing.T, host time.Time, endpoint, leaf string, command ...string) (code int, stdout, stderr string) {
	t.Helper()
	args := append(command[:len(command):len(command)], "--endpoint", endpoint, "--max-attempts", "1",
		"--certificate", filepath.Join(w.dir, leaf+".pem"), "--ca-bundle", filepath.Join(w.dir, "ca.pem"))
	args = append(args, w.arns...)
	var out, errs bytes.Buffer
	h := newHost(cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	h.inputs.Now = func() time.Time { return host }
	code = cli.Main(t.Context(), cli.Program{Name: name, Root: rootOf(h, args), Advise: advise}, args, h.Streams)
	return code, out.String(), errs.String()
}

// clockCase is a host's clock, and what is said about it where the service's time is known.
type clockCase struct {
	name    string
	ahead   time.Duration
	warning string
}

func clockCases() []clockCase {
	const form = "kedge: warning: this host's clock is %s the service's: set the clock\n"
	since1970 := -noon().Sub(time.Unix(0, 0))
	return []clockCase{
		{"right", 0, ""},
		{"50 seconds behind", -50 * time.Second, ""},
		{"50 seconds ahead", 50 * time.Second, ""},
		{"2 minutes behind", -2 * time.Minute, fmt.Sprintf(form, "120 seconds behind")},
		{"2 minutes ahead", 2 * time.Minute, fmt.Sprintf(form, "120 seconds ahead of")},
		{"10 minutes behind", -10 * time.Minute, fmt.Sprintf(form, "600 seconds behind")},
		{"10 minutes ahead", 10 * time.Minute, fmt.Sprintf(form, "600 seconds ahead of")},
		{"48 hours behind", -48 * time.Hour, fmt.Sprintf(form, "172800 seconds behind")},
		{"48 hours ahead", 48 * time.Hour, fmt.Sprintf(form, "172800 seconds ahead of")},
		{"at 1970", since1970, fmt.Sprintf(form, fmt.Sprintf("%d seconds behind", -since1970/time.Second))},
	}
}

// Whatever the time of this host's clock, the service's decides: a certificate that is good there gets
// credentials, one that has expired there gets none, and the clock is what is named.
func TestClock(t *testing.T) {
	t.Parallel()
	w := newClockWorld(t)
	for _, tt := range clockCases() {
		for _, endpoint := range []string{w.http, w.https} {
			scheme, _, _ := strings.Cut(endpoint, ":")
			for _, leaf := range []string{"fresh", "long", "old"} {
				t.Run(strings.Join([]string{tt.name, scheme, leaf}, "/"), func(t *testing.T) {
					t.Parallel()
					code, stdout, stderr := w.run(t, noon().Add(tt.ahead), endpoint, leaf, "credential-process", "--cache", "off")
					wantCode, want := wantAt(tt, scheme, leaf)
					if code != wantCode || (stdout != "") != (code == cli.ExitDone) || !matches(stderr, want) {
						t.Errorf("exit code %d, want %d, and\n%swant\n%s", code, wantCode, stderr, want)
					}
				})
			}
		}
	}
}

// wantAt is the exit code and standard error, where * stands for anything.
func wantAt(tt clockCase, scheme, leaf string) (int, string) {
	if tt.name == "at 1970" && scheme == "https" { // the server's certificate cannot be verified, so that its time is not known
		return cli.ExitKey, `kedge: error: *` + leaf + `.pem: certificate "CN=` + leaf + `" is not valid before 2026-11-*; it is 1970-01-01T00:00:00Z now; the service's time is not known: *
kedge: hint: set this host's clock: by it the server's certificate is out of its validity, too
`
	}
	if leaf != "old" {
		return cli.ExitDone, tt.warning
	}
	by := "now"
	if tt.warning != "" {
		by = "by the service's clock"
	}
	return cli.ExitKey, tt.warning + `kedge: error: *old.pem: certificate "CN=old" expired at 2026-11-29T11:59:00Z; it is 2026-11-29T12:00:00Z ` + by + `
kedge: hint: renew the certificate; if it was renewed, check that --certificate names the new file
`
}

// matches reports whether text is pattern, in which each * stands for anything.
func matches(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1:] {
		var found bool
		_, rest, found = strings.Cut(rest, part)
		ok = ok && found
	}
	return ok && rest == ""
}

// Each command that asks for a session warns of it, once.
func TestClock_commands(t *testing.T) {
	t.Parallel()
	w := newClockWorld(t)
	file := filepath.Join(t.TempDir(), "credentials")
	for _, command := range [][]string{
		{"credential-process", "--cache", "off"},
		{"credential-process", "--cache", filepath.Join(t.TempDir(), "cache")},
		{"export"},
		{"update", "--once", "--file", file},
	} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			for _, leaf := range []string{"fresh", "long"} {
				code, _, stderr := w.run(t, noon().Add(-48*time.Hour), w.https, leaf, command...)
				if code != cli.ExitDone || strings.Count(stderr, "warning: this host's clock is 172800 seconds behind the service's: set the clock\n") != 1 {
					t.Errorf("%s: exit code %d\n%s", leaf, code, stderr)
				}
			}
		})
	}
}

// Without verification nothing that anyone answers makes a certificate good.
func TestClock_notVerified(t *testing.T) {
	t.Parallel()
	w := newClockWorld(t)
	code, stdout, stderr := w.run(t, noon().Add(-48*time.Hour), w.https, "fresh", "credential-process", "--cache", "off", "--no-verify-ssl")
	want := `kedge: error: *fresh.pem: certificate "CN=fresh" is not valid before 2026-11-29T11:59:00Z; it is 2026-11-27T12:00:00Z now; the service's time is not known: 127.0.0.1:* answered over a connection that is not verified, so that its time does not count
kedge: hint: check this host's clock; if it is right, wait, or have the certificate issued again
`
	if _, rest, _ := strings.Cut(stderr, "Use --ca-bundle instead\n"); code != cli.ExitKey || stdout != "" || !matches(rest, want) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
