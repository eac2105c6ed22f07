//go:build unix

package hostfiles

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kedge/internal/safefile"
)

// stranger is a user who is neither root nor the one of this process.
const stranger = 65533

// planted are ways to put a key at path that no interrupted run of this user left.
var planted = map[string]func(t *testing.T, path string) error{
	"foreign": func(t *testing.T, path string) error {
		writeKey(t, path)
		return giveAway(t, path)
	},
	"writable": func(t *testing.T, path string) error {
		writeKey(t, path)
		return os.Chmod(path, 0o660)
	},
	"link": func(t *testing.T, path string) error {
		writeKey(t, path+".other")
		return os.Symlink(path+".other", path)
	},
	"second name": func(t *testing.T, path string) error {
		writeKey(t, path+".other")
		return os.Link(path+".other", path)
	},
	"pipe": func(_ *testing.T, path string) error { return syscall.Mkfifo(path, 0o600) },
	"shared folder": func(t *testing.T, path string) error {
		writeKey(t, path)
		return os.Chmod(filepath.Dir(path), 0o777)
	},
	"foreign folder": func(t *testing.T, path string) error {
		writeKey(t, path)
		return giveAway(t, filepath.Dir(path))
	},
}

func giveAway(t *testing.T, path string) error {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	return os.Lchown(path, stranger, -1)
}

func isLeftover(err error, path string) bool {
	left, ok := errors.AsType[*safefile.LeftoverError](err)
	return ok && left.File == path
}

func TestPlanted(t *testing.T) {
	t.Parallel()
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths := pathsIn(t, t.TempDir())
			if err := plant(t, paths.Key); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			p, err := Begin(ctx, paths, never)
			if p != nil || !isLeftover(err, paths.Key) {
				t.Errorf("Begin: %v", err)
			}
			// A file that was planted during the wait for the lock.
			err = (&Pending{Resumed: true, paths: paths}).check()
			if !isLeftover(err, paths.Key) {
				t.Errorf("with the lock: %v", err)
			}
			paths = pathsIn(t, t.TempDir())
			writeKey(t, paths.Key)
			if err := plant(t, paths.Key+".new"); err != nil {
				t.Fatal(err)
			}
			if _, err = ResumeReplacement(paths); !isLeftover(err, paths.Key+".new") {
				t.Errorf("ResumeReplacement: %v", err)
			}
		})
	}
}

// In a folder like /tmp, another user can take the names of the other files, too.
func TestWrite_link(t *testing.T) {
	t.Parallel()
	dir, mine := t.TempDir(), filepath.Join(t.TempDir(), "mine")
	paths := pathsIn(t, dir)
	writeKey(t, paths.Key)
	err := errors.Join(os.Chmod(dir, 0o777|fs.ModeSticky), os.WriteFile(mine, []byte("mine"), 0o600), os.Symlink(mine, paths.Chain), giveAway(t, paths.Chain))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Begin(t.Context(), paths, never)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Write(certify(t, p), Format{}); err == nil {
		t.Error("the link of another user was followed")
	}
	if !bytes.Equal(read(t, mine), []byte("mine")) {
		t.Error("a file was written that the other user chose")
	}
	if err := os.Symlink("nowhere", paths.Certificate); err != nil {
		t.Fatal(err)
	}
	if _, err := Begin(t.Context(), paths, never); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}

func TestRead_pipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := ReadCertificate(path); err == nil || err.Error() != path+" is a named pipe, not a file" {
		t.Error(err)
	}
	if _, err := ReadKey(path); err == nil || err.Error() != path+" is a named pipe, not a file" {
		t.Error(err)
	}
}
