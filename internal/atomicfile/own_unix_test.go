//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWriteAll_keepsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, 12); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := WriteAll(File{Path: path, Data: []byte("new"), Mode: 0o640, Like: old}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 65534 || stat.Gid != 12 || info.Mode().Perm() != 0o640 {
		t.Errorf("it belongs to %d:%d, mode %v", stat.Uid, stat.Gid, info.Mode())
	}
}

// A file of another user is not replaced by one of ours.
func TestWriteAll_foreignOwner(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can give files to anybody")
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	ofRoot, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer ofRoot.Close()
	err = WriteAll(File{Path: path, Data: []byte("new"), Mode: 0o600, Like: ofRoot})
	got, _ := os.ReadFile(path)
	if !errors.Is(err, fs.ErrPermission) || string(got) != "old" {
		t.Errorf("%v; the file holds %q", err, got)
	}
}
