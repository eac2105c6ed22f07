package tpm_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// TestRefusedKeys: what cannot sign is refused with the reason, before anybody is asked for an auth value.
func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	const base = "fixedtpm|fixedparent|sensitivedataorigin|"
	ecc := []string{"-C", "o", "-G", "ecc"}
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_startauthsession", "-S", "s.ctx")
	if err := os.WriteFile(filepath.Join(dir, "policy"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	storage := persist(t, s, 0x81000020, "-G", "ecc256:aes128cfb", "-a", base+"userwithauth|restricted|decrypt")
	tests := []struct {
		name   string
		create []string // of tpm2_create
		want   string
	}{
		{"decrypts only", []string{"-G", "rsa2048", "-a", base + "userwithauth|decrypt"}, "may only decrypt"},
		{"restricted", []string{"-G", "ecc256:ecdsa-sha256:null", "-a", base + "userwithauth|restricted|sign"}, "is restricted"},
		{"signs by PSS only", []string{"-G", "rsa2048:rsapss-sha256:null", "-a", base + "userwithauth|sign"}, "not by RSASSA"},
		{"signs by ECDAA only", []string{"-G", "ecc256:ecdaa4-sha256", "-a", base + "userwithauth|sign"}, "not by ECDSA"},
		{"policy", []string{"-G", "ecc256", "-L", filepath.Join(dir, "policy"), "-a", base + "sign"}, "under a policy only"},
		{"HMAC key", []string{"-G", "hmac", "-a", base + "userwithauth|sign"}, "not an RSA or elliptic curve key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := tools(t, s, ecc, append(test.create, "-p", "x"))
			asked := false
			_, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: file, KeyAuth: func() ([]byte, error) { asked = true; return nil, nil }})
			if err == nil || !strings.Contains(err.Error(), test.want) || asked {
				t.Errorf("%v; asked: %v", err, asked)
			}
		})
	}
	if _, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, Handle: storage}); err == nil || !strings.Contains(err.Error(), "may only decrypt") {
		t.Errorf("storage key: %v", err)
	}
	if _, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, Handle: 0x81000099}); !errors.Is(err, tpm.ErrNoHandle) {
		t.Errorf("empty handle: %v", err)
	}
	foreign := read(t, "testdata", "openssl-p256.pem")
	if _, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: foreign}); !errors.Is(err, tpm.ErrForeignKey) {
		t.Errorf("key of another TPM: %v", err)
	}
	below := read(t, "testdata", "openssl-p384-persistent.pem")
	if _, err := tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: below}); !errors.Is(err, tpm.ErrNoHandle) {
		t.Errorf("key below a parent that is not there: %v", err)
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// TestRefusedDigests: what the key or the package cannot sign.
func TestRefusedDigests(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	const sign = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
	key := open(t, tpm.Config{Device: s.Device, File: tools(t, s, []string{"-C", "o", "-G", "ecc"}, []string{"-G", "ecc384:ecdsa-sha384", "-a", sign})})
	check(t, key, crypto.SHA384)
	digest := sha256.Sum256(nil)
	tests := []struct {
		name string
		opts crypto.SignerOpts
		want string
	}{
		{"another hash than the key's", crypto.SHA256, "for digests of SHA-384 only"},
		{"no hash", crypto.Hash(0), "is not supported"},
		{"SHA-1", crypto.SHA1, "is not supported"},
		{"another size", crypto.SHA384, "a digest of 32 bytes is not one of SHA-384"},
		{"nothing", nil, "hash of the digest is not given"},
		{"PSS", &rsa.PSSOptions{Hash: crypto.SHA256}, "RSA-PSS is not supported"},
	}
	for _, test := range tests {
		if _, err := key.Sign(nil, digest[:], test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	key.Close()
	if err := trySign(key, crypto.SHA384); !errors.Is(err, tpm.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := key.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestRefusedConfig: contradictions, and addresses where no TPM is.
func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata", "openssl-p256.pem")
	withAuth := read(t, "testdata", "openssl-rsa2048-auth.pem")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	regular := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(regular, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	noAnswer := errors.New("nobody to ask")
	tests := []struct {
		name   string
		config tpm.Config
		is     error
		want   string
	}{
		{"nothing", tpm.Config{}, nil, "no TPM key given"},
		{"both", tpm.Config{File: file, Handle: 0x81000001}, nil, "not both"},
		{"transient handle", tpm.Config{Handle: 0x80000001}, nil, "is not persistent"},
		{"not a key file", tpm.Config{File: []byte("x")}, nil, "neither PEM nor DER"},
		{"no auth value given", tpm.Config{File: withAuth}, tpm.ErrAuthRequired, ""},
		{"no auth value to be had", tpm.Config{File: withAuth, KeyAuth: func() ([]byte, error) { return nil, noAnswer }}, noAnswer, "auth value of the key"},
		{"bad device", tpm.Config{File: file, Device: "usb:1"}, nil, "neither a path"},
		{"no socket", tpm.Config{File: file, Device: "unix:/nonexistent/tpm.sock"}, tpm.ErrNoDevice, ""},
		{"no device", tpm.Config{File: file, Device: "/dev/nonexistent"}, tpm.ErrNoDevice, ""},
		{"nobody listens", tpm.Config{File: file, Device: "tcp:" + closed.Addr().String()}, tpm.ErrNoDevice, ""},
		{"a file", tpm.Config{File: file, Device: regular}, nil, "neither a device nor a socket"},
		{"another device", tpm.Config{File: file, Device: "/dev/null"}, nil, "the connection to the TPM broke"},
		{"a device that says something else", tpm.Config{File: file, Device: "/dev/zero"}, nil, "this is not a TPM"},
		{"Windows", tpm.Config{File: file, Device: "tbs"}, tpm.ErrNoDevice, "tbs is a service of Windows"},
	}
	for _, test := range tests {
		_, err := tpm.Open(t.Context(), test.config)
		if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
