package keyfile_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"kedge/internal/testenv"
	"kedge/signer/keyfile"
)

// FuzzPEMBundle: what parses is written again as plain PEM that parses to the same, and what is said
// of the rest holds no words of a parser.
func FuzzPEMBundle(f *testing.F) {
	x := newFixtures(f)
	legacy := x.openssl("pkey", "-in", "key.pem", "-traditional", "-aes128", "-passout", "pass:secret")
	f.Add(join(x.key, x.cert))
	f.Add(x.certDER)
	f.Add(x.keyDER)
	f.Add(legacy)
	f.Add(readFile(f, testenv.Root(f)+"/signer/testdata/keys/rfc9881/ml-dsa-44-key-both.pem"))
	f.Add(readFile(f, testenv.Root(f)+"/signer/testdata/keys/rsa-2048.pem"))
	for _, encoding := range testenv.Encodings() {
		f.Add(join(encoding.Of("CERTIFICATE", x.certDER), encoding.Of("PRIVATE KEY", x.keyDER)))
		f.Add(encoding.Of("CERTIFICATE", x.certDER))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := keyfile.Parse(data, nil)
		noRawText(t, err)
		if err != nil {
			return
		}
		for _, u := range found.Unreadable {
			noRawText(t, errors.New(u.String()))
		}
		again, err := keyfile.Parse(encodeAll(t, found), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Keys) != len(found.Keys) || len(again.Certificates) != len(found.Certificates) {
			t.Fatal("not the same number")
		}
		for i, cert := range found.Certificates {
			if !bytes.Equal(cert.Raw, again.Certificates[i].Raw) {
				t.Fatal("another certificate")
			}
		}
	})
}

func noRawText(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, raw := range []string{"asn1:", "x509:", "<nil>", "illegal base64"} {
		if strings.Contains(err.Error(), raw) {
			t.Fatalf("words of a parser: %v", err)
		}
	}
}

func encodeAll(t *testing.T, found *keyfile.Material) []byte {
	t.Helper()
	var out []byte
	for _, key := range found.Keys {
		switch key.(type) {
		case *rsa.PrivateKey, *ecdsa.PrivateKey, *mldsa.PrivateKey:
		default: // an expanded ML-DSA key, which is not written
			t.Skip()
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	for _, cert := range found.Certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}
