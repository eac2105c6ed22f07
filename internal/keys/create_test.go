package keys_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/keys"
	"kedge/internal/testenv"
	"kedge/pkcs11"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// creation is a way to make keys in a test, and to open them again.
type creation struct {
	keys.CreateOptions
	uri string
}

// create makes a key and opens it by what Create returns.
func (c creation) create(t *testing.T) (*keys.Key, string) {
	t.Helper()
	uri, err := keys.Create(t.Context(), c.uri, c.CreateOptions)
	if err != nil {
		t.Fatalf("%s %s: %v", c.Type, c.uri, err)
	}
	open := c.Options
	open.Password, open.Auth = c.Secret, c.Secret
	key, err := keys.Open(t.Context(), uri, open)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	t.Cleanup(func() { key.Close() })
	return key, uri
}

// request has a key sign a certificate request, which openssl verifies where it supports such keys.
func request(t *testing.T, key *keys.Key) {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if err := csr.CheckSignature(); err != nil {
		t.Errorf("%s: %v", key, err)
	}
	if csr.PublicKeyAlgorithm == x509.ECDSA || csr.PublicKeyAlgorithm == x509.RSA {
		path := filepath.Join(t.TempDir(), "csr.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		testenv.Run(t, ".", "openssl", "req", "-verify", "-noout", "-in", path)
	}
}

func secret(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// mode is that of a file, which must be the only one in its folder.
func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Fatalf("the folder has %v, %v", all, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// TestCreate_file: each kind, in the clear; those that are quickly made encrypted too.
func TestCreate_file(t *testing.T) {
	t.Parallel()
	for _, kind := range keys.Types("") {
		for name, from := range map[string]func() ([]byte, error){"plain": nil, "encrypted": secret("password")} {
			if from != nil && strings.HasPrefix(kind, "RSA-") {
				continue
			}
			out := filepath.Join(t.TempDir(), "key.pem")
			key, uri := creation{keys.CreateOptions{Type: kind, Out: out, Secret: from}, ""}.create(t)
			request(t, key)
			if uri != out || key.InHardware() || mode(t, out) != 0o600 {
				t.Errorf("%s, %s: %s of mode %v", kind, name, uri, mode(t, out))
			}
			if from == nil {
				continue
			}
			if _, err := keys.Open(t.Context(), uri, keys.Options{Password: secret("wrong")}); !errors.Is(err, keyfile.ErrWrongPassword) {
				t.Errorf("%s, %s: with a wrong password: %v", kind, name, err)
			}
		}
	}
}

// TestCreate_tpm: each kind, in files and under handles, with and without auth value; nothing
// else is left in the TPM.
func TestCreate_tpm(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_changeauth", "-c", "owner", "owner-auth")
	options := keys.Options{Device: s.Device, Source: func(ref, what string) ([]byte, error) {
		if ref != "known:owner" || what == "" {
			t.Errorf("asked for %q, %s", ref, what)
		}
		return []byte("owner-auth"), nil
	}}
	for _, kind := range keys.Types("tpm:") {
		for _, from := range []func() ([]byte, error){nil, secret("key-auth")} {
			out := filepath.Join(t.TempDir(), "key.pem")
			c := creation{keys.CreateOptions{Options: options, Type: kind, Out: out, Secret: from}, "tpm:?owner-auth-source=known:owner"}
			key, uri := c.create(t)
			request(t, key)
			key.Close()
			if want := (tpm.URI{Device: s.Device, File: out, OwnerAuth: "known:owner"}).String(); uri != want || mode(t, out) != 0o600 {
				t.Errorf("%s: %s of mode %v, want %s", kind, uri, mode(t, out), want)
			}

			c.uri, c.Out = "tpm:handle=0x81000042?owner-auth-source=known:owner", ""
			key, uri = c.create(t)
			request(t, key)
			key.Close()
			if want := (tpm.URI{Device: s.Device, Handle: 0x81000042}).String(); uri != want {
				t.Errorf("%s: %s, want %s", kind, uri, want)
			}
			if got := string(s.Run(t, dir, "tpm2_getcap", "handles-persistent")); got != "- 0x81000042\n" {
				t.Errorf("%s: persistent handles are %s", kind, got)
			}
			s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-P", "owner-auth", "-c", "0x81000042")
			if left := s.Transient(t); left != "" {
				t.Fatalf("%s: left in the TPM: %s", kind, left)
			}
		}
	}
}

// TestCreate_token: each kind; the URI finds the key, and where it is needed the module.
func TestCreate_token(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	options := keys.Options{Library: h.Module, Helper: testenv.PKCS11Helper(t), Environment: h.Environment(), PIN: secret("1234")}
	for _, kind := range keys.Types("pkcs11:") {
		key, uri := creation{keys.CreateOptions{Options: options, Type: kind}, "pkcs11:token=t;object=" + kind}.create(t)
		request(t, key)
		if !strings.HasSuffix(uri, "?module-path="+h.Module) || !strings.Contains(uri, ";object="+kind+";") {
			t.Errorf("%s: %s", kind, uri)
		}
		alone := options
		alone.Library = ""
		again, err := keys.Open(t.Context(), uri, alone)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	}
	named := options
	named.Library = ""
	_, uri := creation{keys.CreateOptions{Options: named, Type: "P-256"}, "pkcs11:token=t;object=n?module-path=" + h.Module + "&pin-value=1234"}.create(t)
	if strings.Count(uri, "module-path=") != 1 || strings.Contains(uri, "1234") {
		t.Errorf("with the module in the URI: %s", uri)
	}
}

func TestCreate_refuses(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	there := filepath.Join(dir, "there.pem")
	if err := os.WriteFile(there, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.pem")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "new.pem")
	broken := errors.New("broken")
	for _, tt := range []struct {
		name, uri string
		o         keys.CreateOptions
		want      string
	}{
		{"type", "", keys.CreateOptions{Type: "Ed25519", Out: fresh}, `key type "Ed25519" is none of P-256, P-384, `},
		{"type that a TPM lacks", "tpm:", keys.CreateOptions{Type: "P-521", Out: fresh}, `key type "P-521" is none of P-256, P-384, RSA-2048, RSA-3072`},
		{"file twice", "tpm:file=a.pem", keys.CreateOptions{Type: "P-256", Out: fresh}, "the file of the new key is named twice"},
		{"file that is there, in the URI", "tpm:file=" + there, keys.CreateOptions{Type: "P-256"}, "create " + there + ": file already exists"},
		{"a token's file", "pkcs11:object=n", keys.CreateOptions{Type: "P-256", Out: fresh}, "a key on a token has no file"},
		{"elsewhere", "cloud:n", keys.CreateOptions{Type: "P-256", Out: fresh}, `"cloud:n" begins with neither "tpm:" nor "pkcs11:"`},
		{"type that tokens lack", "pkcs11:object=n", keys.CreateOptions{Type: "ML-DSA-65"}, `key type "ML-DSA-65" is none of`},
		{"file that is there", "", keys.CreateOptions{Type: "P-256", Out: there}, "create " + there + ": file already exists"},
		{"link that is there", "", keys.CreateOptions{Type: "P-256", Out: link}, "create " + link + ": file already exists"},
		{"file that is there, TPM", "tpm:", keys.CreateOptions{Type: "P-256", Out: there}, "create " + there + ": file already exists"},
		{"no folder", "tpm:", keys.CreateOptions{Type: "P-256", Out: filepath.Join(dir, "no", "key.pem")}, "no such file or directory"},
		{"no file", "", keys.CreateOptions{Type: "P-256"}, "a key needs a file"},
		{"no file, TPM", "tpm:", keys.CreateOptions{Type: "P-256"}, "a key in a TPM needs a file, or a handle in the URI"},
		{"empty auth value", "tpm:", keys.CreateOptions{Type: "P-256", Out: fresh, Secret: secret("")}, "the auth value for the new key is empty"},
		{"no auth value", "tpm:", keys.CreateOptions{Type: "P-256", Out: fresh, Secret: func() ([]byte, error) { return nil, broken }}, "broken"},
		{"no password", "", keys.CreateOptions{Type: "P-256", Out: fresh, Secret: func() ([]byte, error) { return nil, broken }}, "broken"},
		{"parent", "tpm:", keys.CreateOptions{Type: "P-256", Out: fresh, Parent: 0x81000099}, "nothing lies under the handle"},
		{"URI of a token", "pkcs11:nonsense", keys.CreateOptions{Type: "P-256"}, "nonsense"},
		{"URI of a TPM", "tpm:nonsense", keys.CreateOptions{Type: "P-256", Out: fresh}, "nonsense"},
	} {
		tt.o.Device, tt.o.Helper = s.Device, os.Args[0]
		if uri, err := keys.Create(t.Context(), tt.uri, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) || uri != "" {
			t.Errorf("%s: %s, %v", tt.name, uri, err)
		}
	}
	if _, err := os.Lstat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
	if data, err := os.ReadFile(there); err != nil || string(data) != "precious" {
		t.Errorf("what was there is %q, %v", data, err)
	}
	if _, err := keys.Create(t.Context(), "pkcs11:object=n", keys.CreateOptions{Type: "P-256", Options: keys.Options{Helper: "/nowhere"}}); !isMissing(err) {
		t.Errorf("without helper: %v", err)
	}
}

func isMissing(err error) bool {
	_, ok := errors.AsType[*pkcs11.MissingHelperError](err)
	return ok
}

// TestCreate_unwritten: the folder is removed after it was checked. A key under a handle exists
// nevertheless, and the error names it; a key for a file only does not.
func TestCreate_unwritten(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	for uri, handles := range map[string]string{"tpm:handle=0x81000042": "- 0x81000042\n", "tpm:": ""} {
		dir := filepath.Join(t.TempDir(), "gone")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		o := keys.CreateOptions{Type: "P-256", Out: filepath.Join(dir, "key.pem"), Secret: func() ([]byte, error) {
			return []byte("key-auth"), os.Remove(dir)
		}}
		o.Device = s.Device
		_, err := keys.Create(t.Context(), uri, o)
		unwritten, ok := errors.AsType[*keys.UnwrittenError](err)
		if !ok || !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: %v", uri, err)
		}
		want := ""
		if handles != "" {
			want = "tpm:device=" + s.Device + ";handle=0x81000042"
		}
		if unwritten.PrivateKey != want || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", uri, err)
		}
		if got := string(s.Run(t, t.TempDir(), "tpm2_getcap", "handles-persistent")); got != handles {
			t.Errorf("%s: handles are %s", uri, got)
		}
		if handles != "" {
			s.Run(t, t.TempDir(), "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000042")
		}
	}
}
