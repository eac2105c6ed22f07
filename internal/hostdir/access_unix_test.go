//go:build unix

package hostdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A group that may read the key keeps that, in every new pair.
func TestAccess_kept(t *testing.T) {
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	group := os.Getgid()
	if len(groups) > 0 {
		group = groups[len(groups)-1]
	}
	if os.Geteuid() == 0 {
		group = 7
	}
	dir := filepath.Join(t.TempDir(), "web-01")
	access := Access{Group: group, ByGroup: true}
	f, err := Create(t.Context(), dir, access, lockTimeout)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Switch(pairFor(t, f.Enrollment(), "first"), access); err != nil {
		t.Fatal(err)
	}
	kept, ok := f.Access()
	if !ok || kept != access {
		t.Errorf("got %+v, want %+v", kept, access)
	}
	if err := f.Switch(pairFor(t, f.Enrollment(), "second"), kept); err != nil {
		t.Fatal(err)
	}
	// What is set by hand stays, too.
	key := filepath.Join(dir, "current", KeyName)
	for _, mode := range []os.FileMode{0o600, 0o640} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		if changed, ok := f.Access(); !ok || changed.ByGroup != (mode == 0o640) {
			t.Errorf("with mode %o: %+v", mode, changed)
		}
	}
	if err := f.WriteState(State{Failures: 1}, kept); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{
		".": 0o750, "pair-2": 0o750, "current/leaf.key": 0o640, "current/leaf.pem": 0o640, "current/identity.json": 0o640, "state.json": 0o640,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode || int(info.Sys().(*syscall.Stat_t).Gid) != group {
			t.Errorf("%s has mode %o and group %d", name, info.Mode().Perm(), info.Sys().(*syscall.Stat_t).Gid)
		}
	}
}

// Nobody works on a folder that another user can change: what it writes there could land elsewhere.
func TestOpen_others(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web-01")
	open(t, dir).Close()
	for _, mode := range []os.FileMode{0o770, 0o707, 0o720, 0o702, 0o777} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, lockTimeout); !errors.As(err, new(*FolderError)) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, lockTimeout); !errors.As(err, new(*FolderError)) || !strings.Contains(err.Error(), "in its place") {
		t.Errorf("in a folder where others can replace it: %v", err)
	}
	if _, err := Create(t.Context(), filepath.Join(filepath.Dir(dir), "new"), Access{}, lockTimeout); !errors.As(err, new(*FolderError)) {
		t.Errorf("a new one there: %v", err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), file, lockTimeout); !errors.As(err, new(*FolderError)) {
		t.Errorf("a file: %v", err)
	}
	// "/" belongs to root, who runs this test or not.
	other := "/"
	if os.Geteuid() == 0 {
		if other = dir; os.Chown(dir, 65534, -1) != nil {
			return // without the capability there is no other user's folder
		}
	}
	_, err := Open(t.Context(), other, lockTimeout)
	if refused, ok := errors.AsType[*FolderError](err); !ok || refused.Owner == "" || !strings.Contains(err.Error(), refused.Owner) {
		t.Errorf("a folder of another user: %v", err)
	}
}

// What this user may not read is said with the user who may; errors of other kinds are not.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	err := unreadable(dir, filepath.Join(dir, "current"), &fs.PathError{Op: "readlink", Path: dir, Err: fs.ErrPermission})
	if err == nil || !strings.Contains(err.Error(), "permission") { // there is nothing that could be in the way
		t.Errorf("got %v", err)
	}
	err = unreadable(dir, dir, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission})
	if refused, ok := errors.AsType[*FolderError](err); !ok || refused.Owner != "" || !strings.Contains(err.Error(), "cannot be read by "+userName(os.Geteuid())+": "+dir+" belongs to ") {
		t.Errorf("a folder of this user: %v", err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65534, -1); err != nil {
			return // without the capability there is no other user's folder
		}
		err = unreadable(dir, dir, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission})
		if refused, ok := errors.AsType[*FolderError](err); !ok || refused.Owner != userName(65534) {
			t.Errorf("a folder of another user: %v", err)
		}
	}
	if other := errors.New("x"); unreadable(dir, dir, other) != other || unreadable(dir, dir, nil) != nil {
		t.Error("another error is changed")
	}
}
