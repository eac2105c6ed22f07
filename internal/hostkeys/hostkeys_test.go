package hostkeys

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/config"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/role"
	"kedge/signer"
)

func TestNew(t *testing.T) {
	abs, err := filepath.Abs("pin")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		place              Place
		where, uri, secret string
		refused            string
	}{
		"file":                {Place{Type: "p-384"}, enrollapi.InFile, "", "", ""},
		"TPM":                 {Place{URI: "tpm:", Type: "P-256"}, enrollapi.InTPM, "", "", ""},
		"handle":              {Place{URI: "tpm:handle=0x81000010", Type: "P-256"}, enrollapi.InTPM, "tpm:handle=0x81000010", "", ""},
		"token":               {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "pin"}, enrollapi.InPKCS11, "pkcs11:object=k", "file:" + abs, ""},
		"secret of variable":  {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "env:PIN"}, enrollapi.InPKCS11, "pkcs11:object=k", "env:PIN", ""},
		"no type":             {Place{}, "", "", "", "none of"},
		"ML-DSA on a token":   {Place{URI: "pkcs11:object=k", Type: "ML-DSA-44"}, "", "", "", "none of"},
		"encrypted file":      {Place{Type: "P-256", PasswordFrom: "pin"}, "", "", "", "not encrypted"},
		"file of the TPM":     {Place{URI: "tpm:file=k", Type: "P-256"}, "", "", "", "leave it out"},
		"device":              {Place{URI: "tpm:device=/dev/tpm0", Type: "P-256"}, "", "", "", "TPM_DEVICE"},
		"PIN in the URI":      {Place{URI: "pkcs11:object=k?pin-value=1", Type: "P-256"}, "", "", "", "--key-password-from"},
		"other URI":           {Place{URI: "http://k", Type: "P-256"}, "", "", "", "begins with neither"},
		"secret of a stream":  {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "-"}, "", "", "", "name a file"},
		"secret of a fd":      {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "fd:3"}, "", "", "", "name a file"},
		"secret of a prompt":  {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "prompt"}, "", "", "", "name a file"},
		"secret in hardware":  {Place{URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "tpm:"}, "", "", "", "hardware"},
		"library without use": {Place{Type: "P-256", Library: "x"}, enrollapi.InFile, "", "", ""},
	} {
		k, err := New(test.place, config.Host{})
		if test.refused != "" {
			if err == nil || !strings.Contains(err.Error(), test.refused) {
				t.Errorf("%s: %v, want %q", name, err, test.refused)
			}
			continue
		}
		if err != nil || k.Place != test.where || k.URI != test.uri || k.PasswordFrom != test.secret || k.Type != strings.ToUpper(test.place.Type) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}

// What a record keeps leads to the same keys again.
func TestOf(t *testing.T) {
	for _, place := range []Place{{Type: "RSA-2048"}, {URI: "tpm:", Type: "P-256"}, {URI: "tpm:handle=0x81000010", Type: "P-256"}, {URI: "pkcs11:object=k", Type: "P-256", PasswordFrom: "pin", Library: "m"}} {
		first, err := New(place, config.Host{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Of(hostdir.Record{Key: first.URI, KeyPlace: first.Place, KeyType: first.Type, PasswordFrom: first.PasswordFrom, Library: first.Library}, config.Host{})
		if err != nil || again.Place != first.Place || again.URI != first.URI || again.Type != first.Type || again.PasswordFrom != first.PasswordFrom || again.Library != first.Library {
			t.Errorf("%+v becomes %+v (%v)", first, again, err)
		}
	}
}

// TestOf_hardware: the TPM and the module of the enrollment are those of the renewals, which have other
// variables and another folder; TPM_DEVICE goes before the record.
func TestOf_hardware(t *testing.T) {
	t.Setenv("TPM_DEVICE", "/run/tpm.sock")
	first, err := New(Place{URI: "tpm:", Type: "P-256"}, config.Host{})
	if err != nil || first.Device != "/run/tpm.sock" {
		t.Fatalf("%+v, %v", first, err)
	}
	record := hostdir.Record{KeyPlace: first.Place, KeyType: first.Type, Device: first.Device}
	for variable, want := range map[string]string{"": "/run/tpm.sock", "/dev/tpm9": "/dev/tpm9"} {
		t.Setenv("TPM_DEVICE", variable)
		again, err := Of(record, config.Host{})
		if err != nil || again.Device != want {
			t.Errorf("TPM_DEVICE %q: %+v, %v", variable, again, err)
			continue
		}
		if _, err := again.Open(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
			t.Error("a key that is not there was opened")
		}
	}
	file, err := New(Place{Type: "P-256"}, config.Host{})
	if err != nil || file.Device != "" {
		t.Errorf("a key in a file: %+v, %v", file, err)
	}
	for library, want := range map[string]string{"libx.so": "libx.so", "./libx.so": "/", "/opt/x.so": "/opt/x.so", "": ""} {
		k, err := New(Place{URI: "pkcs11:object=k", Type: "P-256", Library: library}, config.Host{})
		if err != nil || want == "/" && !filepath.IsAbs(k.Library) || want != "/" && k.Library != want {
			t.Errorf("library %q: %q, %v", library, k.Library, err)
		}
	}
}

func TestNamed(t *testing.T) {
	for _, err := range []error{&signer.KeyMismatchError{}, &signer.SignError{Err: errors.New("x")}, &signer.PossessionError{}} {
		if got := Named(err); !errors.As(got, new(*role.KeyError)) {
			t.Errorf("%T is not that of a key", err)
		}
	}
	for _, err := range []error{errors.New("x"), &enrollclient.AnswerError{}, &enrollapi.Error{}} {
		if got := Named(err); errors.As(got, new(*role.KeyError)) {
			t.Errorf("%T is that of a key", err)
		}
	}
}
