package signer

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair writes a certificate file and a key file, and gives the Files to load them.
func pair(t *testing.T, dir string, leaf *minted) Files {
	t.Helper()
	return Files{
		Certificate: File(writeFile(t, filepath.Join(dir, "leaf.pem"), certPEM(leaf))),
		PrivateKey:  File(writeFile(t, filepath.Join(dir, "leaf.key"), keyPEM(t, leaf))),
		Now:         func() time.Time { return noon },
	}
}

func commonName(t *testing.T, s Source) string {
	t.Helper()
	id, err := s.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return id.Leaf().Subject.CommonName
}

func TestFileSource_reload(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	first, second := mint(t, "first", root), mint(t, "the second", root)
	dir := t.TempDir()
	files := pair(t, dir, first)
	source, err := NewFileSource(files)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath := filepath.Join(dir, "leaf.pem"), filepath.Join(dir, "leaf.key")
	steps := []struct {
		name   string
		do     func()
		want   string
		reason string
	}{
		{"unchanged", func() {}, "first", ""},
		{"certificate half written", func() { writeFile(t, certPath, certPEM(second)[:200]) }, "first", "keeping the old certificate: " + certPath},
		{"certificate new, key old", func() { writeFile(t, certPath, certPEM(second)) }, "first", "does not belong to the certificate"},
		{"key gone for a moment", func() { os.Remove(keyPath) }, "first", "leaf.key: no such file"},
		{"both new", func() { writeFile(t, keyPath, keyPEM(t, second)) }, "the second", ""},
		{"certificate gone", func() { os.Remove(certPath) }, "the second", "leaf.pem: no such file"},
		{"certificate back", func() { writeFile(t, certPath, certPEM(second)) }, "the second", ""},
	}
	for _, s := range steps {
		s.do()
		if got := commonName(t, source); got != s.want {
			t.Errorf("%s: identity %q, want %q", s.name, got, s.want)
		}
		if err := source.Err(); s.reason == "" && err != nil || s.reason != "" && (err == nil || !strings.Contains(err.Error(), s.reason)) {
			t.Errorf("%s: Err() = %v, want %q", s.name, err, s.reason)
		}
	}
}

func TestFileSource_expires(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	dir := t.TempDir()
	files := pair(t, dir, mint(t, "old", root))
	now := noon
	files.Now = func() time.Time { return now }
	source, err := NewFileSource(files)
	if err != nil {
		t.Fatal(err)
	}
	now = noon.Add(13 * time.Hour)
	_, err = source.Identity(context.Background())
	if v, ok := errors.AsType[*ValidityError](err); !ok || !v.Expired() {
		t.Errorf("after the end: %v", err)
	}
	os.Remove(filepath.Join(dir, "leaf.pem"))
	if _, err = source.Identity(context.Background()); err == nil || !strings.Contains(err.Error(), "expired at") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("after the end, without a file: %v", err)
	}
	renewed := mint(t, "renewed", root, func(c *x509.Certificate) { c.NotAfter = noon.Add(24 * time.Hour) })
	pair(t, dir, renewed)
	if got := commonName(t, source); got != "renewed" {
		t.Errorf("identity %q", got)
	}
}

func TestLoad_inputs(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	ca := mint(t, "ca", root, asCA)
	leaf, other := mint(t, "leaf", ca), mint(t, "other", ca)
	clock := func() time.Time { return noon }
	dir := t.TempDir()
	big := filepath.Join(dir, "big.pem")
	writeFile(t, big, nil)
	if err := os.Truncate(big, 1<<30); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files Files
		want  string // the chain, or the error
	}{
		{"apart", Files{Certificate: Bytes("c", certPEM(leaf)), PrivateKey: Bytes("k", keyPEM(t, leaf)), Intermediates: Bytes("i", certPEM(ca))}, "ca"},
		{"full chain", Files{Certificate: Bytes("c", certPEM(leaf, ca, root)), PrivateKey: Bytes("k", keyPEM(t, leaf))}, "ca"},
		{"all in one", Files{Certificate: Bytes("c", append(keyPEM(t, leaf), certPEM(ca, leaf)...))}, "ca"},
		{"no key", Files{Certificate: Bytes("c", certPEM(leaf))}, "error: c: there is no private key in it"},
		{"key file without key", Files{Certificate: Bytes("c", certPEM(leaf)), PrivateKey: Bytes("k", certPEM(leaf))}, "error: k: there is no private key in it"},
		{"certificate file without certificate", Files{Certificate: Bytes("c", keyPEM(t, leaf)), PrivateKey: Bytes("k", keyPEM(t, leaf))}, "error: c: it is a private key, not a certificate"},
		{"key alone", Files{Certificate: Bytes("c", keyPEM(t, leaf))}, "error: c: there is no certificate in it"},
		{"no certificate", Files{PrivateKey: Bytes("k", keyPEM(t, leaf))}, "error: signer.Files has no certificate: set Certificate"},
		{"mismatch", Files{Certificate: Bytes("c", certPEM(leaf)), PrivateKey: Bytes("k", keyPEM(t, other))}, `error: k: the P-256 private key does not belong to the certificate "CN=leaf" in c, which holds another P-256 key`},
		{"missing", Files{Certificate: File(filepath.Join(dir, "none.pem")), PrivateKey: Bytes("k", keyPEM(t, leaf))}, "error: open " + filepath.Join(dir, "none.pem") + ": no such file or directory"},
		{"directory", Files{Certificate: File(dir), PrivateKey: Bytes("k", keyPEM(t, leaf))}, "error: " + dir + " is a folder, not a file"},
		{"1 GiB", Files{Certificate: File(big), PrivateKey: Bytes("k", keyPEM(t, leaf))}, "error: " + big + " is larger than 1024 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.files.Now = clock
			id, err := Load(tt.files)
			got := ""
			if err != nil {
				got = "error: " + err.Error()
			} else if len(id.Chain()) == 1 {
				got = id.Chain()[0].Subject.CommonName
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
