package tpm_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// TestCreate: every kind of key is made, used here, and by tpm2-openssl.
func TestCreate(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "parent.ctx", "-p", "parent-auth")
	s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "parent.ctx", "0x81000060")
	auth, parentAuth := secret("kedge-auth"), secret("parent-auth")
	persistent := func() string { return string(s.Run(t, dir, "tpm2_getcap", "handles-persistent")) }
	before := persistent()
	for _, kind := range tpm.KeyTypes() {
		for name, o := range map[string]tpm.CreateOptions{
			"":                        {},
			", with auth":             {KeyAuth: auth},
			", below a parent":        {Parent: 0x81000060, ParentAuth: parentAuth},
			", both":                  {Parent: 0x81000060, ParentAuth: parentAuth, KeyAuth: auth},
			", with an auth of bytes": {KeyAuth: secret("a\x00b")},
		} {
			t.Run(kind+name, func(t *testing.T) {
				o.Device, o.Type = s.Device, kind
				file, err := tpm.Create(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				key := open(t, tpm.Config{Device: s.Device, File: file, KeyAuth: o.KeyAuth, ParentAuth: o.ParentAuth})
				if got := kindOf(key.Public()); got != kind {
					t.Errorf("made %s", got)
				}
				check(t, key, crypto.SHA256)
				key.Close()
				if left := s.Transient(t); left != "" {
					t.Fatalf("left in the TPM: %s", left)
				}
				if o.Parent == 0 && !strings.Contains(name, "bytes") {
					opensslSigns(t, s, file, key.Public(), o.KeyAuth)
				}
			})
		}
	}
	if after := persistent(); after != before {
		t.Errorf("persistent handles were\n%sand are\n%s", before, after)
	}
}

// opensslSigns signs with a key file by tpm2-openssl.
func opensslSigns(t *testing.T, s *testenv.SwtpmServer, file []byte, public crypto.PublicKey, auth func() ([]byte, error)) {
	t.Helper()
	dir := t.TempDir()
	message := []byte("to be signed")
	for name, data := range map[string][]byte{"key.pem": file, "message": message} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"dgst", "-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2", "-sha256", "-sign", "key.pem", "-out", "signature"}
	if auth != nil {
		args = append(args, "-passin", "pass:kedge-auth")
	}
	s.Run(t, dir, "openssl", append(args, "message")...)
	signature := read(t, dir, "signature")
	digest := sha256.Sum256(message)
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, digest[:], signature) {
			t.Error("openssl's signature is wrong")
		}
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
			t.Errorf("openssl's signature: %v", err)
		}
	}
}

// TestCreatePersistent: the key is used by its handle alone, and owner and key have auth
// values, none of which crosses the bus.
func TestCreatePersistent(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_changeauth", "-c", "owner", "owner-auth")
	p := newTap(t, s)
	o := tpm.CreateOptions{Device: p.device, Type: "P-256", Persist: 0x81000061, KeyAuth: secret("kedge-auth"), OwnerAuth: secret("owner-auth")}
	file, err := tpm.Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"kedge-auth", "owner-auth"} {
		if p.contains(word) {
			t.Errorf("%q crossed the bus", word)
		}
	}
	byHandle := open(t, tpm.Config{Device: s.Device, Handle: o.Persist, KeyAuth: o.KeyAuth})
	check(t, byHandle, crypto.SHA256)
	byFile := open(t, tpm.Config{Device: s.Device, File: file, KeyAuth: o.KeyAuth, OwnerAuth: o.OwnerAuth})
	if !byHandle.Public().(*ecdsa.PublicKey).Equal(byFile.Public()) {
		t.Error("the handle holds another key than the file")
	}
	byHandle.Close()
	byFile.Close()
	der, err := x509.MarshalPKIXPublicKey(byFile.Public())
	if err != nil {
		t.Fatal(err)
	}
	want := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	s.Run(t, dir, "tpm2_readpublic", "-Q", "-c", "0x81000061", "-f", "pem", "-o", "public.pem")
	if got := read(t, dir, "public.pem"); string(got) != string(want) {
		t.Errorf("tpm2_readpublic says %s, not %s", got, want)
	}
	if _, err := tpm.Create(t.Context(), o); !errors.Is(err, tpm.ErrHandleTaken) {
		t.Errorf("the same handle again: %v", err)
	}
	o.Persist, o.OwnerAuth = 0x81000062, secret("wrong")
	refused, ok := errors.AsType[*tpm.AuthError](errOf(tpm.Create(t.Context(), o)))
	if !ok || refused.Of != "owner" {
		t.Errorf("wrong owner auth: %v", refused)
	}
	if got := string(s.Run(t, dir, "tpm2_getcap", "handles-persistent")); got != "- 0x81000061\n" {
		t.Errorf("persistent handles: %s", got)
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

func errOf(_ []byte, err error) error { return err }

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	tests := []struct {
		name string
		o    tpm.CreateOptions
		want string
	}{
		{"type", tpm.CreateOptions{Type: "Ed25519"}, `key type "Ed25519" is not one of ["P-256" "P-384" "RSA-2048" "RSA-3072"]`},
		{"parent that is a hierarchy", tpm.CreateOptions{Type: "P-256", Parent: 0x40000001}, "is not persistent"},
		{"parent that is not there", tpm.CreateOptions{Type: "P-256", Parent: 0x81000001}, "nothing lies under the handle"},
		{"handle of the platform", tpm.CreateOptions{Type: "P-256", Persist: 0x81800000}, "is not one of the owner's"},
		{"auth value too long", tpm.CreateOptions{Type: "P-256", KeyAuth: secret(strings.Repeat("x", 33))}, "auth value of 33 bytes; a key takes at most 32 bytes"},
		{"no TPM", tpm.CreateOptions{Type: "P-256", Device: "unix:/nonexistent"}, "no TPM there"},
	}
	for _, test := range tests {
		if test.o.Device == "" {
			test.o.Device = s.Device
		}
		if _, err := tpm.Create(t.Context(), test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}
