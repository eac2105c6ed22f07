package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kedge/signer/keyfile"
)

func TestPassword_Read(t *testing.T) {
	t.Setenv("KEDGE_TEST_PASSWORD", "from a variable")
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "file"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{file: "from a file\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	none := errors.New("no terminal")
	tests := []struct {
		ref     string
		answers []string
		want    string
		err     string
	}{
		{file, nil, "from a file", ""},
		{"env:KEDGE_TEST_PASSWORD", nil, "from a variable", ""},
		{"", []string{"typed", "typed"}, "typed", ""},
		{"prompt", []string{"typed", "typed"}, "typed", ""},
		{"", []string{"typed", "typo"}, "", "the two passwords differ"},
		{"", []string{"", ""}, "", "the password is empty"},
		{empty, nil, "", "the password is empty"},
		{"", nil, "", keyfile.ErrPasswordRequired.Error() + " (no terminal)"},
		{"prompt", nil, "", "--pkcs12-password-from prompt: no terminal"},
	}
	for _, tt := range tests {
		p, err := NewPassword("pkcs12-password-from", tt.ref)
		if err != nil {
			t.Fatal(err)
		}
		h := Host{Ask: func(string) ([]byte, error) {
			if len(tt.answers) == 0 {
				return nil, none
			}
			answer := tt.answers[0]
			tt.answers = tt.answers[1:]
			return []byte(answer), nil
		}}
		got, err := p.Read(h, "web-01.p12")
		if string(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%q: %q, %v; want %q, %q", tt.ref, got, err, tt.want, tt.err)
		}
		if wantWarning := tt.ref == file || tt.ref == empty; (len(p.Warnings()) > 0) != wantWarning {
			t.Errorf("%q: warnings %q", tt.ref, p.Warnings())
		}
	}
	if _, err := NewPassword("pkcs12-password-from", "fd:x"); err == nil || err.Error() != "--pkcs12-password-from: fd: needs the number of an open descriptor, as in fd:3" {
		t.Error(err)
	}
}
