package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
	"kedge/pkcs11"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// open opens a key that is closed at the end of the test.
func open(t *testing.T, uri string, o Options) *Key {
	t.Helper()
	key, err := Open(t.Context(), uri, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { key.Close() })
	return key
}

// sign signs with the key in both ways, and verifies what comes out.
func sign(t *testing.T, key *Key) {
	t.Helper()
	message := []byte("message")
	digest := sha256.Sum256(message)
	first, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	second, err := key.SignMessage(rand.Reader, message, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for _, signature := range [][]byte{first, second} {
		switch public := key.Public().(type) {
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(public, digest[:], signature) {
				t.Errorf("%s: the signature does not verify", key)
			}
		case *rsa.PublicKey:
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		default:
			t.Errorf("%s: key of type %T", key, public)
		}
	}
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fixed(secret string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(secret), nil }
}

// asks records the prompts.
type asks []string

func (a *asks) answer(secret string) func(string) ([]byte, error) {
	return func(what string) ([]byte, error) {
		*a = append(*a, what)
		return []byte(secret), nil
	}
}

func (a asks) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(a, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestOpen_file(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	testenv.Run(t, dir, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:secret", "-out", path)
	key := open(t, path, Options{Password: fixed("secret")})
	sign(t, key)
	if key.InHardware() || key.String() != path {
		t.Errorf("in hardware: %v, name %q", key.InHardware(), key)
	}
	if certs, err := key.Certificates(t.Context()); certs != nil || err != nil {
		t.Errorf("certificates %v, %v; want none", certs, err)
	}
	_, err := Open(t.Context(), path, Options{})
	if file := (*signer.FileError)(nil); !errors.Is(err, keyfile.ErrPasswordRequired) || !errors.As(err, &file) || file.File != path {
		t.Errorf("without password: %v", err)
	}
	if err := key.Close(); err != nil {
		t.Error(err)
	}
}

// create makes a key in the TPM and returns its file.
func create(t *testing.T, server *testenv.SwtpmServer, o tpm.CreateOptions) []byte {
	t.Helper()
	o.Device, o.Type = server.Device, "P-256"
	file, err := tpm.Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestOpen_tpm(t *testing.T) {
	server := testenv.Swtpm(t)
	plain := write(t, "plain.pem", create(t, server, tpm.CreateOptions{Persist: 0x81000010}))
	protected := write(t, "protected.pem", create(t, server, tpm.CreateOptions{Persist: 0x81000011, KeyAuth: fixed("secret")}))
	var a asks
	o := Options{Device: server.Device, Ask: a.answer("secret"), Source: func(ref, what string) ([]byte, error) {
		a = append(a, ref, what)
		return []byte("secret"), nil
	}}
	given := Options{Device: server.Device, Auth: fixed("secret")}
	tests := []struct {
		uri, name string
		o         Options
		asked     []string
	}{
		{plain, plain, o, nil},
		{"handle:0x81000010", "tpm:handle=0x81000010", o, nil},
		{"tpm:device=" + server.Device + ";file=" + plain, "tpm:device=" + server.Device + ";file=" + plain, Options{}, nil},
		{protected, protected, o, []string{"auth value of " + protected}},
		{protected, protected, given, nil},
		{"handle:0x81000011", "tpm:handle=0x81000011", given, nil},
		{"tpm:file=" + protected + "?auth-source=fd:3", "tpm:file=" + protected, o, []string{"fd:3", "auth value of tpm:file=" + protected}},
		{"tpm:handle=0x81000011?auth-source=env:A", "tpm:handle=0x81000011", o, []string{"env:A", "auth value of tpm:handle=0x81000011"}},
	}
	for _, tt := range tests {
		a = nil
		key := open(t, tt.uri, tt.o)
		sign(t, key)
		a.expect(t, tt.asked...)
		if key.String() != tt.name || !key.InHardware() {
			t.Errorf("%s: name %q, in hardware %v", tt.uri, key, key.InHardware())
		}
		key.Close()
	}
}

func TestOpen_tpmRefused(t *testing.T) {
	server := testenv.Swtpm(t)
	protected := write(t, "protected.pem", create(t, server, tpm.CreateOptions{KeyAuth: fixed("secret")}))
	silent := errors.New("there is no terminal")
	_, err := Open(t.Context(), protected, Options{Device: server.Device, Ask: func(string) ([]byte, error) { return nil, silent }})
	if !errors.Is(err, tpm.ErrAuthRequired) || !errors.Is(err, silent) {
		t.Errorf("nobody to ask: %v", err)
	}
	if _, err = Open(t.Context(), protected, Options{Device: server.Device}); !errors.Is(err, tpm.ErrAuthRequired) {
		t.Errorf("nothing given: %v", err)
	}
	if _, err = Open(t.Context(), protected, Options{Device: "unix:/nowhere"}); !errors.Is(err, tpm.ErrAuthRequired) {
		t.Errorf("the TPM was looked for before: %v", err)
	}
	if _, err = Open(t.Context(), protected, Options{Device: "unix:/nowhere", Auth: fixed("x")}); !errors.Is(err, tpm.ErrNoDevice) || !strings.Contains(err.Error(), protected) {
		t.Errorf("no device: %v", err)
	}
	key := open(t, protected, Options{Device: server.Device, Auth: fixed("wrong")})
	digest := sha256.Sum256(nil)
	if _, err = key.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil {
		t.Error("a wrong auth value signed")
	} else if refused := (*tpm.AuthError)(nil); !errors.As(err, &refused) || refused.Tries != 1 {
		t.Errorf("wrong auth value: %v", err)
	}
	if _, err = Open(t.Context(), "tpm:handle=0x81000099?auth-source=x", Options{Device: server.Device}); err == nil || !strings.Contains(err.Error(), "not read here") {
		t.Errorf("a source without reader: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Open(canceled, "handle:0x81000010", Options{Device: server.Device}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestOpen_token(t *testing.T) {
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "one")
	hsm.Generate(t, "one", "EC:prime256v1", "01", "first")
	hsm.Generate(t, "one", "rsa:2048", "02", "second")
	var a asks
	o := Options{Library: hsm.Module, Helper: testenv.PKCS11Helper(t), Environment: hsm.Environment(), Ask: a.answer("1234")}

	key := open(t, "pkcs11:token=one;object=first", o)
	sign(t, key)
	a.expect(t, `PIN of token "one"`)
	if !strings.HasPrefix(key.String(), "pkcs11:") || !strings.Contains(key.String(), "object=first") || !key.InHardware() {
		t.Errorf("name %q, in hardware %v", key, key.InHardware())
	}
	if _, err := key.Certificates(t.Context()); !isA[*pkcs11.NotFoundError](err) {
		t.Errorf("a key without certificate: %v", err)
	}

	a = nil
	sign(t, open(t, "PKCS11:object=second?pin-value=1234", o))
	given := o
	pin := []byte("1234")
	given.PIN = func() ([]byte, error) { return pin, nil }
	sign(t, open(t, "pkcs11:object=second", given))
	a.expect(t)
	if string(pin) != "1234" {
		t.Errorf("the PIN became %q", pin)
	}
	if _, err := Open(t.Context(), "pkcs11:token=one", o); !isA[*pkcs11.AmbiguousError](err) {
		t.Errorf("two keys: %v", err)
	}
	given.PIN = fixed("wrong")
	if _, err := Open(t.Context(), "pkcs11:object=first", given); !isA[*pkcs11.PINError](err) {
		t.Errorf("wrong PIN: %v", err)
	}
	a = nil
	open(t, "pkcs11:object=first", o)
	a.expect(t, `PIN of token "one" (few tries are left)`)
	o.Ask = nil
	if _, err := Open(t.Context(), "pkcs11:object=first", o); !errors.Is(err, pkcs11.ErrPINRequired) {
		t.Errorf("nobody to ask: %v", err)
	}
	o.Helper = "/nowhere/kedge-pkcs11"
	if _, err := Open(t.Context(), "pkcs11:object=first", o); !isA[*pkcs11.MissingHelperError](err) {
		t.Errorf("no helper: %v", err)
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
