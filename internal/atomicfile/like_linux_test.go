package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// acl returns an access list for a file of mode 0640, in the format of acl(5), that gives another
// user these rights.
func acl(rights byte) string {
	return "\x02\x00\x00\x00" +
		"\x01\x00\x06\x00\xff\xff\xff\xff" + // its owner: rw
		"\x02\x00" + string(rights) + "\x00\xfe\xff\x00\x00" + // user 65534
		"\x04\x00\x00\x00\xff\xff\xff\xff" + // its group: nothing
		"\x10\x00" + string(rights) + "\x00\xff\xff\xff\xff" + // at most
		"\x20\x00\x00\x00\xff\xff\xff\xff" // others: nothing
}

const defaultACL = "system.posix_acl_default"

// A file that is replaced stays as accessible as it was, whatever its folder gives to new ones.
func TestWriteAll_keepsAttributes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode       os.FileMode
		attributes map[string]string
		folder     string // its default access list
	}{
		"nothing":                    {0o640, nil, ""},
		"access list":                {0o640, map[string]string{posixACL: acl(4)}, ""},
		"access list, wide":          {0o660, map[string]string{posixACL: acl(6)}, ""},
		"attribute":                  {0o600, map[string]string{"user.note": "kept", "user.empty": ""}, ""},
		"both":                       {0o640, map[string]string{posixACL: acl(4), "user.note": "kept"}, ""},
		"folder gives one":           {0o640, nil, acl(4)},
		"folder gives one, 0600":     {0o600, nil, acl(6)},
		"folder gives another":       {0o640, map[string]string{posixACL: acl(4)}, acl(6)},
		"folder gives the same":      {0o640, map[string]string{posixACL: acl(4)}, acl(4)},
		"long attribute":             {0o604, map[string]string{"user.long": strings.Repeat("x", 1000)}, ""},
		"nobody but others may read": {0o004, nil, acl(4)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			must(t, os.WriteFile(path, []byte("old"), 0o600))
			must(t, os.Chmod(path, tt.mode))
			for name, value := range tt.attributes {
				must(t, unix.Setxattr(path, name, []byte(value), 0))
			}
			if tt.folder != "" {
				must(t, unix.Setxattr(dir, defaultACL, []byte(tt.folder), 0))
			}
			old, err := os.OpenFile(path, os.O_RDONLY, 0)
			if errors.Is(err, os.ErrPermission) {
				must(t, os.Chmod(path, 0o604))
				tt.mode = 0o604
				old, err = os.Open(path)
			}
			must(t, err)
			defer old.Close()
			must(t, replaceLike(path, old, tt.mode))
			now, err := os.Open(path)
			must(t, err)
			defer now.Close()
			info, err := now.Stat()
			must(t, err)
			got, err := attributes(now)
			must(t, err)
			if info.Size() != 3 || info.Mode().Perm() != tt.mode || len(got) != len(tt.attributes) {
				t.Errorf("mode %v, %q", info.Mode(), got)
			}
			for name, value := range tt.attributes {
				if string(got[name]) != value {
					t.Errorf("%s is %q, want %q", name, got[name], value)
				}
			}
		})
	}
}

// replaceLike replaces a file by one that is like it.
func replaceLike(path string, like *os.File, mode os.FileMode) error {
	return WriteAll(File{Path: path, Data: []byte("new"), Mode: mode, Like: like})
}

// A file whose attributes cannot be kept is not replaced.
func TestWriteAll_attributeRefused(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), "/proc/self/fd" // a file system without attributes
	path := filepath.Join(dir, "f")
	must(t, os.WriteFile(path, []byte("old"), 0o600))
	must(t, unix.Setxattr(path, "user.note", []byte("kept"), 0))
	old, err := os.Open(path)
	must(t, err)
	defer old.Close()
	folder, err := os.Open(other)
	must(t, err)
	defer folder.Close()
	if err := copyAttributes(folder, old); err == nil || !strings.HasPrefix(err.Error(), "keep its attribute user.note: ") {
		t.Error(err)
	}
	must(t, unix.Setxattr(path, posixACL, []byte(acl(4)), 0))
	must(t, unix.Removexattr(path, "user.note"))
	if err := copyAttributes(folder, old); err == nil || !strings.HasPrefix(err.Error(), "keep its access control list: ") {
		t.Error(err)
	}
}

// Where the mode cannot be changed, as in /proc and on many a network file system, it may already
// be right.
func TestSetMode_refused(t *testing.T) {
	t.Parallel()
	file, err := os.Open("/proc/self/status")
	must(t, err)
	defer file.Close()
	must(t, File{Mode: 0o444}.setMode(file))
	if err := (File{Mode: 0o600}).setMode(file); !errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), "it would have mode 0444, not 0600: ") {
		t.Error(err)
	}
}
