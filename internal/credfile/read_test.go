//go:build unix

package credfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe without a writer does not block.
func TestRead_noFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, folder := filepath.Join(dir, "pipe"), filepath.Join(dir, "folder")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, pipe, pipe+" is not a regular file")
	checkRefused(t, "/dev/zero", "/dev/zero is not a regular file")
	checkRefused(t, folder, folder+" is a directory, not a file")
}

// A file that is too large is not read, and not changed.
func TestRead_tooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	head := "[p]\n# "
	write(t, path, head+strings.Repeat("x", maxFile-len(head)), 0o600)
	if p, err := Read(path, mustSection(t, Credentials, "p")); err != nil || !p.Found {
		t.Errorf("the largest: %+v, %v", p, err)
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, path, path+" has more than 16 MiB, which no file of profiles has: check the path")
}

func checkRefused(t *testing.T, path, message string) {
	t.Helper()
	s := mustSection(t, Credentials, "p")
	_, read := Read(path, s)
	_, _, preview := Preview(path, s, keys())
	for name, err := range map[string]error{"Read": read, "Preview": preview, "Update": Update(t.Context(), path, s, keys())} {
		if err == nil || err.Error() != message {
			t.Errorf("%s: %v, want %s", name, err, message)
		}
	}
}
