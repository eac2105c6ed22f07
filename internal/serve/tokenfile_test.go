//go:build unix

package serve

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The token goes into a new file, or one with a token: nothing else is replaced, and no link followed.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	const old = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	text := func(content string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o644) }
	}
	for name, tt := range map[string]struct {
		put     func(path string) error
		refused string // empty: it is written
	}{
		"nothing":             {func(string) error { return nil }, ""},
		"token":               {text(old), ""},
		"empty":               {text(""), "it holds something else than a token of kedge"},
		"key":                 {text("-----BEGIN PRIVATE KEY-----"), "it holds something else than a token of kedge"},
		"token, line ended":   {text(old + "\n"), "it holds something else than a token of kedge"},
		"token, small":        {text(strings.ToLower(old)), "it holds something else than a token of kedge"},
		"two tokens":          {text(old + old), "it holds something else than a token of kedge"},
		"link to a token":     {func(path string) error { return os.Symlink("token", path) }, "is not a regular file"},
		"link to nothing":     {func(path string) error { return os.Symlink("none", path) }, "is not a regular file"},
		"pipe":                {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "is not a regular file"},
		"folder":              {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory, not a file"},
		"folder with a token": {func(path string) error { return os.MkdirAll(path+"/token", 0o700) }, "is a directory, not a file"},
	} {
		dir := t.TempDir()
		path, beside := filepath.Join(dir, "f"), filepath.Join(dir, "token")
		must(t, os.WriteFile(beside, []byte(old), 0o600), tt.put(path))
		before, beforeErr := os.Lstat(path)
		f, err := NewTokenFile(path)
		if tt.refused != "" {
			after, afterErr := os.Lstat(path)
			if err == nil || !strings.Contains(err.Error(), tt.refused) || (beforeErr == nil) != (afterErr == nil) || beforeErr == nil && !os.SameFile(before, after) {
				t.Errorf("%s: %v", name, err)
			}
		} else {
			must(t, err)
			info, err := os.Lstat(path)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
			must(t, f.Write(), f.Remove(), f.Remove())
			if _, err := os.Lstat(path); !os.IsNotExist(err) {
				t.Errorf("%s: it is not removed: %v", name, err)
			}
		}
		if got, err := os.ReadFile(beside); err != nil || string(got) != old {
			t.Errorf("%s: the file beside holds %q, %v", name, got, err)
		}
	}
}

// Folders that are missing are made, for this user alone.
func TestTokenFile_folder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := NewTokenFile(filepath.Join(dir, "a", "b", "token"))
	must(t, err)
	if info, err := os.Stat(filepath.Dir(f.path)); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
