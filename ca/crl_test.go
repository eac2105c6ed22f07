package ca

import (
	"crypto"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/emulator"
	"kedge/internal/testenv"
)

func weekly(number int64) CRLConfig {
	return CRLConfig{Number: big.NewInt(number), ThisUpdate: noon, NextUpdate: noon.Add(7 * 24 * time.Hour)}
}

// rootOf is a root with a key of another type than P-256.
func rootOf(t testing.TB, key crypto.Signer) *Authority {
	t.Helper()
	return rootFor(t, key, 30*24*time.Hour)
}

func serials(n int) []Revocation {
	revoked := make([]Revocation, n)
	for i := range revoked {
		serial := new(big.Int).Lsh(big.NewInt(int64(i)+1), 100)
		revoked[i] = Revocation{Serial: serial.SetBit(serial, 127, 1), At: noon.Add(-time.Duration(i) * time.Second), Reason: Superseded}
	}
	return revoked
}

func TestCRL(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mlKey, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{newKey(t), rsaKey, mlKey} {
		root := rootOf(t, key)
		var revoked []Revocation
		for i, reason := range Reasons() {
			if reason != RemoveFromCRL {
				revoked = append(revoked, Revocation{big.NewInt(int64(100 - i)), noon.Add(-time.Hour), reason})
			}
		}
		der, err := root.CRL(revoked, weekly(7))
		if err != nil {
			t.Fatal(err)
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := list.CheckSignatureFrom(root.Certificate()); err != nil {
			t.Error(err)
		}
		if list.Number.Int64() != 7 || string(list.AuthorityKeyId) != string(root.Certificate().SubjectKeyId) || !list.NextUpdate.Equal(weekly(7).NextUpdate) || !list.ThisUpdate.Equal(noon) {
			t.Errorf("%+v", list)
		}
		if len(list.RevokedCertificateEntries) != len(revoked) {
			t.Fatalf("%d entries, want %d", len(list.RevokedCertificateEntries), len(revoked))
		}
		for i, e := range list.RevokedCertificateEntries {
			if r := revoked[i]; e.SerialNumber.Cmp(r.Serial) != 0 || e.ReasonCode != int(r.Reason) || !e.RevocationTime.Equal(r.At) {
				t.Errorf("entry %d is %+v, want %+v", i, e, r)
			}
			if n := len(e.Extensions); (n > 0) != (e.ReasonCode != 0) {
				t.Errorf("reason %d has %d extensions", e.ReasonCode, n)
			}
		}
	}
}

func TestCRL_delta(t *testing.T) {
	root := rootOf(t, newKey(t))
	c := weekly(8)
	c.BaseNumber = big.NewInt(7)
	der, err := root.CRL([]Revocation{{big.NewInt(5), noon, RemoveFromCRL}}, c)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	var base *big.Int
	for _, ext := range list.Extensions {
		if ext.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 27}) && ext.Critical {
			if _, err := asn1.Unmarshal(ext.Value, &base); err != nil {
				t.Fatal(err)
			}
		}
	}
	if base == nil || base.Int64() != 7 || list.Number.Int64() != 8 || list.RevokedCertificateEntries[0].ReasonCode != 8 {
		t.Errorf("base %v, %+v", base, list)
	}
}

// The clock of the machine that revoked may be ahead; the revocation must still get out.
func TestCRL_revokedInTheFuture(t *testing.T) {
	der, err := rootOf(t, newKey(t)).CRL([]Revocation{{big.NewInt(5), noon.Add(time.Minute), KeyCompromise}}, weekly(7))
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil || !list.RevokedCertificateEntries[0].RevocationTime.Equal(noon) {
		t.Errorf("%+v, %v", list.RevokedCertificateEntries, err)
	}
}

func TestCRL_refuses(t *testing.T) {
	root := rootOf(t, newKey(t))
	one := []Revocation{{big.NewInt(5), noon, KeyCompromise}}
	with := func(change func(*CRLConfig)) CRLConfig {
		c := weekly(7)
		change(&c)
		return c
	}
	tests := map[string]struct {
		revoked []Revocation
		config  CRLConfig
		want    string
	}{
		"no number":      {one, with(func(c *CRLConfig) { c.Number = nil }), "the CRL number is <nil>; it must be positive and at most 20 bytes"},
		"number 0":       {one, with(func(c *CRLConfig) { c.Number = big.NewInt(0) }), "the CRL number is 0"},
		"21 bytes":       {one, with(func(c *CRLConfig) { c.Number = new(big.Int).Lsh(big.NewInt(1), 159) }), "at most 20 bytes"},
		"base not below": {one, with(func(c *CRLConfig) { c.BaseNumber = big.NewInt(7) }), "the delta CRL 7 is based on 7"},
		"inverted":       {one, with(func(c *CRLConfig) { c.NextUpdate = noon.Add(-time.Hour) }), "and its next update, 2026-11-01T11:00:00Z, is not later"},
		"no second":      {one, with(func(c *CRLConfig) { c.NextUpdate = c.ThisUpdate.Add(time.Millisecond) }), "is not later"},
		"no next update": {one, with(func(c *CRLConfig) { c.NextUpdate = time.Time{} }), "is not later"},
		"expired CA": {one, with(func(c *CRLConfig) {
			c.ThisUpdate = noon.Add(365 * 24 * time.Hour)
			c.NextUpdate = c.ThisUpdate.Add(1e9)
		}), "is valid from"},
		"serial twice":    {append(one, one...), weekly(7), "the serial number 5 is twice in the CRL"},
		"no serial":       {[]Revocation{{nil, noon, 1}}, weekly(7), "a revocation has no serial number"},
		"serial 0":        {[]Revocation{{new(big.Int), noon, 1}}, weekly(7), "the revoked serial number is 0; it must be positive"},
		"no time":         {[]Revocation{{big.NewInt(255), time.Time{}, 1}}, weekly(7), "the revocation of ff has no time"},
		"unknown reason":  {[]Revocation{{big.NewInt(5), noon, 7}}, weekly(7), "has the reason 7, which RFC 5280 does not know"},
		"remove from all": {[]Revocation{{big.NewInt(5), noon, RemoveFromCRL}}, weekly(7), "which only a delta CRL can give"},
	}
	for name, tt := range tests {
		if der, err := root.CRL(tt.revoked, tt.config); der != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := root.CRL(one, tests["expired CA"].config)
	if _, ok := errors.AsType[*ValidityError](err); !ok {
		t.Errorf("%T", err)
	}
}

// An adopted CA may lack what CRLs need.
func TestCRL_refusesTheCA(t *testing.T) {
	o := newOpenSSL(t)
	for extensions, want := range map[string]string{
		"keyUsage=critical,keyCertSign": "lacks the key usage cRLSign",
		"subjectKeyIdentifier=none":     "lacks the subject key identifier",
	} {
		_, cert := o.sign(opensslCert{extensions: extensions}, caExtensions, nil)
		if _, err := (&Authority{cert: cert}).CRL(nil, weekly(7)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", extensions, err)
		}
	}
}

// openssl and gnutls parse and verify the CRL.
func TestCRL_peers(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	root := rootAt(t, newKey(t), 30*24*time.Hour, now)
	c := CRLConfig{Number: big.NewInt(17), ThisUpdate: now, NextUpdate: now.Add(7 * 24 * time.Hour)}
	revoked := []Revocation{{big.NewInt(0xabcdef), now, KeyCompromise}, {big.NewInt(0x1234), now, Unspecified}, {big.NewInt(0x77), now, CertificateHold}}
	write := func(name, label string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.pem", "CERTIFICATE", root.Certificate().Raw)
	full, err := root.CRL(revoked, c)
	if err != nil {
		t.Fatal(err)
	}
	write("full.crl", "X509 CRL", full)
	c.Number, c.BaseNumber = big.NewInt(18), big.NewInt(17)
	delta, err := root.CRL([]Revocation{{big.NewInt(0x77), now, RemoveFromCRL}}, c)
	if err != nil {
		t.Fatal(err)
	}
	write("delta.crl", "X509 CRL", delta)
	for name, wants := range map[string][]string{
		"full.crl":  {"Version 2 (0x1)", "X509v3 CRL Number: \n                17", "Serial Number: ABCDEF", "Key Compromise", "Certificate Hold", "X509v3 Authority Key Identifier"},
		"delta.crl": {"X509v3 Delta CRL Indicator: critical\n                17", "X509v3 CRL Number: \n                18", "Remove From CRL"},
	} {
		// It succeeds in any case, and says on stderr whether the signature is right.
		cmd := exec.Command(testenv.Tool(t, "openssl"), "crl", "-in", name, "-text", "-noout", "-verify", "-CAfile", "ca.pem")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		text := string(out)
		for _, want := range append(wants, "verify OK") {
			if !strings.Contains(text, want) {
				t.Errorf("openssl: %s lacks %q:\n%s", name, want, text)
			}
		}
	}
	text := string(testenv.Run(t, dir, "certtool", "--crl-info", "--infile", "full.crl"))
	for _, want := range []string{"Version: 2", "CRL Number (not critical): 11", "Revoked certificates (3):", "Authority Key Identifier (not critical)"} {
		if !strings.Contains(text, want) {
			t.Errorf("certtool lacks %q:\n%s", want, text)
		}
	}
	testenv.Run(t, dir, "certtool", "--verify-crl", "--load-ca-certificate", "ca.pem", "--infile", "full.crl")
}

// The emulator takes a full CRL of its anchor, and no delta.
func TestCRL_emulator(t *testing.T) {
	root := rootOf(t, newKey(t))
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw})
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: text}}, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	c := weekly(2)
	der, err := root.CRL(serials(10), c)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := e.ImportCRL(e.TrustAnchorARN(), der); err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	c.BaseNumber = big.NewInt(1)
	if der, err = root.CRL(serials(1), c); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ImportCRL(e.TrustAnchorARN(), der); err == nil || !strings.Contains(err.Error(), "a delta or partial list") {
		t.Errorf("a delta: %v", err)
	}
}

func BenchmarkCRL_6000(b *testing.B) {
	root, revoked := rootOf(b, newKey(b)), serials(6000)
	for b.Loop() {
		if _, err := root.CRL(revoked, weekly(7)); err != nil {
			b.Fatal(err)
		}
	}
}
