package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/signer"
)

func TestKeys_inHardware(t *testing.T) {
	const cert, key = "pkcs11:token=t;type=cert", "pkcs11:token=t;object=k?pin-value=1234"
	tests := []struct {
		flags       KeyFlags
		in          bool
		key, certIn string // of the Pair
	}{
		{KeyFlags{Certificate: "c.pem", PrivateKey: "k.pem"}, false, "", ""},
		{KeyFlags{Certificate: cert}, true, cert, cert},
		{KeyFlags{Certificate: cert, PrivateKey: key}, true, key, cert},
		{KeyFlags{Certificate: "c.pem", PrivateKey: key}, true, key, ""},
		{KeyFlags{Certificate: "c.pem", PrivateKey: "handle:0x81000001"}, true, "handle:0x81000001", ""},
		{KeyFlags{Certificate: cert, PrivateKey: "k.pem"}, true, "", cert},
	}
	for _, tt := range tests {
		k, err := NewKeys(tt.flags)
		if err != nil {
			t.Fatal(err)
		}
		files, err := k.Files(Host{})
		if err != nil {
			t.Fatal(err)
		}
		pair := k.Pair(Host{}, files)
		if k.InHardware() != tt.in || pair.Key != tt.key || pair.Certificate != tt.certIn {
			t.Errorf("%+v: in hardware %v, key %q, certificate %q", tt.flags, k.InHardware(), pair.Key, pair.Certificate)
		}
		if tt.flags.PrivateKey == "k.pem" && pair.Files.PrivateKey.Name() != "k.pem" {
			t.Errorf("%+v: key file %q", tt.flags, pair.Files.PrivateKey.Name())
		}
	}
	beside, err := NewKeys(KeyFlags{Certificate: "both.pem"})
	if err != nil {
		t.Fatal(err)
	}
	if p := beside.Pair(Host{}, signer.Files{Certificate: signer.File("both.pem")}); p.Files.PrivateKey.Name() != "both.pem" {
		t.Errorf("a key beside the certificate: %q", p.Files.PrivateKey.Name())
	}
}

// secret is what a function of keys.Options gives, or its error.
func secret(from func() ([]byte, error)) string {
	if from == nil {
		return "none"
	}
	text, err := from()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestKeys_Options_secrets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEDGE_TEST_PIN", "from variable")
	h := Host{Stdin: strings.NewReader("from stdin\n"), Ask: func(prompt string) ([]byte, error) { return []byte("answer to " + prompt), nil }}
	tests := []struct {
		name      string
		flags     KeyFlags
		pin, auth string
	}{
		{"nothing said", KeyFlags{}, "none", "none"},
		{"file", KeyFlags{PasswordFrom: file}, "from file", "from file"},
		{"variable", KeyFlags{PasswordFrom: "env:KEDGE_TEST_PIN"}, "from variable", "from variable"},
		{"prompt", KeyFlags{PasswordFrom: "prompt"}, "none", "answer to Password of tpm:handle=0x81000001"},
		{"official", KeyFlags{TPMPassword: "typed"}, "none", "typed"},
		{"official, none", KeyFlags{NoTPMPassword: true}, "none", ""},
		{"missing", KeyFlags{PasswordFrom: "env:KEDGE_TEST_UNSET"}, "--key-password-from: environment variable KEDGE_TEST_UNSET is not set", "--key-password-from: environment variable KEDGE_TEST_UNSET is not set"},
	}
	for _, tt := range tests {
		tt.flags.PrivateKey = "handle:0x81000001"
		k, err := NewKeys(tt.flags)
		if err != nil {
			t.Fatal(err)
		}
		o := k.Options(h)
		if pin, auth := secret(o.PIN), secret(o.Auth); pin != tt.pin || auth != tt.auth {
			t.Errorf("%s: PIN %q, auth value %q; want %q and %q", tt.name, pin, auth, tt.pin, tt.auth)
		}
	}
	k, err := NewKeys(KeyFlags{PasswordFrom: "-"})
	if err != nil {
		t.Fatal(err)
	}
	o := k.Options(h)
	for range 2 { // what can be read once is remembered
		if pin := secret(o.PIN); pin != "from stdin" {
			t.Errorf("standard input: PIN %q", pin)
		}
	}
	if answer, err := o.Ask("PIN of token \"t\""); err != nil || string(answer) != "answer to PIN of token \"t\"" {
		t.Errorf("asked: %q, %v", answer, err)
	}
}

func TestKeys_Options_sources(t *testing.T) {
	t.Setenv("KEDGE_TEST_AUTH", "from variable")
	k, err := NewKeys(KeyFlags{PrivateKey: "handle:0x81000001"})
	if err != nil {
		t.Fatal(err)
	}
	silent := errors.New("no terminal")
	o := k.Options(Host{Ask: func(prompt string) ([]byte, error) {
		if prompt == "Auth value of k" {
			return []byte("answer"), nil
		}
		return nil, silent
	}})
	for ref, want := range map[string]string{
		"env:KEDGE_TEST_AUTH": "from variable",
		"prompt":              "answer",
		"fd:x":                "fd: needs the number of an open descriptor, as in fd:3",
		"env:KEDGE_TEST_NONE": "environment variable KEDGE_TEST_NONE is not set",
	} {
		if got := secret(func() ([]byte, error) { return o.Source(ref, "auth value of k") }); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
	if _, err := k.Options(Host{}).Source("prompt", "auth value"); !errors.Is(err, errNotAsked) {
		t.Errorf("nobody asks: %v", err)
	}
}

func TestKeys_Options_environment(t *testing.T) {
	t.Setenv("KEDGE_PKCS11_HELPER", "/opt/kedge-pkcs11")
	t.Setenv("TPM_DEVICE", "/run/tpm.sock")
	t.Setenv("KEDGE_TEST_PIN", "1234")
	t.Setenv("KEDGE_TEST_PIN_NOT", "5678")
	k, err := NewKeys(KeyFlags{PrivateKey: "pkcs11:", PasswordFrom: "env:KEDGE_TEST_PIN", Library: "softhsm2", ReusePIN: true})
	if err != nil {
		t.Fatal(err)
	}
	o := k.Options(Host{})
	if o.Helper != "/opt/kedge-pkcs11" || o.Device != "/run/tpm.sock" || o.Library != "softhsm2" || !o.ReusePIN {
		t.Errorf("options %+v", o)
	}
	if slices.Contains(o.Environment, "KEDGE_TEST_PIN=1234") || !slices.Contains(o.Environment, "KEDGE_TEST_PIN_NOT=5678") {
		t.Errorf("environment of the module: %q", o.Environment)
	}
}

// What the module must not see is not in its environment, wherever a secret is said to be.
func TestKeys_Options_secretVariables(t *testing.T) {
	for name, value := range map[string]string{
		"KEDGE_TEST_KEY": "secret", "KEDGE_TEST_PARENT": "secret", "KEDGE_TEST_OTHER": "kept", "KEDGE_REGION": "kept",
		"KEDGE_TPM_KEY_PASSWORD": "secret", "KEDGE_PKCS8_PASSWORD": "secret", "KEDGE_CERTIFICATE": "pkcs11:token=t?pin-value=secret",
	} {
		t.Setenv(name, value)
	}
	k, err := NewKeys(KeyFlags{Certificate: "pkcs11:token=t", PrivateKey: "tpm:handle=0x81000001?auth-source=env:KEDGE_TEST_KEY&parent-auth-source=env:KEDGE_TEST_PARENT"})
	if err != nil {
		t.Fatal(err)
	}
	env := k.Options(Host{}).Environment
	for _, v := range env {
		if strings.Contains(v, "secret") {
			t.Errorf("%s is in it", v)
		}
	}
	for _, want := range []string{"KEDGE_TEST_OTHER=kept", "KEDGE_REGION=kept"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is not in it", want)
		}
	}
}

func TestReferences(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "key.pem": "key.pem", "env:X": "environment variable X", "fd:x": "", "pkcs11:token=t": "", "handle:0x81000001": "", "tpm:nonsense": "",
		"tpm:handle=0x81000001?auth-source=env:X":                        "environment variable X",
		"tpm:handle=0x81000001?auth-source=fd:7&parent-auth-source=auth": "descriptor 7 auth",
		"pkcs11:token=t?pin-source=file:/etc/pin":                        "/etc/pin",
	} {
		var names []string
		for _, in := range References(value) {
			names = append(names, in.Name())
		}
		if got := strings.TrimSpace(strings.Join(names, " ")); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestKeys_Warnings_hardware(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("1234"), 0o644); err != nil {
		t.Fatal(err)
	}
	const use = "use --key-password-from with PATH, fd:N, env:NAME, - or prompt"
	readable := []string{"password file " + open + " can be read by other users (mode 0644); run: chmod 600 " + open}
	tests := []struct {
		flags KeyFlags
		want  []string
	}{
		{KeyFlags{PrivateKey: "pkcs11:token=t"}, nil},
		{KeyFlags{Certificate: "pkcs11:token=t?pin-value=1", PrivateKey: "pkcs11:token=t?pin-value=1"}, []string{"the PIN in pin-value is visible in the process list; use pin-source, or " + use}},
		{KeyFlags{PrivateKey: "pkcs11:token=t?pin-source=file:" + open}, readable},
		{KeyFlags{PrivateKey: "handle:0x81000001", TPMPassword: "x"}, []string{"the password after --tpm-key-password is visible in the process list; " + use}},
		{KeyFlags{PrivateKey: "tpm:handle=0x81000001?auth-source=" + open}, readable},
		{KeyFlags{PrivateKey: "tpm:handle=0x81000001?auth-source=env:X"}, nil},
	}
	for _, tt := range tests {
		k, err := NewKeys(tt.flags)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Warnings(); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: warnings %q, want %q", tt.flags, got, tt.want)
		}
	}
}
