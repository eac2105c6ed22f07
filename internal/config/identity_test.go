package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/signer"
	"kedge/signer/keyfile"
)

func TestNewKeys_refusals(t *testing.T) {
	tests := []struct {
		name  string
		flags KeyFlags
		want  string
	}{
		{"standard input twice", KeyFlags{Certificate: "-", PrivateKey: "-"}, "--private-key: standard input is read by --certificate already; where one input carries both, give it to --certificate alone"},
		{"standard input as descriptor", KeyFlags{Certificate: "-", PasswordFrom: "fd:0"}, "--key-password-from: standard input is read by --certificate already; where one input carries both, give it to --certificate alone"},
		{"descriptor twice", KeyFlags{PrivateKey: "fd:3", Intermediates: "fd:3"}, "--intermediates: descriptor 3 is read by --private-key already; where one input carries both, give it to --certificate alone"},
		{"hardware", KeyFlags{Certificate: "c.pem", Intermediates: "pkcs11:token=t"}, "--intermediates: pkcs11: names what is in hardware, not bytes that can be read here"},
		{"password in hardware", KeyFlags{PasswordFrom: "tpm:handle=0x81000001"}, "--key-password-from: tpm: names what is in hardware, not bytes that can be read here"},
		{"bad token URI", KeyFlags{PrivateKey: "pkcs11:token=t;token=u"}, "--private-key: PKCS#11 URI: token: is given twice"},
		{"bad handle", KeyFlags{PrivateKey: "handle:0x40000001"}, `--private-key: URI of a TPM key: handle "0x40000001" is not persistent: those are 0x81000000 to 0x81ffffff`},
		{"no key", KeyFlags{PrivateKey: "tpm:device=/dev/tpm0"}, "--private-key: URI of a TPM key: names no key: file=PATH or handle=0x81…"},
		{"certificate in a TPM", KeyFlags{Certificate: "tpm:handle=0x81000001"}, "--certificate: a TPM holds no certificate: give its file here, and the key with --private-key"},
		{"two passwords", KeyFlags{PasswordFrom: "-", Password: "x"}, "--key-password-from: cannot be used together with --pkcs8-password"},
		{"bad reference", KeyFlags{PasswordFrom: "fd:x"}, "--key-password-from: fd: needs the number of an open descriptor, as in fd:3"},
	}
	for _, tt := range tests {
		_, err := NewKeys(tt.flags)
		if _, ok := errors.AsType[*FlagError](err); !ok || err.Error() != tt.want {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	if _, err := NewKeys(KeyFlags{Certificate: "a", PrivateKey: "a", Intermediates: "a"}); err != nil {
		t.Errorf("one file for all: %v", err)
	}
	if _, err := NewKeys(KeyFlags{Certificate: "-", PrivateKey: "fd:3", Intermediates: "fd:4", PasswordFrom: "fd:5"}); err != nil {
		t.Errorf("a stream for each: %v", err)
	}
}

func TestPassword(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("KEDGE_TEST_PASSWORD", "secret\n")
	noTerminal := func(string) ([]byte, error) { return nil, errors.New("there is no terminal to ask on") }
	terminal := func(prompt string) ([]byte, error) { return []byte("answer to " + prompt), nil }
	tests := []struct {
		name    string
		flags   KeyFlags
		ask     func(string) ([]byte, error)
		want    string
		wantErr string
	}{
		{"file", KeyFlags{PasswordFrom: file("plain", "secret")}, nil, "secret", ""},
		{"line feed", KeyFlags{PasswordFrom: file("lf", "secret\n")}, nil, "secret", ""},
		{"CRLF", KeyFlags{PasswordFrom: file("crlf", "secret\r\n")}, nil, "secret", ""},
		{"one line ending only", KeyFlags{PasswordFrom: file("two", "secret\n\n")}, nil, "secret\n", ""},
		{"byte order mark", KeyFlags{PasswordFrom: file("mark", "\xef\xbb\xbfsecret\r\n")}, nil, "secret", ""},
		{"UTF-16", KeyFlags{PasswordFrom: file("utf16", "\xff\xfes\x00e\x00c\x00")}, nil, "", "--key-password-from: " + filepath.Join(dir, "utf16") + ": it is UTF-16 text; save it as UTF-8"},
		{"UTF-16, big-endian", KeyFlags{PasswordFrom: file("utf16be", "\xfe\xff\x00s\x00e")}, nil, "", "--key-password-from: " + filepath.Join(dir, "utf16be") + ": it is UTF-16 text; save it as UTF-8"},
		{"empty file", KeyFlags{PasswordFrom: file("empty", "")}, nil, "", ""},
		{"standard input", KeyFlags{PasswordFrom: "-"}, nil, "from stdin", ""},
		{"environment, as it is", KeyFlags{PasswordFrom: "env:KEDGE_TEST_PASSWORD"}, nil, "secret\n", ""},
		{"command line", KeyFlags{Password: "secret"}, nil, "secret", ""},
		{"prompt", KeyFlags{PasswordFrom: "prompt"}, terminal, "answer to Password of key.pem", ""},
		{"no flag, terminal", KeyFlags{}, terminal, "answer to Password of key.pem", ""},
		{"no flag, no terminal", KeyFlags{}, noTerminal, "", "encrypted, and no password was given (there is no terminal to ask on)"},
		{"prompt, no terminal", KeyFlags{PasswordFrom: "prompt"}, noTerminal, "", "--key-password-from prompt: there is no terminal to ask on"},
		{"nobody asks", KeyFlags{}, nil, "", "encrypted, and no password was given (this program does not ask)"},
		{"unset variable", KeyFlags{PasswordFrom: "env:KEDGE_TEST_UNSET"}, nil, "", "--key-password-from: environment variable KEDGE_TEST_UNSET is not set"},
		{"not a password", KeyFlags{PasswordFrom: file("long", strings.Repeat("x", maxPassword+1))}, nil, "", "--key-password-from: " + filepath.Join(dir, "long") + " is larger than 4 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.flags.PrivateKey = "key.pem"
			keys, err := NewKeys(tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			files, err := keys.Files(Host{Stdin: strings.NewReader("from stdin\n"), Ask: tt.ask, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a stream and a person are asked once, and remembered
				got, err := files.Password()
				if tt.wantErr != "" {
					if err == nil || err.Error() != tt.wantErr {
						t.Fatalf("error %v, want %s", err, tt.wantErr)
					}
				} else if err != nil || string(got) != tt.want {
					t.Fatalf("got %q, %v", got, err)
				}
			}
		})
	}
	if _, err := (passwordSource{}).ask(Host{Ask: noTerminal}, "k"); !errors.Is(err, keyfile.ErrPasswordRequired) {
		t.Errorf("a missing password is %v", err)
	}
}

// That a group reads a key is how systemd and Kubernetes give it to the user of a service.
func TestWarnings_modes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "", 0o440: "", 0o040: "",
		0o660: "can be changed by its group (mode 0660)", 0o420: "can be changed by its group (mode 0420)",
		0o644: "can be read by other users (mode 0644)", 0o604: "can be read by other users (mode 0604)",
		0o666: "can be read by other users (mode 0666)", 0o602: "can be read by other users (mode 0602)",
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		var warning []string
		if want != "" {
			warning = []string{"private key " + path + " " + want + "; run: chmod 600 " + path}
		}
		if got := OpenToOthers("private key", path); !slices.Equal(got, warning) {
			t.Errorf("mode %04o: %q", mode, got)
		}
	}
}

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for path, mode := range map[string]os.FileMode{open: 0o644, closed: 0o600} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		flags KeyFlags
		want  []string
	}{
		{"all is well", KeyFlags{Certificate: open, PrivateKey: closed, PasswordFrom: closed}, nil},
		{"key", KeyFlags{Certificate: open, PrivateKey: open}, []string{"private key " + open + " can be read by other users (mode 0644); run: chmod 600 " + open}},
		{"key beside the certificate", KeyFlags{Certificate: open}, []string{"private key " + open + " can be read by other users (mode 0644); run: chmod 600 " + open}},
		{"password", KeyFlags{PrivateKey: closed, PasswordFrom: open}, []string{"password file " + open + " can be read by other users (mode 0644); run: chmod 600 " + open}},
		{"password on the command line", KeyFlags{PrivateKey: closed, Password: "x"}, []string{"the password after --pkcs8-password is visible in the process list; use --key-password-from with PATH, fd:N, env:NAME, - or prompt"}},
		{"no file", KeyFlags{PrivateKey: "env:X", PasswordFrom: dir}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys, err := NewKeys(tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			if got := keys.Warnings(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestFiles_inputs(t *testing.T) {
	t.Setenv("KEDGE_TEST_KEY", "a key")
	keys, err := NewKeys(KeyFlags{Certificate: "-", PrivateKey: "env:KEDGE_TEST_KEY", Intermediates: "i.pem"})
	if err != nil {
		t.Fatal(err)
	}
	files, err := keys.Files(Host{Stdin: strings.NewReader("a certificate")})
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := files.Certificate.Read()
	key, _ := files.PrivateKey.Read()
	if string(cert) != "a certificate" || string(key) != "a key" || files.Intermediates.Name() != "i.pem" {
		t.Errorf("got %q, %q, %q", cert, key, files.Intermediates.Name())
	}
	large := strings.NewReader(strings.Repeat("x", signer.MaxFile+1))
	if _, err := keys.Files(Host{Stdin: large}); err == nil || err.Error() != "standard input is larger than 1024 KiB" {
		t.Errorf("a large input: %v", err)
	}
}
