package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseInput(t *testing.T) {
	tests := []struct {
		text, name, wantErr string
	}{
		{"", "", ""},
		{"key.pem", "key.pem", ""},
		{"/etc/a b.pem", "/etc/a b.pem", ""},
		{`C:\key.pem`, `C:\key.pem`, ""},
		{"file:fd:3", "fd:3", ""},
		{"file:///etc/key.pem", "///etc/key.pem", ""},
		{"-", "standard input", ""},
		{"fd:0", "standard input", ""},
		{"fd:3", "descriptor 3", ""},
		{"env:KEY", "environment variable KEY", ""},
		{"fd:", "", "needs the number of an open descriptor"},
		{"fd:-1", "", "needs the number of an open descriptor"},
		{"fd:x", "", "needs the number of an open descriptor"},
		{"env:", "", "needs the name of a variable"},
		{"env:A=B", "", "needs the name of a variable"},
		{"file:", "", "needs a path"},
		{"a\x00b", "", "NUL"},
		{"pkcs11:token=t", "", "not bytes that can be read here"},
		{"handle:0x81000001", "", "not bytes that can be read here"},
		{"tpm:key", "", "not bytes that can be read here"},
	}
	for _, tt := range tests {
		in, err := ParseInput(tt.text)
		if tt.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("ParseInput(%q): %v, want %q", tt.text, err, tt.wantErr)
			}
			continue
		}
		if err != nil || in.Name() != tt.name {
			t.Errorf("ParseInput(%q) = %q, %v; want %q", tt.text, in.Name(), err, tt.name)
		}
	}
}

// What parses prints as something that parses to the same.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{"", "-", "fd:3", "env:A", "file:-", "file:file:x", "a:b", "pkcs11:x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := ParseInput(text)
		if err != nil {
			return
		}
		again, err := ParseInput(in.String())
		if err != nil || again != in {
			t.Errorf("%q prints as %q, which is %v, %v", text, in.String(), again, err)
		}
	})
}

func TestRead(t *testing.T) {
	t.Setenv("KEDGE_TEST_SET", "from the environment")
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ ref, want, wantErr string }{
		{path, "from a file", ""},
		{"file:" + path, "from a file", ""},
		{"-", "from standard input", ""},
		{"env:KEDGE_TEST_SET", "from the environment", ""},
		{"env:KEDGE_TEST_UNSET", "", "environment variable KEDGE_TEST_UNSET is not set"},
		{path + ".missing", "", "no such file"},
		{"fd:999", "", "read descriptor 999: "},
		{filepath.Dir(path), "", " is a folder, not a file"},
	}
	for _, tt := range tests {
		in, err := ParseInput(tt.ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.read(strings.NewReader("from standard input"), 100)
		if tt.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("%s: %v, want %q", tt.ref, err, tt.wantErr)
			}
		} else if err != nil || string(got) != tt.want {
			t.Errorf("%s: %q, %v", tt.ref, got, err)
		}
		if _, err := in.read(strings.NewReader("from standard input"), 5); err == nil {
			t.Errorf("%s: more than the limit was read", tt.ref)
		}
	}
}

func TestInput_Text(t *testing.T) {
	t.Setenv("KEDGE_TEST_WHERE", "postgres://db/ca\n")
	tests := []struct{ ref, want, err string }{
		{"env:KEDGE_TEST_WHERE", "postgres://db/ca", ""},
		{"-", "from a pipe", ""},
		{"env:KEDGE_TEST_NOTHING", "", "environment variable KEDGE_TEST_NOTHING is not set"},
	}
	for _, tt := range tests {
		in, err := ParseInput(tt.ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.Text(strings.NewReader("from a pipe\r\n"))
		if got != tt.want || (tt.err == "") != (err == nil) || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %q, %v", tt.ref, got, err)
		}
	}
}
