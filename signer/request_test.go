package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/signer/keyfile"
)

// The vectors' requests; what they must become was made by openssl and by hand, see
// testdata/vectors/README.md.
var vectors = []struct {
	name, region, url, body string
	header                  http.Header
	intermediates           bool
}{
	{
		name: "rsa", region: "eu-west-1",
		url: "https://rolesanywhere.eu-west-1.amazonaws.com/sessions" +
			"?trustAnchorArn=arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/22222222-2222-2222-2222-222222222222" +
			"&profileArn=arn%3Aaws%3Arolesanywhere%3Aeu-west-1%3A123456789012%3Aprofile%2F11111111-1111-1111-1111-111111111111" +
			"&roleArn=arn:aws:iam::123456789012:role/backup",
		body:   `{"durationSeconds":3600}`,
		header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"kedge"}},
	},
	{
		name: "ecdsa", region: "us-east-1", url: "http://127.0.0.1:9911/sessions",
		body:   `{"profileArn":"arn:aws:rolesanywhere:us-east-1:123456789012:profile/p","roleArn":"arn:aws:iam::123456789012:role/r","trustAnchorArn":"arn:aws:rolesanywhere:us-east-1:123456789012:trust-anchor/t"}`,
		header: http.Header{"Content-Type": {"application/json"}},
	},
	{
		name: "chained", region: "us-gov-west-1", intermediates: true,
		url:    "https://rolesanywhere-fips.us-gov-west-1.amazonaws.com/a%20b/sessions?sp=a+b&c&a=2&%6b+%2b=%c3%bc%2fx&b=&a=1&tilde=%7E",
		header: http.Header{"X-Test": {"  one   two ", "three"}, "Connection": {"close"}, "X-Amz-Date": {"stale"}, "X-Amz-X509-Chain": {"stale"}},
	},
}

func vectorFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSign_knownAnswers(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			data := vectorFile(t, v.name+".pem")
			if v.intermediates {
				data += vectorFile(t, "inter1.pem") + vectorFile(t, "root.pem") + vectorFile(t, "inter2.pem")
			}
			certs, err := keyfile.ParseCertificates([]byte(data), nil)
			if err != nil {
				t.Fatal(err)
			}
			key, err := keyfile.ParsePrivateKey([]byte(vectorFile(t, v.name+".key.pem")), nil)
			if err != nil {
				t.Fatal(err)
			}
			id, err := NewIdentity(key, certs, certs[0].NotBefore.AddDate(1, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(v.url)
			if err != nil {
				t.Fatal(err)
			}
			r := Request{Method: "POST", URL: u, Header: v.header, Body: []byte(v.body)}
			headers, err := Sign(r, id, v.region, noon)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = without(r.Header, headers)
			unsigned := headers.Clone()
			unsigned.Del("Authorization")
			canonical, _ := canonicalRequest(r, unsigned)
			same(t, "canonical request", canonical, vectorFile(t, v.name+".canonical"))
			scope := noon.Format(dateOnly) + "/" + v.region + "/rolesanywhere/aws4_request"
			sts := stringToSign(id.Algorithm(), noon, scope, canonical)
			same(t, "string to sign", sts, vectorFile(t, v.name+".sts"))
			got, want := headers.Get("Authorization"), vectorFile(t, v.name+".authorization")
			if public, ok := key.Public().(*ecdsa.PublicKey); ok {
				got = verifyECDSA(t, public, sts, got)
				want = verifyECDSA(t, public, sts, want)
			}
			same(t, "Authorization", got, want)
		})
	}
}

// verifyECDSA checks the signature in an Authorization header and returns the rest of it.
func verifyECDSA(t *testing.T, public *ecdsa.PublicKey, sts, authorization string) string {
	t.Helper()
	rest, sig, _ := strings.Cut(authorization, "Signature=")
	der, err := hex.DecodeString(sig)
	digest := sha256.Sum256([]byte(sts))
	if err != nil || !ecdsa.VerifyASN1(public, digest[:], der) {
		t.Errorf("the signature in %q does not verify", authorization)
	}
	return rest
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func TestSign_mldsa(t *testing.T) {
	for _, params := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		key, err := mldsa.GenerateKey(params)
		if err != nil {
			t.Fatal(err)
		}
		leaf := mintFor(t, key, "leaf", mint(t, "root", nil, asCA))
		id, err := NewIdentity(key, []*x509.Certificate{leaf.Certificate}, noon)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Method: "POST", URL: &url.URL{Scheme: "http", Host: "h", Path: "/sessions"}}
		headers, err := Sign(r, id, "eu-west-1", noon)
		if err != nil {
			t.Fatal(err)
		}
		// By hand, from createsession's description: the raw string, pure, empty context.
		canonical := sha256.Sum256([]byte("POST\n/sessions\n\nhost:h\nx-amz-date:20261101T120000Z\nx-amz-x509:" + headers.Get("X-Amz-X509") +
			"\n\nhost;x-amz-date;x-amz-x509\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
		message := "AWS4-X509-MLDSA\n20261101T120000Z\n20261101/eu-west-1/rolesanywhere/aws4_request\n" + hex.EncodeToString(canonical[:])
		_, sig, _ := strings.Cut(headers.Get("Authorization"), "Signature=")
		raw, err := hex.DecodeString(sig)
		if err != nil {
			t.Fatal(err)
		}
		if err := mldsa.Verify(key.PublicKey(), []byte(message), raw, nil); err != nil {
			t.Errorf("%v: %v", params, err)
		}
	}
}

// strict is a key of another kind, as hardware has it: it honours only the contract of
// crypto.Signer and refuses all else.
type strict struct {
	crypto.Signer
	calls int
}

func (s *strict) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.calls++
	if r == nil || opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, errors.New("not what crypto.Signer promises")
	}
	return s.Signer.Sign(r, digest, opts)
}

func TestSign_anyCryptoSigner(t *testing.T) {
	leaf := mint(t, "leaf", nil)
	key := &strict{Signer: leaf.key}
	id, err := NewIdentity(key, []*x509.Certificate{leaf.Certificate}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(Request{Method: "POST", URL: &url.URL{Host: "h"}}, id, "r", noon); err != nil || key.calls != 1 {
		t.Errorf("%d calls, %v", key.calls, err)
	}
	broken := &Identity{key: failing{leaf.key}, algorithm: ECDSA, leaf: id.leaf}
	if _, err := Sign(Request{Method: "POST", URL: &url.URL{Host: "h"}}, broken, "r", noon); err == nil || err.Error() != `sign with the key of "CN=leaf": token pulled` {
		t.Errorf("got %v", err)
	}
}

type failing struct{ crypto.Signer }

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("token pulled")
}

// Sign must not change the request it is given: it is signed anew for each attempt.
func TestSign_leavesTheRequestAlone(t *testing.T) {
	leaf := mint(t, "leaf", nil)
	id, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate}, noon)
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Method: "POST", URL: &url.URL{Host: "h", RawQuery: "b&a"}, Header: http.Header{"X-Amz-Date": {"old"}}}
	if _, err := Sign(r, id, "r", noon); err != nil {
		t.Fatal(err)
	}
	if r.URL.RawQuery != "b&a" || len(r.Header) != 1 || r.Header.Get("X-Amz-Date") != "old" {
		t.Errorf("changed: %+v", r)
	}
}

// The canonical form of a canonical query is itself, and it says what the query said.
func FuzzCanonicalQuery(f *testing.F) {
	for _, s := range []string{"", "a=b", "b=1&a=2&a=1", "x=%2F&y=a+b", "%zz=1", "=&==", "ü=ß", "a;b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		once := canonicalQuery(raw)
		if twice := canonicalQuery(once); twice != once {
			t.Errorf("%q becomes %q, then %q", raw, once, twice)
		}
		want, err := url.ParseQuery(raw)
		if err != nil || strings.Contains(raw, "&&") || strings.HasPrefix(raw, "&") || strings.HasSuffix(raw, "&") {
			return
		}
		for _, values := range want {
			slices.SortFunc(values, func(a, b string) int { return strings.Compare(uriEncode(a), uriEncode(b)) })
		}
		got, err := url.ParseQuery(once)
		if err != nil || got.Encode() != want.Encode() {
			t.Errorf("%q: canonical %q holds %v, want %v (%v)", raw, once, got, want, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	leaf := mint(b, "leaf", nil)
	id, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate}, noon)
	if err != nil {
		b.Fatal(err)
	}
	u, err := url.Parse(vectors[0].url)
	if err != nil {
		b.Fatal(err)
	}
	r := Request{Method: "POST", URL: u, Header: vectors[0].header, Body: []byte(vectors[0].body)}
	for b.Loop() {
		if _, err := Sign(r, id, "eu-west-1", noon); err != nil {
			b.Fatal(err)
		}
	}
}

// Header names have no case, whatever form they are in: what Sign replaces is found, and
// what is there twice comes in the order in which it is sent.
func TestSign_headerNamesInAnyCase(t *testing.T) {
	leaf := mint(t, "leaf", nil)
	key := &recorded{Signer: leaf.key}
	id, err := NewIdentity(key, []*x509.Certificate{leaf.Certificate}, noon)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(h http.Header) string {
		if _, err := Sign(Request{Method: "POST", URL: &url.URL{Host: "h"}, Header: h}, id, "r", noon); err != nil {
			t.Fatal(err)
		}
		return key.digest
	}
	want := sign(http.Header{"X-Test": {"1", "2", "3"}})
	for range 20 {
		got := sign(http.Header{"x-amz-date": {"stale"}, "X-amz-x509-chain": {"stale"}, "AUTHORIZATION": {"stale"}, "x-test": {"3"}, "X-Test": {"2"}, "X-TEST": {"1"}})
		if got != want {
			t.Fatal("another signature for the same headers in another case")
		}
	}
}

// recorded remembers what was signed last.
type recorded struct {
	crypto.Signer
	digest string
}

func (r *recorded) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	r.digest = hex.EncodeToString(digest)
	return r.Signer.Sign(rand, digest, opts)
}

func TestTrimAll(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "  ": "", "a": "a", " a  b   c ": "a b c", "\ta\tb\t": "a\tb",
		"a\u00a0\u00a0b": "a\u00a0\u00a0b", "\u00a0a": "\u00a0a", "a\u2003b": "a\u2003b",
	} {
		if got := trimAll(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
