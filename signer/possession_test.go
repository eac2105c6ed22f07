package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kedge/signer/keyfile"
)

// vector is a signature that openssl made: see testdata/vectors/possession.sh.
type vector struct {
	Certificate, Key, Path, Audience, Body string
	Signature                              []byte
}

// possession reads a vector; key is the one that signed.
func (v vector) possession(t *testing.T) (p Possession, key crypto.Signer) {
	t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	certs, err := keyfile.ParseCertificates(read(v.Certificate), nil)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = keyfile.ParsePrivateKey(read(v.Key), nil); err != nil {
		t.Fatal(err)
	}
	p = Possession{Path: v.Path, Leaf: certs[0], Body: []byte(v.Body), At: noon}
	if _, err := hex.Decode(p.Audience[:], []byte(v.Audience)); err != nil {
		t.Fatal(err)
	}
	return p, key
}

func TestPossession_knownAnswers(t *testing.T) {
	for _, name := range []string{"rsa", "ecdsa", "mldsa44", "mldsa65", "mldsa87", "unenroll"} {
		t.Run(name, func(t *testing.T) {
			var v vector
			if err := json.Unmarshal([]byte(vectorFile(t, "possession-"+name+".json")), &v); err != nil {
				t.Fatal(err)
			}
			p, key := v.possession(t)
			if err := p.Verify(v.Signature); err != nil {
				t.Errorf("openssl's signature: %v", err)
			}
			own, err := p.Sign(key)
			if err != nil {
				t.Fatal(err)
			}
			if _, deterministic := key.(*rsa.PrivateKey); deterministic && !bytes.Equal(own, v.Signature) {
				t.Errorf("got signature %x, openssl's is %x", own, v.Signature)
			}
			if err := p.Verify(own); err != nil {
				t.Errorf("own signature: %v", err)
			}
		})
	}
}

// possessionKeys makes a key of each kind that hosts have.
func possessionKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	keys := map[string]crypto.Signer{}
	add := func(name string, key crypto.Signer, err error) {
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = key
	}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		add(curve.Params().Name, key, err)
	}
	for _, params := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		key, err := mldsa.GenerateKey(params)
		add(params.String(), key, err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	add("RSA-2048", key, err)
	return keys
}

// A signature is good for exactly what was signed, and for nothing that differs in one field.
func TestPossession_changed(t *testing.T) {
	for kind, key := range possessionKeys(t) {
		issuer := mint(t, "root", nil, asCA)
		leaf := mintFor(t, key, "web-01", issuer)
		signed := Possession{Path: "/v1/renew", Audience: [32]byte{1, 2, 3}, Leaf: leaf.Certificate, Body: []byte("request"), At: noon}
		signature, err := signed.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := signed.Verify(signature); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for change, of := range map[string]func(p *Possession){
			"path":           func(p *Possession) { p.Path = "/v1/unenroll" },
			"longer path":    func(p *Possession) { p.Path += "/" },
			"audience":       func(p *Possession) { p.Audience[31] ^= 1 },
			"no audience":    func(p *Possession) { p.Audience = [32]byte{} },
			"body":           func(p *Possession) { p.Body = []byte("request!") },
			"no body":        func(p *Possession) { p.Body = nil },
			"a second later": func(p *Possession) { p.At = p.At.Add(time.Second) },
			"a day earlier":  func(p *Possession) { p.At = p.At.AddDate(0, 0, -1) },
			"another leaf":   func(p *Possession) { p.Leaf = mintFor(t, key, "web-01", issuer).Certificate },
			"another key":    func(p *Possession) { p.Leaf = mint(t, "web-01", issuer).Certificate },
		} {
			changed := signed
			of(&changed)
			checkRefused(t, kind+", "+change, changed, signature)
		}
		for what, bad := range map[string][]byte{
			"none": nil, "one byte": {0}, "cut": signature[:len(signature)-1], "longer": append(bytes.Clone(signature), 0),
			"one bit": flip(signature), "zeros": make([]byte, len(signature)),
		} {
			checkRefused(t, kind+", signature "+what, signed, bad)
		}
	}
}

func flip(signature []byte) []byte {
	changed := bytes.Clone(signature)
	changed[len(changed)/2] ^= 1
	return changed
}

func checkRefused(t *testing.T, what string, p Possession, signature []byte) {
	t.Helper()
	if err := p.Verify(signature); !errors.As(err, new(*PossessionError)) {
		t.Errorf("%s: got %v, want a *PossessionError", what, err)
	}
}

// What a host signs for AWS is no possession, and the other way round, even for the same host, path,
// body and time.
func TestPossession_notForAWS(t *testing.T) {
	leaf := mint(t, "web-01", mint(t, "root", nil, asCA))
	id, err := NewIdentity(leaf.key, []*x509.Certificate{leaf.Certificate}, noon)
	if err != nil {
		t.Fatal(err)
	}
	p := Possession{Path: "/v1/renew", Audience: sha256.Sum256([]byte("root")), Leaf: leaf.Certificate, Body: []byte("request"), At: noon}
	r := Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: hex.EncodeToString(p.Audience[:]), Path: p.Path}, Body: p.Body}
	headers, err := Sign(r, id, possessionRegion, noon)
	if err != nil {
		t.Fatal(err)
	}
	var signature []byte
	if _, err := fmt.Sscanf(headers.Get("Authorization"), string(ECDSA)+" Credential="+leaf.SerialNumber.String()+
		"/20261101/ca/rolesanywhere/aws4_request, SignedHeaders=host;x-amz-date;x-amz-x509, Signature=%x", &signature); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, "a signature for AWS", p, signature)
}

func TestPossession_otherKey(t *testing.T) {
	leaf, other := mint(t, "web-01", nil), mint(t, "web-02", nil)
	p := Possession{Path: "/v1/renew", Leaf: leaf.Certificate, At: noon}
	if _, err := p.Sign(other.key); !errors.As(err, new(*KeyMismatchError)) {
		t.Errorf("got %v, want a *KeyMismatchError", err)
	}
	if _, err := p.Sign(&strict{Signer: leaf.key}); err != nil {
		t.Errorf("a key that only keeps the contract of crypto.Signer: %v", err)
	}
	if _, err := p.Sign(deadKey{leaf.key}); !errors.As(err, new(*SignError)) {
		t.Errorf("got %v, want a *SignError", err)
	}
}

// deadKey is a key that does not sign.
type deadKey struct{ crypto.Signer }

func (deadKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("gone")
}

func TestPossession_anotherZone(t *testing.T) {
	leaf := mint(t, "web-01", nil)
	p := Possession{Path: "/v1/renew", Leaf: leaf.Certificate, At: noon.Add(300 * time.Millisecond)}
	signature, err := p.Sign(leaf.key)
	if err != nil {
		t.Fatal(err)
	}
	p.At = noon.In(time.FixedZone("east", 5*3600))
	if err := p.Verify(signature); err != nil {
		t.Errorf("the same second in another zone: %v", err)
	}
}
