package cadir

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/config"
	"kedge/signer"
)

// TestKeys_New: the password is asked for once, for a key that was made and for no other, and without it
// nothing is written.
func TestKeys_New(t *testing.T) {
	t.Parallel()
	keys := &Keys{Folder: Folder{Dir: t.TempDir()}, Host: config.Host{Ask: func(string) ([]byte, error) { return []byte("secret"), nil }}}
	path := keys.Folder.KeyPath("sub")
	asked, refuse := 0, true
	r := KeyRequest{Authority: "sub", Generate: func() (crypto.Signer, []byte, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return key, der, err
	}, Password: func(of string) ([]byte, []string, error) {
		if asked++; of != path {
			t.Errorf("the password of %s", of)
		}
		if refuse {
			return nil, nil, errors.New("no terminal")
		}
		return []byte("secret"), nil, nil
	}}
	if k, err := keys.New(t.Context(), r); err == nil || k != nil || asked != 1 {
		t.Errorf("%v, %v, asked %d times", k, err, asked)
	}
	if all, err := os.ReadDir(keys.Folder.Dir); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
	refuse = false
	k, err := keys.New(t.Context(), r)
	if err != nil || asked != 2 {
		t.Fatal(err, asked)
	}
	public := k.Public()
	if err := k.Write(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || !strings.Contains(string(data), "ENCRYPTED PRIVATE KEY") {
		t.Errorf("%v", err)
	}
	again, err := keys.New(t.Context(), r)
	if err != nil || asked != 2 || !again.Resumed || !public.(*ecdsa.PublicKey).Equal(again.Public()) {
		t.Fatalf("%+v, %v, asked %d times", again, err, asked)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestReadInput: a file, or standard input, and neither without an end.
func TestReadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.pem")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", signer.MaxFile+1)
	for _, tt := range []struct{ path, stdin, want, err string }{
		{file, "other", "text", ""},
		{"-", "text", "text", ""},
		{filepath.Join(dir, "none"), "", "", "none"},
		{dir, "", "", dir},
		{"-", long, "", "standard input"},
		{"-", "", "", ""},
	} {
		data, err := ReadInput(tt.path, strings.NewReader(tt.stdin))
		if string(data) != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %d bytes, %v", tt.path, len(data), err)
		}
	}
}
