package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCheckFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, none := filepath.Join(dir, "file"), filepath.Join(dir, "none")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		check      func(flag, path string) error
		path, want string
	}{
		{CheckFolder, dir, ""},
		{CheckFolder, file, "--out: " + file + " is not a folder"},
		{CheckFolder, none, "--out: the folder " + none + " does not exist"},
		{CheckNewFolder, dir, ""},
		{CheckNewFolder, file, "--out: " + file + " is not a folder"},
		{CheckNewFolder, none, ""},
	} {
		err := tt.check("out", tt.path)
		if _, ok := errors.AsType[*FolderError](err); ok != (tt.want != "") || ok && err.Error() != tt.want {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}
}
