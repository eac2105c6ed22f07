package signer

import (
	"crypto"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"testing"
	"time"
)

// device is a key that hashes by itself, and has a name.
type device struct{ crypto.Signer }

func (device) String() string { return "pkcs11:object=device" }

func (d device) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("this device signs messages only")
}

func (d device) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return crypto.SignMessage(d.Signer, rand, message, opts)
}

func TestLoad_openKey(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	host, other := mint(t, "host", root), mint(t, "other", root)
	path := writeFile(t, filepath.Join(t.TempDir(), "host.pem"), certPEM(host, root))
	files := Files{
		Certificate: File(path),
		PrivateKey:  File("/nowhere/not-read.pem"),
		Key:         device{host.key},
		Now:         func() time.Time { return noon },
	}
	id, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	if id.Leaf().Subject.CommonName != "host" || id.Signer() != files.Key {
		t.Errorf("leaf %s, signer %T", id.Leaf().Subject, id.Signer())
	}
	if _, err := Sign(Request{Method: "POST", URL: &url.URL{Path: "/sessions"}}, id, "eu-west-1", noon); err != nil {
		t.Errorf("a key that hashes by itself: %v", err)
	}
	if public, err := files.PublicKey(); err != nil || !samePublic(public, host.key.Public()) {
		t.Errorf("public key of the leaf: %v, %v", public, err)
	}
	files.Key = device{other.key}
	_, err = Load(files)
	if mismatch := (*KeyMismatchError)(nil); !errors.As(err, &mismatch) || mismatch.KeyFile != "pkcs11:object=device" || mismatch.CertFile != path {
		t.Errorf("another key: %v", err)
	}
}

func TestFiles_Stamp(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	dir := t.TempDir()
	files := pair(t, dir, mint(t, "host", root))
	before := files.Stamp()
	if !files.Stamp().Equal(before) {
		t.Error("nothing changed, and the stamp did")
	}
	writeFile(t, filepath.Join(dir, "leaf.key"), []byte("another"))
	if files.Stamp().Equal(before) {
		t.Error("the key changed, and the stamp did not")
	}
}
