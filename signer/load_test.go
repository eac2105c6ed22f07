package signer

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"testing"
	"time"

	"kedge/internal/pkcs8"
)

func sealedPEM(t *testing.T, m *minted) []byte {
	t.Helper()
	block, _ := pem.Decode(keyPEM(t, m))
	sealed, err := pkcs8.Encrypt(block.Bytes, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: sealed})
}

// A key beside certificates does not matter when another input has the key: hosts keep all
// sorts of things in one file.
func TestLoad_keyBesideTheCertificate(t *testing.T) {
	ca := mint(t, "ca", mint(t, "root", nil, asCA), asCA)
	leaf, other := mint(t, "leaf", ca), mint(t, "other", ca)
	for name, beside := range map[string][]byte{
		"encrypted":   sealedPEM(t, other),
		"another":     keyPEM(t, other),
		"damaged":     []byte("-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----\n"),
		"unsupported": []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nb3A=\n-----END OPENSSH PRIVATE KEY-----\n"),
	} {
		t.Run(name, func(t *testing.T) {
			id, err := Load(Files{
				Certificate:   Bytes("c", append(bytes.Clone(beside), certPEM(leaf)...)),
				PrivateKey:    Bytes("k", keyPEM(t, leaf)),
				Intermediates: Bytes("i", append(bytes.Clone(beside), certPEM(ca)...)),
				Now:           func() time.Time { return noon },
			})
			if err != nil || len(id.Chain()) != 1 {
				t.Errorf("got %v, %v", id, err)
			}
		})
	}
}

func TestLoad_oneFileForAll(t *testing.T) {
	ca := mint(t, "ca", mint(t, "root", nil, asCA), asCA)
	leaf := mint(t, "leaf", ca)
	file := File(writeFile(t, filepath.Join(t.TempDir(), "all.pem"), append(sealedPEM(t, leaf), certPEM(leaf, ca)...)))
	asked := 0
	id, err := Load(Files{
		Certificate: file, PrivateKey: file, Intermediates: file,
		Password: func() ([]byte, error) { asked++; return []byte("secret"), nil },
		Now:      func() time.Time { return noon },
	})
	if err != nil || len(id.Chain()) != 1 || asked != 1 {
		t.Errorf("got %v, %v, asked %d times", id, err, asked)
	}
}

// Names of bytes are for messages: two inputs with one name are two inputs.
func TestLoad_bytesOfOneName(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	leaf, other := mint(t, "leaf", root), mint(t, "other", root)
	id, err := Load(Files{
		Certificate: Bytes("standard input", append(keyPEM(t, other), certPEM(leaf)...)),
		PrivateKey:  Bytes("standard input", keyPEM(t, leaf)),
		Now:         func() time.Time { return noon },
	})
	if err != nil || id.Leaf().Subject.CommonName != "leaf" {
		t.Errorf("got %v, %v", id, err)
	}
}

// The next certificate can lie in the file before the current one ends.
func TestFileSource_nextCertificateInTheSameFile(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	current := mint(t, "current", root)
	next := mintFor(t, current.key, "next", root, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = noon.Add(time.Hour), noon.Add(48*time.Hour)
	})
	files := pair(t, t.TempDir(), current)
	writeFile(t, files.Certificate.path, certPEM(next, current))
	now := noon
	files.Now = func() time.Time { return now }
	source, err := NewFileSource(files)
	if err != nil {
		t.Fatal(err)
	}
	if got := commonName(t, source); got != "current" {
		t.Errorf("before: %q", got)
	}
	now = noon.Add(13 * time.Hour)
	if got := commonName(t, source); got != "next" || source.Err() != nil {
		t.Errorf("after: %q, %v", got, source.Err())
	}
	now = noon.Add(49 * time.Hour)
	want := `certificate "CN=next" expired at 2026-11-03T12:00:00Z; it is 2026-11-03T13:00:00Z now`
	if _, err := source.Identity(context.Background()); err == nil || err.Error() != files.Certificate.path+": "+want {
		t.Errorf("in the end: %v", err)
	}
}
