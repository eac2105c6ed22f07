package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCreateAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := CreateAll(File{Path: a, Data: []byte("1"), Mode: 0o600}, File{Path: b, Data: []byte("2"), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{a: "1", b: "2"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	c := filepath.Join(dir, "c")
	if err := CreateAll(File{Path: c, Data: []byte("3"), Mode: 0o600}, File{Path: b, Data: []byte("4"), Mode: 0o644}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if got, err := os.ReadFile(b); err != nil || string(got) != "2" {
		t.Errorf("what was there: %q, %v", got, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestWriteAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, content := range []string{"1", "2"} {
		if err := WriteAll(File{Path: a, Data: []byte(content), Mode: 0o600}, File{Path: b, Data: []byte(content), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(File{Path: a, Data: []byte("3"), Mode: 0o600}, File{Path: sub, Data: []byte("3"), Mode: 0o600}, File{Path: b, Data: []byte("3"), Mode: 0o600}); err == nil {
		t.Error("a folder was replaced")
	}
	c := filepath.Join(dir, "c")
	if err := os.Symlink(b, c); err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(File{Path: a, Data: []byte("3"), Mode: 0o600}, File{Path: c, Data: []byte("4"), Mode: 0o600}); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{a: "3", b: "4"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}
