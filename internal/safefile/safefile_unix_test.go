//go:build unix

package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger is a user who is neither root nor the one of this process.
const stranger = 65533

// place returns a folder that no other user can change, in a path that no other user can change.
func place(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if problem, err := onTheWay(filepath.Join(dir, "x")); problem != "" || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("TMPDIR is not safe, or taken for that: it %s %v", problem, err)
	}
	return dir
}

func write(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte("text"), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func give(t *testing.T, path string, uid int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Lchown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// attacks are ways to have a file at path that another user wrote or can change; each returns the
// text of the error.
var attacks = map[string]struct {
	make func(t *testing.T, path string)
	says string
}{
	"group can write": {func(t *testing.T, path string) { write(t, path, 0o620) }, "can be changed by other users (mode 0620)"},
	"all can write":   {func(t *testing.T, path string) { write(t, path, 0o602) }, "can be changed by other users (mode 0602)"},
	"foreign": {func(t *testing.T, path string) { write(t, path, 0o644); give(t, path, stranger) },
		"belongs to another user (uid 65533"},
	"pipe": {func(t *testing.T, path string) {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
	}, "is a named pipe, not a file"},
	"folder": {func(t *testing.T, path string) {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}, "is a folder, not a file"},
	"shared folder": {func(t *testing.T, path string) { write(t, path, 0o600); chmod(t, filepath.Dir(path), 0o777) },
		"where other users can put another file in its place (mode 0777)"},
	"folder above": {func(t *testing.T, path string) {
		write(t, path, 0o600)
		chmod(t, filepath.Dir(filepath.Dir(path)), 0o777)
	}, "where other users can put another file in its place (mode 0777)"},
	"folder of a foreign group": {func(t *testing.T, path string) {
		write(t, path, 0o600)
		if os.Geteuid() != 0 {
			t.Skip("only root can give files away")
		}
		if err := os.Chown(filepath.Dir(path), -1, stranger); err != nil {
			t.Fatal(err)
		}
		chmod(t, filepath.Dir(path), 0o770)
	}, "where other users can put another file in its place (mode 0770)"},
	"foreign folder": {func(t *testing.T, path string) { write(t, path, 0o600); give(t, filepath.Dir(path), stranger) },
		"a folder of another user (uid 65533), who can put another file in its place"},
}

func TestAttacks(t *testing.T) {
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(place(t), "a", "b", "f")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			a.make(t, path)
			_, err := Read(path, 100)
			if unsafe, ok := errors.AsType[*UnsafeError](err); !ok || unsafe.File != path || !strings.Contains(unsafe.Problem, a.says) {
				t.Errorf("Read: %v", err)
			}
			file, err := OpenLeftover(path)
			if left, ok := errors.AsType[*LeftoverError](err); file != nil || !ok || left.File != path || !strings.Contains(left.Problem, a.says) {
				t.Errorf("OpenLeftover: %v", err)
			}
		})
	}
}

func TestRead(t *testing.T) {
	dir := place(t)
	path, link := filepath.Join(dir, "f"), filepath.Join(dir, "link")
	write(t, path, 0o644)
	if err := os.Symlink("f", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, link} {
		if data, err := Read(path, 4); err != nil || string(data) != "text" {
			t.Errorf("%q, %v", data, err)
		}
	}
	if _, err := Read(path, 3); err == nil || !strings.HasSuffix(err.Error(), "f is larger than 0 KiB") {
		t.Error(err)
	}
	if _, err := Read(filepath.Join(dir, "none"), 4); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	chmod(t, dir, 0o777|fs.ModeSticky) // as /tmp is
	if _, err := Read(path, 4); err != nil {
		t.Error(err)
	}
	give(t, link, stranger)
	if _, err := Read(link, 4); err == nil || !strings.Contains(err.Error(), "a symbolic link of another user (uid 65533)") {
		t.Error(err)
	}
}

// A configuration file of root is accepted, but not as a leftover of another user's run.
func TestOpenLeftover(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, "f")
	write(t, path, 0o600)
	file, err := OpenLeftover(path)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if _, err := OpenLeftover(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	tests := map[string]func(name string) error{
		"is a symbolic link":                 func(name string) error { return os.Symlink("f", name) },
		"has 2 names (hard links), of which": func(name string) error { return os.Link(path, name) },
	}
	for says, do := range tests {
		name := filepath.Join(dir, "other")
		if err := do(name); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenLeftover(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// A process that was killed between two names leaves the hidden one, on file systems without
// unnamed files.
func TestOpenLeftover_hidden(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, "f")
	write(t, path, 0o600)
	if err := os.Link(path, filepath.Join(dir, ".f.kedge-123")); err != nil {
		t.Skip(err)
	}
	file, err := OpenLeftover(path)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
}

func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := ReadRegular(path, 10); err == nil || err.Error() != path+" is a named pipe, not a file" {
		t.Error(err)
	}
	path = filepath.Join(dir, "f")
	write(t, path, 0o666)
	if data, err := ReadRegular(path, 10); err != nil || string(data) != "text" {
		t.Errorf("%q, %v", data, err)
	}
}
