//go:build unix

package credfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const alice, bob = 65533, 65534

// ownerOf returns the owner of a file.
func ownerOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
}

// A user who could open the lock file could make all updaters wait.
func TestUpdate_lockForOwnerAlone(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]os.FileMode{"new": 0, "of an earlier version": 0o644, "shared": 0o666} {
		dir := t.TempDir()
		path, lock := filepath.Join(dir, "credentials"), filepath.Join(dir, ".credentials.lock")
		if mode != 0 {
			write(t, lock, "", mode)
		}
		update(t, path, "p")
		if info, err := os.Lstat(lock); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// A lock file that root creates does not lock out the owner of the file.
func TestUpdate_lockOfOwner(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for name, tt := range map[string]struct {
		file, before bool // whether they are there
		folder, want int  // their owners
	}{
		"of the file":                       {true, false, 0, alice},
		"of the folder":                     {false, false, alice, alice},
		"of the file, not the folder":       {true, false, bob, alice},
		"root made it before, for the file": {true, true, alice, alice},
	} {
		dir := t.TempDir()
		path, lock := filepath.Join(dir, "credentials"), filepath.Join(dir, ".credentials.lock")
		if tt.file {
			write(t, path, "[q]\n", 0o600)
			give(t, path, alice)
		}
		if tt.before {
			write(t, lock, "", 0o644)
		}
		give(t, dir, tt.folder)
		update(t, path, "p")
		if mode(t, lock) != 0o600 || ownerOf(t, lock) != tt.want {
			t.Errorf("%s: it belongs to %d, mode %v", name, ownerOf(t, lock), mode(t, lock))
		}
	}
}

func give(t *testing.T, path string, user int) {
	t.Helper()
	if err := os.Lchown(path, user, user); err != nil {
		t.Fatal(err)
	}
}

// What another user puts in place of the lock file is neither used nor changed.
func TestUpdate_lockIsATrap(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for name, tt := range map[string]struct {
		put  func(victim, lock string) error
		want string
	}{
		"symbolic link": {os.Symlink, "is a symbolic link, not a lock: remove it"},
		"hard link":     {os.Link, "is in the place of the lock"},
		"pipe":          {func(_, lock string) error { return syscall.Mkfifo(lock, 0o644) }, "is in the place of the lock"},
		"bob's": {func(_, lock string) error {
			return os.WriteFile(lock, nil, 0o644)
		}, "belongs to another user (uid 65534), who could keep it locked: remove it"},
	} {
		dir := t.TempDir()
		path, lock, victim := filepath.Join(dir, "credentials"), filepath.Join(dir, ".credentials.lock"), filepath.Join(dir, "victim")
		write(t, path, "[q]\n", 0o600)
		give(t, path, alice)
		write(t, victim, "", 0o644)
		if err := tt.put(victim, lock); err != nil {
			t.Fatal(err)
		}
		if name == "bob's" {
			give(t, lock, bob)
		}
		err := Update(t.Context(), path, mustSection(t, Credentials, "p"), keys())
		if err == nil || !strings.Contains(err.Error(), lock+" "+tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		want(t, path, "[q]\n")
		if mode(t, victim) != 0o644 || ownerOf(t, victim) != 0 {
			t.Errorf("%s: another file now belongs to %d, mode %v", name, ownerOf(t, victim), mode(t, victim))
		}
	}
}

// Root follows a user's link to that user's own file only.
func TestUpdate_linkOfAnother(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for owner, followed := range map[int]bool{bob: true, alice: false, 0: false} {
		dir, home := t.TempDir(), t.TempDir()
		path, link := filepath.Join(dir, "credentials"), filepath.Join(home, "link")
		write(t, path, "[q]\n", 0o600)
		give(t, path, owner)
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		give(t, link, bob)
		give(t, home, bob)
		err := Update(t.Context(), link, mustSection(t, Credentials, "p"), keys())
		if followed != (err == nil) || err != nil && !strings.Contains(err.Error(), link+" is a symbolic link of another user (uid 65534) to "+path) {
			t.Errorf("to the file of %d: %v", owner, err)
		}
		if !followed {
			want(t, path, "[q]\n")
		}
	}
}
