package emulator

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestCreateSession_revoked(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	direct := w.root.issue(t, leafTemplate())
	send(t, w.e, newCraft(w.e, direct).sign(t).wire()).created(t)
	if _, err := w.e.ImportCRL(w.e.TrustAnchorARN(), newCRL(t, w.lower, direct.cert.SerialNumber)); err == nil {
		t.Error("a CRL of an intermediate was imported")
	}
	if _, err := w.e.ImportCRL("", newCRL(t, w.root, direct.cert.SerialNumber)); err != nil {
		t.Fatal(err)
	}
	if got := send(t, w.e, newCraft(w.e, direct).sign(t).wire()).String(); got != revokedAnswer {
		t.Errorf("answer %s, want %s", got, revokedAnswer)
	}
	// The same serial number of another issuer is another certificate.
	send(t, w.e, w.craft().sign(t).wire()).created(t)
	if _, err := w.e.ImportCRL(w.e.TrustAnchorARN(), newCRL(t, w.root, w.upper.cert.SerialNumber)); err != nil {
		t.Fatal(err)
	}
	if got := send(t, w.e, w.craft().sign(t).wire()).String(); got != revokedAnswer {
		t.Errorf("revoked intermediate: answer %s, want %s", got, revokedAnswer)
	}
	if _, err := w.e.ImportCRL(w.e.TrustAnchorARN(), newCRL(t, w.root, big.NewInt(7))); err == nil || !strings.Contains(err.Error(), "2 CRLs already") {
		t.Errorf("third CRL: %v", err)
	}
}

func TestImportCRL_eachAnchorOfItsCA(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root, func(c *Config) {
		c.TrustAnchors = []TrustAnchor{{Certificates: root.pem()}, {Certificates: newRoot(t, caTemplate("Root")).pem()}, {Certificates: root.pem()}}
	})
	leaf := root.issue(t, leafTemplate())
	names, err := e.ImportCRL("", newCRL(t, root, leaf.cert.SerialNumber))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		c := newCraft(e, leaf)
		c.body = strings.Replace(c.body, e.TrustAnchorARN(), name, 1)
		if got := send(t, e, c.sign(t).wire()).String(); got != revokedAnswer {
			t.Errorf("%s: answer %s, want %s", name, got, revokedAnswer)
		}
	}
}

func TestImportCRL_refused(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	list := newCRL(t, root, big.NewInt(7))
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"two in one PEM":         {bytes.Repeat(text, 2), "more than one CRL"},
		"two in DER":             {bytes.Repeat(list, 2), "more than one CRL"},
		"broken second block":    {append(bytes.Clone(text), text[:len(text)-10]...), "a broken block"},
		"too big as it is given": {append(bytes.Repeat([]byte("\n"), 300_000), text...), "300000 is the most"},
		"another block":          {root.pem(), `a block "CERTIFICATE", not "X509 CRL" alone`},
		"another CA's":           {newCRL(t, newRoot(t, caTemplate("Root")), big.NewInt(7)), "not signed by the CA of a trust anchor"},
	} {
		if names, err := newEmulator(t, root).ImportCRL("", tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %s", name, names, err, tt.want)
		}
	}
}

func newCRL(t testing.TB, issuer *authority, serial *big.Int) []byte {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: testNow.Add(-time.Hour), NextUpdate: testNow.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: testNow}},
	}, issuer.cert, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// RSA, with the padding that no algorithm here has.
func TestCreateSession_pss(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := newCraft(w.e, w.root.issueFor(t, leafTemplate(), key))
	digest := sha256.Sum256([]byte(c.stringToSign()))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	c.authorize(fmt.Sprintf("%x", signature))
	if got := send(t, w.e, c.wire()).String(); got != invalidSignature {
		t.Errorf("answer %s, want %s", got, invalidSignature)
	}
}
