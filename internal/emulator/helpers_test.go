package emulator

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// testNow is the clock of the tests.
var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// authority is a CA of the tests, or with isCA false a leaf.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: testNow.Add(-24 * time.Hour), NotAfter: testNow.Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(0x5EC2E7), Subject: pkix.Name{CommonName: "web-1", Organization: []string{"Example"}},
		NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		DNSNames: []string{"web-1.example.com"},
	}
}

// newRoot makes a self-signed CA.
func newRoot(t testing.TB, template *x509.Certificate) *authority {
	t.Helper()
	key := newKey(t)
	return (&authority{cert: template, key: key}).issueFor(t, template, key)
}

func (a *authority) issue(t testing.TB, template *x509.Certificate) *authority {
	t.Helper()
	return a.issueFor(t, template, newKey(t))
}

func (a *authority) issueFor(t testing.TB, template *x509.Certificate, key crypto.Signer) *authority {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// newEmulator makes an emulator that trusts root, at testNow.
func newEmulator(t testing.TB, root *authority, change ...func(*Config)) *Emulator {
	t.Helper()
	c := Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem()}}, Now: func() time.Time { return testNow }, Log: testLog{t}}
	for _, f := range change {
		f(&c)
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flush(t, e) }) // before the folder is removed
	return e
}

func flush(t testing.TB, e *Emulator) {
	t.Helper()
	if err := e.Flush(context.Background()); err != nil {
		t.Error(err)
	}
}

type testLog struct{ testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.TB.Helper()
	l.TB.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// craft is a CreateSession request in the making. It has its own idea of SigV4, written for
// these tests, which takes everything as it is given: a test can get every part wrong.
type craft struct {
	method, path, query                            string
	headers                                        [][2]string
	body                                           string
	key                                            crypto.Signer
	algorithm, serial, day, region, service, ender string
	signed                                         []string // nil: all headers
	hash                                           string   // of the body, as signed; "" is the real one
	canonical                                      string   // filled by sign
}

// newCraft is a request that is right.
func newCraft(e *Emulator, leaf *authority, chain ...*x509.Certificate) *craft {
	c := &craft{
		method: "POST", path: "/sessions", key: leaf.key, algorithm: algorithmFor(leaf.key),
		serial: leaf.cert.SerialNumber.String(), day: "20261121", region: e.Region(), service: "rolesanywhere", ender: "aws4_request",
		body: fmt.Sprintf(`{"durationSeconds":900,"profileArn":%q,"roleArn":%q,"trustAnchorArn":%q}`, e.ProfileARN(), e.RoleARN(), e.TrustAnchorARN()),
		headers: [][2]string{
			{"Host", "127.0.0.1:8080"}, {"Content-Type", "application/json"}, {"X-Amz-Date", "20261121T120000Z"},
			{"X-Amz-X509", base64.StdEncoding.EncodeToString(leaf.cert.Raw)},
		},
	}
	if len(chain) > 0 {
		var parts []string
		for _, cert := range chain {
			parts = append(parts, base64.StdEncoding.EncodeToString(cert.Raw))
		}
		c.headers = append(c.headers, [2]string{"X-Amz-X509-Chain", strings.Join(parts, ",")})
	}
	return c
}

func algorithmFor(key crypto.Signer) string {
	switch key.(type) {
	case *rsa.PrivateKey:
		return "AWS4-X509-RSA-SHA256"
	case *mldsa.PrivateKey:
		return "AWS4-X509-MLDSA"
	}
	return "AWS4-X509-ECDSA-SHA256"
}

func (c *craft) get(name string) string {
	for _, h := range c.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

func (c *craft) set(name, value string) {
	for i, h := range c.headers {
		if h[0] == name {
			c.headers[i][1] = value
			return
		}
	}
	c.headers = append(c.headers, [2]string{name, value})
}

func (c *craft) del(name string) {
	c.headers = slices.DeleteFunc(c.headers, func(h [2]string) bool { return h[0] == name })
}

// replace changes text inside a header.
func (c *craft) replace(name, from, to string) {
	c.set(name, strings.Replace(c.get(name), from, to, 1))
}

// stringToSign builds what is signed from the parts.
func (c *craft) stringToSign() string {
	names := c.signed
	if names == nil {
		for _, h := range c.headers {
			names = append(names, strings.ToLower(h[0]))
		}
		slices.Sort(names)
		names = slices.Compact(names)
		c.signed = names
	}
	lines := ""
	for _, name := range names {
		var values []string
		for _, h := range c.headers {
			if strings.EqualFold(h[0], name) {
				values = append(values, h[1])
			}
		}
		lines += name + ":" + strings.Join(values, ",") + "\n"
	}
	hash := c.hash
	if hash == "" {
		hash = hexSHA256(c.body)
	}
	c.canonical = c.method + "\n" + c.path + "\n" + c.query + "\n" + lines + "\n" + strings.Join(names, ";") + "\n" + hash
	return c.algorithm + "\n" + c.get("X-Amz-Date") + "\n" + c.scope() + "\n" + hexSHA256(c.canonical)
}

func (c *craft) scope() string {
	return strings.Join([]string{c.day, c.region, c.service, c.ender}, "/")
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// sign adds the Authorization header.
func (c *craft) sign(t testing.TB) *craft {
	t.Helper()
	message := []byte(c.stringToSign())
	var signature []byte
	var err error
	if _, pure := c.key.(*mldsa.PrivateKey); pure {
		signature, err = c.key.Sign(rand.Reader, message, &mldsa.Options{})
	} else {
		digest := sha256.Sum256(message)
		signature, err = c.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.authorize(hex.EncodeToString(signature))
	return c
}

func (c *craft) authorize(signature string) {
	c.set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", c.algorithm, c.serial, c.scope(), strings.Join(c.signed, ";"), signature))
}

// wire is the request as bytes.
func (c *craft) wire() string {
	var b strings.Builder
	target := c.path
	if c.query != "" {
		target += "?" + c.query
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", c.method, target)
	for _, h := range c.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
	return b.String()
}

// answer is what came back.
type answer struct {
	status        int
	code, message string
	body          []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s: %s", a.status, a.code, a.message) }

// send gives raw bytes to the handler, parsed by net/http as a server would.
func send(t testing.TB, e *Emulator, wire string) answer {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:5555"
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, r)
	a := answer{status: w.Code, code: w.Header().Get("X-Amzn-ErrorType"), body: w.Body.Bytes()}
	if a.code != "" {
		var m map[string]string
		if err := json.Unmarshal(a.body, &m); err != nil {
			t.Fatalf("the error's body: %v: %s", err, a.body)
		}
		a.message = m["message"]
	}
	return a
}

// created is the success answer.
type created struct {
	CredentialSet []struct {
		AssumedRoleUser struct{ Arn, AssumedRoleID string }
		Credentials     struct {
			AccessKeyID, SecretAccessKey, SessionToken string
			Expiration                                 time.Time
		}
		PackedPolicySize        int
		RoleArn, SourceIdentity string
	}
	SubjectArn string
}

func (a answer) created(t testing.TB) created {
	t.Helper()
	var c created
	if a.status != http.StatusCreated {
		t.Fatalf("answer %s, want 201", a)
	}
	if err := json.Unmarshal(bytes.TrimSpace(a.body), &c); err != nil || len(c.CredentialSet) != 1 {
		t.Fatalf("%v: %s", err, a.body)
	}
	return c
}

// uriEncoded encodes s as SigV4 does, for a query.
func uriEncoded(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
