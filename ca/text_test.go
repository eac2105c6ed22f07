package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
)

// textAuthorities are CAs with every kind of key, also those that Roles Anywhere does not take.
func textAuthorities(t *testing.T) map[string]*Authority {
	t.Helper()
	all := map[string]*Authority{}
	add := func(kind string, key crypto.Signer, err error) {
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{Subject: pkix.Name{CommonName: kind}, IsCA: true}
		all[kind] = &Authority{cert: signed(t, template, template, key.Public(), key), key: key}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		add(curve.Params().Name, key, err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	add("RSA", rsaKey, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	add("Ed25519", edKey, err)
	return all
}

func TestSignText(t *testing.T) {
	for kind, a := range textAuthorities(t) {
		text := []byte("kedge test 1\nwhat is signed")
		signature, err := a.SignText(text)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := CheckText(a.Certificate(), text, signature); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := CheckText(a.Certificate(), append([]byte("kedge "), text...), signature); err == nil {
			t.Errorf("%s: another text verifies", kind)
		}
		signature[len(signature)-1] ^= 1
		if err := CheckText(a.Certificate(), text, signature); err == nil {
			t.Errorf("%s: another signature verifies", kind)
		}
		// What could be a certificate, which is DER, is not signed.
		for _, text := range []string{"", "\x30\x82", "Kedge x", string(a.Certificate().RawTBSCertificate)} {
			if _, err := a.SignText([]byte(text)); err == nil || !strings.Contains(err.Error(), "does not begin with the name of its format") {
				t.Errorf("%s: %.10q: %v", kind, text, err)
			}
			if err := CheckText(a.Certificate(), []byte(text), signature); err == nil {
				t.Errorf("%s: %.10q verifies", kind, text)
			}
		}
	}
}
