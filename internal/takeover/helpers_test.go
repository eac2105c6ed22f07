package takeover

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testCA makes certificates and lists.
type testCA struct {
	tb   testing.TB
	key  crypto.Signer
	cert *x509.Certificate
	leaf crypto.Signer // of all leaves
	now  time.Time
}

func newTestCA(tb testing.TB) *testCA {
	tb.Helper()
	c := &testCA{tb: tb, key: newKey(tb), leaf: newKey(tb), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	c.cert = c.root("Test CA")
	return c
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// root makes a certificate of the CA itself.
func (c *testCA) root(name string) *x509.Certificate {
	c.tb.Helper()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: c.now.AddDate(-1, 0, 0), NotAfter: c.now.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, c.key.Public(), c.key)
	if err != nil {
		c.tb.Fatal(err)
	}
	return c.parse(der)
}

// issue makes a leaf in DER.
func (c *testCA) issue(serial int64, name string) []byte {
	c.tb.Helper()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: c.now.AddDate(0, -1, 0), NotAfter: c.now.AddDate(0, 1, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, c.leaf.Public(), c.key)
	if err != nil {
		c.tb.Fatal(err)
	}
	return der
}

// crl makes a list in DER.
func (c *testCA) crl(number int64, change func(*x509.RevocationList), entries ...x509.RevocationListEntry) []byte {
	c.tb.Helper()
	t := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: c.now, NextUpdate: c.now.AddDate(0, 0, 7), RevokedCertificateEntries: entries}
	if change != nil {
		change(t)
	}
	der, err := x509.CreateRevocationList(rand.Reader, t, c.cert, c.key)
	if err != nil {
		c.tb.Fatal(err)
	}
	return der
}

func (c *testCA) parse(der []byte) *x509.Certificate {
	c.tb.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		c.tb.Fatal(err)
	}
	return cert
}

func entry(serial int64, at time.Time, reason int) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: at, ReasonCode: reason}
}

func toPEM(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func writeFiles(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

func readCert(tb testing.TB, path string) *x509.Certificate {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	data = data[bytes.Index(data, []byte("-----BEGIN")):]
	block, _ := pem.Decode(data)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		tb.Fatal(err)
	}
	return cert
}

func certs(c ...*x509.Certificate) []*x509.Certificate { return c }

func read(tb testing.TB, s Sources) ([]Item, Summary) {
	tb.Helper()
	var items []Item
	sum, err := Read(context.Background(), s, func(i Item) error {
		items = append(items, i)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return items, sum
}

// describe writes each item as "SERIAL SUBJECT [REASON] [without certificate]".
func describe(items []Item) []string {
	var out []string
	for _, i := range items {
		text := fmt.Sprintf("%x ", i.Serial)
		if i.Certificate != nil {
			text += i.Certificate.Subject.String()
		} else {
			text += i.Subject
		}
		if i.Revoked != nil {
			text += " " + i.Revoked.Reason.String()
		}
		if i.Certificate == nil {
			text += " without certificate"
		}
		out = append(out, text)
	}
	return out
}
