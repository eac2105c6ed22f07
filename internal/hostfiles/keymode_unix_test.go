//go:build unix

package hostfiles

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// TestReplacement_mode: a new key has the group and the mode of the one that it replaces, but is never
// for everybody; that of another user is replaced by one that this user alone can read.
func TestReplacement_mode(t *testing.T) {
	t.Parallel()
	const other = 54321 // a user and a group
	for _, test := range []struct {
		what       string
		mode, want fs.FileMode
		uid, gid   int // -1: this user's
		wantGroup  bool
	}{
		{"private", 0o600, 0o600, -1, -1, false},
		{"only read", 0o400, 0o400, -1, -1, false},
		{"for its group", 0o640, 0o640, -1, -1, false},
		{"for another group", 0o640, 0o640, -1, other, true},
		{"private, of another group", 0o600, 0o600, -1, other, true},
		{"for everybody", 0o644, 0o640, -1, other, true},
		{"executable", 0o755, 0o640, -1, -1, false},
		{"of another user", 0o640, 0o600, other, other, false},
	} {
		if os.Geteuid() != 0 && (test.uid != -1 || test.gid != -1) {
			continue // only root gives files away
		}
		paths := pathsIn(t, t.TempDir())
		writeKey(t, paths.Key)
		if err := os.Chown(paths.Key, test.uid, test.gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(paths.Key, test.mode); err != nil {
			t.Fatal(err)
		}
		r, err := NewReplacement(paths, newKey)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Finish(certify(t, r), Format{}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(paths.Key)
		if err != nil {
			t.Fatal(err)
		}
		stat, _ := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != test.want || int(stat.Uid) != os.Geteuid() || (stat.Gid == other) != test.wantGroup {
			t.Errorf("%s: mode %04o, uid %d, gid %d", test.what, info.Mode().Perm(), stat.Uid, stat.Gid)
		}
		key, err := ReadKey(paths.Key)
		if err != nil {
			t.Fatal(err)
		}
		wantKey(t, key, r)
	}
}
