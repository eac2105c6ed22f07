//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
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
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(File{Path: path, Data: []byte("new"), Mode: info.Mode().Perm(), Owner: info}); err != nil {
		t.Fatal(err)
	}
	info, err = os.Stat(path)
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
	err := WriteAll(File{Path: path, Data: []byte("new"), Mode: 0o600, Owner: ofRoot{}})
	got, _ := os.ReadFile(path)
	if !errors.Is(err, fs.ErrPermission) || string(got) != "old" {
		t.Errorf("%v; the file holds %q", err, got)
	}
}

// ofRoot is a file of root's.
type ofRoot struct{}

func (ofRoot) Name() string       { return "" }
func (ofRoot) Size() int64        { return 0 }
func (ofRoot) Mode() fs.FileMode  { return 0 }
func (ofRoot) ModTime() time.Time { return time.Time{} }
func (ofRoot) IsDir() bool        { return false }
func (ofRoot) Sys() any           { return &syscall.Stat_t{} }
