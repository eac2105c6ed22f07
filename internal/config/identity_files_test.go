package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestKeys_CheckFiles: each file is read, and nothing else.
func TestKeys_CheckFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, none := filepath.Join(dir, "file"), filepath.Join(dir, "none")
	if err := os.WriteFile(file, []byte("anything"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flags KeyFlags
		want  string // the flag that is refused; empty for none
	}{
		{KeyFlags{Certificate: file, PrivateKey: file, Intermediates: file, PasswordFrom: file}, ""},
		{KeyFlags{Certificate: none, PrivateKey: none}, "certificate"},
		{KeyFlags{Certificate: dir}, "certificate"},
		{KeyFlags{Certificate: file, PrivateKey: none}, "private-key"},
		{KeyFlags{Certificate: file, PrivateKey: "file:" + none}, "private-key"},
		{KeyFlags{Certificate: file, Intermediates: none}, "intermediates"},
		{KeyFlags{Certificate: file, PasswordFrom: none}, "key-password-from"},
		{KeyFlags{Certificate: file, PrivateKey: "fd:99", PasswordFrom: "env:KEDGE_TEST_NONE"}, ""},
		{KeyFlags{Certificate: file, PrivateKey: "pkcs11:object=none", PasswordFrom: "prompt"}, ""},
	} {
		keys, err := NewKeys(tt.flags)
		if err != nil {
			t.Fatal(err)
		}
		err = keys.CheckFiles()
		refused, ok := errors.AsType[*FlagError](err)
		if (err != nil) != (tt.want != "") || ok && refused.Flag != tt.want {
			t.Errorf("%+v: %v, want --%s", tt.flags, err, tt.want)
		}
	}
}
