package emulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
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
	list := func(issuer *authority, serial *big.Int) []byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: testNow.Add(-time.Hour), NextUpdate: testNow.Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: testNow}},
		}, issuer.cert, issuer.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	send(t, w.e, newCraft(w.e, direct).sign(t).wire()).created(t)
	if err := w.e.ImportCRL(w.e.TrustAnchorARN(), list(w.lower, direct.cert.SerialNumber)); err == nil {
		t.Error("a CRL of an intermediate was imported")
	}
	if err := w.e.ImportCRL("", list(w.root, direct.cert.SerialNumber)); err != nil {
		t.Fatal(err)
	}
	if got := send(t, w.e, newCraft(w.e, direct).sign(t).wire()).String(); got != revokedAnswer {
		t.Errorf("answer %s, want %s", got, revokedAnswer)
	}
	// The same serial number of another issuer is somebody else.
	send(t, w.e, w.craft().sign(t).wire()).created(t)
	if err := w.e.ImportCRL(w.e.TrustAnchorARN(), list(w.root, w.upper.cert.SerialNumber)); err != nil {
		t.Fatal(err)
	}
	if got := send(t, w.e, w.craft().sign(t).wire()).String(); got != revokedAnswer {
		t.Errorf("revoked intermediate: answer %s, want %s", got, revokedAnswer)
	}
	if err := w.e.ImportCRL(w.e.TrustAnchorARN(), list(w.root, big.NewInt(7))); err == nil || !strings.Contains(err.Error(), "2 CRLs already") {
		t.Errorf("third CRL: %v", err)
	}
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
