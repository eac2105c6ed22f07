package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

// A key that is being written has no name, so that a kill leaves nothing.
func TestCreate_nameless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := openTarget(t, filepath.Join(dir, "key"))
	s, err := stageNameless(target, File{Data: []byte("secret"), Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	if s.nameless == nil {
		t.Skipf("the file system of %s has no files without a name", dir)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("before it has its name: %v, %v", entries, err)
	}
	if err := create(s); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, "key")
	if got, err := os.ReadFile(target.Path()); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
}

// Without /proc, the hidden file is used.
func TestCreate_withoutProc(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := openTarget(t, filepath.Join(dir, "key"))
	closed, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // /proc does not have it
	if err := create(&staged{File: File{Data: []byte("secret"), Mode: 0o640}, Target: target, nameless: closed}); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, dir, "key")
	if info, err := os.Stat(target.Path()); err != nil || info.Mode().Perm() != 0o640 || info.Size() != 6 {
		t.Errorf("%v, %v", info, err)
	}
}

// The hidden file is used where unnamed files do not exist.
func TestCreate_hidden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := openTarget(t, filepath.Join(dir, "key"))
	for range 2 {
		s, err := stage(target, File{Data: []byte("secret"), Mode: 0o600})
		if err != nil {
			t.Fatal(err)
		}
		if err := create(s); err != nil && err.Error() != "create "+target.Path()+": file already exists" {
			t.Error(err)
		}
		wantOnly(t, dir, "key")
	}
}

func openTarget(t *testing.T, path string) *Target {
	t.Helper()
	target, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}
