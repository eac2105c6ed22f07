package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rootConfig is a root that breaks no rule. One with a key ML-DSA-87 cannot be registered.
func rootConfig(lifetime time.Duration) AuthorityConfig {
	return AuthorityConfig{
		Subject: pkix.Name{CommonName: "Test CA"}, Lifetime: lifetime, MaxPathLen: -1, AllowWarnings: []string{"anchor-size"},
	}
}

func newRoot(t testing.TB, lifetime time.Duration) *Authority {
	t.Helper()
	return rootFor(t, newKey(t), lifetime)
}

func rootFor(t testing.TB, key crypto.Signer, lifetime time.Duration) *Authority {
	t.Helper()
	return rootAt(t, key, lifetime, noon)
}

func rootAt(t testing.TB, key crypto.Signer, lifetime time.Duration, now time.Time) *Authority {
	t.Helper()
	prepared, err := PrepareRoot(key, rootConfig(lifetime), now)
	if err != nil {
		t.Fatal(err)
	}
	root, err := New(issue(t, prepared), key)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// below makes an intermediate CA.
func below(t testing.TB, a *Authority, key crypto.Signer, c AuthorityConfig) *Authority {
	t.Helper()
	prepared, err := a.PrepareCA(key.Public(), c, noon)
	if err != nil {
		t.Fatal(err)
	}
	child, err := New(issue(t, prepared), key, a.path()...)
	if err != nil {
		t.Fatal(err)
	}
	return child
}

func issue(t testing.TB, p *Prepared) *x509.Certificate {
	t.Helper()
	cert, err := p.Issue(t.Context(), Unrecorded{})
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func leafOf(t testing.TB, a *Authority, p *Profile, r Request) *x509.Certificate {
	t.Helper()
	prepared, err := a.PrepareLeaf(p, r, noon)
	if err != nil {
		t.Fatal(err)
	}
	return issue(t, prepared)
}

func TestPrepareRoot(t *testing.T) {
	t.Parallel()
	c := newRoot(t, time.Hour).Certificate()
	if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign ||
		c.Version != 3 || c.Subject.CommonName != "Test CA" || len(c.SubjectKeyId) != 20 || c.MaxPathLen != -1 {
		t.Errorf("root: %+v", c)
	}
	if err := c.CheckSignatureFrom(c); err != nil {
		t.Error(err)
	}
}

func TestPrepareLeaf(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 10*time.Hour)
	c := leafOf(t, root, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public(), Lifetime: time.Hour})
	if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || c.Version != 3 || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("leaf: %+v", c)
	}
	if !bytes.Equal(c.AuthorityKeyId, root.Certificate().SubjectKeyId) || len(c.SubjectKeyId) != 20 ||
		c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 129 || c.SerialNumber.BitLen() < 64 {
		t.Errorf("AKI %x, SKI %x, serial %v", c.AuthorityKeyId, c.SubjectKeyId, c.SerialNumber)
	}
	if !c.NotBefore.Equal(noon.Add(-5*time.Minute)) || !c.NotAfter.Equal(noon.Add(time.Hour)) {
		t.Errorf("valid %v to %v", c.NotBefore, c.NotAfter)
	}
}

func TestPrepareLeaf_neverOutlivesTheCA(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	c := leafOf(t, root, DefaultProfile(), Request{Name: "x", Public: newKey(t).Public(), Lifetime: 24 * time.Hour})
	if !c.NotAfter.Equal(root.Certificate().NotAfter) || c.NotBefore.Before(root.Certificate().NotBefore) {
		t.Errorf("%v to %v", c.NotBefore, c.NotAfter)
	}
	for _, at := range []time.Time{noon.Add(-time.Hour), noon.Add(2 * time.Hour)} {
		_, err := root.PrepareLeaf(DefaultProfile(), Request{Name: "x", Public: newKey(t).Public(), Lifetime: time.Hour}, at)
		want := `the CA certificate "CN=Test CA" is valid from 2026-11-01T11:55:00Z to 2026-11-01T13:00:00Z; it is ` + at.Format(time.RFC3339) + " now"
		if _, ok := errors.AsType[*ValidityError](err); !ok || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
