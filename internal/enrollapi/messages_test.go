package enrollapi

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/signer"
)

// The names of fields in JSON, as other programs see them.
func TestMessages(t *testing.T) {
	secret := secretOf(bytes.Repeat([]byte{7}, SecretSize))
	for want, message := range map[string]any{
		`{"token":{"id":"AQI=","secret":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"},"request":"Aw==","key_place":"tpm","version":"1.2.3"}`: &EnrollRequest{
			Token: TokenProof{ID: []byte{1, 2}, Secret: secret}, Request: []byte{3}, KeyPlace: InTPM, Version: "1.2.3"},
		`{"leaf":"AQ==","date":"20261101T120000Z","audience":"00ff","signature":"Ag==","request":"Aw==","key_place":"file","version":"1"}`: &RenewRequest{
			Proof: Proof{Leaf: []byte{1}, Date: "20261101T120000Z", Audience: "00ff", Signature: []byte{2}}, Request: []byte{3}, KeyPlace: InFile, Version: "1"},
		`{"leaf":"AQ==","date":"","audience":"","signature":"Ag=="}`: &UnenrollRequest{Proof{Leaf: []byte{1}, Signature: []byte{2}}},
		`{"certificate":"AQ==","bundle":["Ag=="],"name":"web-01","profile":"host","serial":"0a","renew":{"after":57600,"before":61200},` +
			`"aws":{"trust_anchor_arn":"t","profile_arn":"p","role_arn":"r","region":"eu-west-1"}}`: &Answer{
			Certificate: []byte{1}, Bundle: [][]byte{{2}}, Name: "web-01", Profile: "host", Serial: "0a", Renew: Window{57600, 61200},
			AWS: &AWS{"t", "p", "r", "eu-west-1"}},
		`{"bundle":["AQ=="],"audience":"00"}`: &CA{Bundle: [][]byte{{1}}, Audience: "00"},
		`{"code":"clock","message":"m"}`:      &Error{Code: Clock, Message: "m"},
	} {
		got, err := json.Marshal(message)
		if err != nil || string(got) != want {
			t.Errorf("got  %s (%v)\nwant %s", got, err, want)
		}
		read := reflect.New(reflect.TypeOf(message).Elem()).Interface()
		if err := Decode(strings.NewReader(strings.Replace(want, "{", `{"later":[1],`, 1)), read); err != nil || !reflect.DeepEqual(read, message) {
			t.Errorf("%s reads as %+v (%v)", want, read, err)
		}
	}
}

func TestDecode_bad(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want Code
	}{
		"empty": {"", BadRequest}, "spaces": {" \n", BadRequest}, "null": {"null", BadRequest}, "list": {"[]", BadRequest}, "cut": {`{"token":`, BadRequest},
		"two": {"{}{}", BadRequest}, "other type": {`{"request":3}`, BadRequest}, "not base64": {`{"request":"*"}`, BadRequest},
		"short secret": {`{"token":{"secret":"AQI="}}`, BadRequest}, "PEM": {"-----BEGIN", BadRequest},
		"large": {`{"request":"` + strings.Repeat("A", MaxBody) + `"}`, TooLarge},
		"deep":  {`{"x":` + strings.Repeat("[", 30000), BadRequest},
	} {
		err := Decode(strings.NewReader(test.body), &EnrollRequest{})
		if refusal, ok := errors.AsType[*Error](err); !ok || refusal.Code != test.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := Decode(brokenReader{}, &EnrollRequest{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

var errBroken = errors.New("broken")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

func TestProof(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web-01"}},
		&x509.Certificate{}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte("request")
	signed := signer.Possession{Path: PathRenew, Audience: [32]byte{9}, Leaf: leaf, Body: body, At: time.Date(2026, 11, 1, 12, 0, 0, 5, time.UTC)}
	proof, err := Prove(signed, key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := proof.Possession(PathRenew, leaf, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(proof.Signature); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Proof){
		"date": func(p *Proof) { p.Date = "2026-11-01" }, "no date": func(p *Proof) { p.Date = "" }, "offset": func(p *Proof) { p.Date = "20261101T120000+01" },
		"audience": func(p *Proof) { p.Audience = p.Audience[2:] }, "no audience": func(p *Proof) { p.Audience = "" }, "not hex": func(p *Proof) { p.Audience = "x" + p.Audience[1:] },
	} {
		changed := proof
		change(&changed)
		_, err := changed.Possession(PathRenew, leaf, body)
		if refusal, ok := errors.AsType[*Error](err); !ok || refusal.Code != BadRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCode_Status(t *testing.T) {
	for code, want := range map[Code]int{
		BadRequest: 400, BadToken: 401, TokenSpent: 403, Clock: 403, "of_a_later_version": 403, NotFound: 404, MethodNotAllowed: 405, TooLarge: 413,
		SlowDown: 429, Internal: 500, NotImplemented: 501, Overloaded: 503, Unavailable: 503,
	} {
		e := &Error{Code: code}
		if got := code.Status(); got != want || e.Temporary() != (want == http.StatusTooManyRequests || want >= 500 && code != NotImplemented) {
			t.Errorf("%s: status %d, temporary %t", code, got, e.Temporary())
		}
		if text := fmt.Sprint(e); !strings.Contains(text, string(code)) {
			t.Errorf("%q does not name the code", text)
		}
	}
}

// TestError_text: a refusal says its reason once, in words; the code stands for a reason that a server
// does not give.
func TestError_text(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  Error
		want string
	}{
		{Error{Code: Revoked, Message: "the certificate \"CN=a\" was revoked", Server: "ca"}, `ca refused: the certificate "CN=a" was revoked`},
		{Error{Code: TokenSpent, Message: "the token has been used", Server: "ca:8443"}, "ca:8443 refused: the token has been used"},
		{Error{Code: Denied, Message: "the CA no longer gives certificates to \"a\""}, `the enrollment server refused: the CA no longer gives certificates to "a"`},
		{Error{Code: TokenSpent, Server: "ca"}, "ca refused: token_spent"},
		{Error{Code: "new_code", Server: "ca"}, "ca refused: new_code"},
		{Error{Code: "new_code", Message: "words", Server: "ca"}, "ca refused: words"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
