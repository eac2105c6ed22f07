//go:build unix

package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// TestReadInput: what is in the place of a file is named at once, however it is looked up.
func TestReadInput(t *testing.T) {
	t.Parallel()
	link := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	for name, tt := range map[string]struct {
		put  func(path string) error
		want string // after the path; empty: the file is read
	}{
		"file":         {func(path string) error { return os.WriteFile(path, []byte("text"), 0o600) }, ""},
		"pipe":         {func(path string) error { return syscall.Mkfifo(path, 0o600) }, " is a named pipe, not a file"},
		"link to pipe": {func(path string) error { return errors.Join(syscall.Mkfifo(path+"p", 0o600), os.Symlink("xp", path)) }, " is a named pipe, not a file"},
		"folder":       {func(path string) error { return os.Mkdir(path, 0o700) }, " is a folder, not a file"},
		"root":         {link("/"), " is a folder, not a file"},
		"device":       {link("/dev/zero"), " is a device, not a file"},
		"socket": {func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		}, " is a socket, not a file"},
		"large":    {func(path string) error { return os.WriteFile(path, make([]byte, 4097), 0o600) }, " is larger than 4 KiB"},
		"loop":     {link("x"), ": too many levels of symbolic links"},
		"dangling": {link("none/y"), ": no such file or directory"},
		"none":     {func(string) error { return nil }, ": no such file or directory"},
	} {
		for how, read := range map[string]func(string) ([]byte, error){
			"alone": func(path string) ([]byte, error) { return ReadInput(path, 4096) },
			"together": func(path string) ([]byte, error) {
				files := OpenTogether(path)
				defer files.Close()
				return files.Read(path, 4096)
			},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				dir, err := os.MkdirTemp("", "x") // short enough for a socket
				must(t, err)
				defer os.RemoveAll(dir)
				path := filepath.Join(dir, "x")
				must(t, tt.put(path))
				data, err := read(path)
				if tt.want == "" {
					if string(data) != "text" || err != nil {
						t.Errorf("%q, %v", data, err)
					}
					return
				}
				if err == nil || strings.TrimPrefix(err.Error(), "open ") != path+tt.want || errors.Is(err, syscall.EISDIR) != strings.Contains(tt.want, "folder") {
					t.Error(err)
				}
			})
		}
	}
}

// TestReadInput_descriptor: a path that names a descriptor of this process is one that it was given.
func TestReadInput_descriptor(t *testing.T) {
	t.Parallel()
	for how, read := range map[string]func(string, int64) ([]byte, error){
		"alone": ReadInput,
		"together": func(path string, limit int64) ([]byte, error) {
			files := OpenTogether(path)
			defer files.Close()
			return files.Read(path, limit)
		},
	} {
		r, w, err := os.Pipe()
		must(t, err)
		defer r.Close()
		path := fmt.Sprintf("/dev/fd/%d", r.Fd())
		go func() {
			_, _ = w.WriteString("first, ")
			_, _ = w.WriteString("second")
			w.Close()
		}()
		if data, err := read(path, 100); err != nil || string(data) != "first, second" {
			t.Errorf("%s: %q, %v", how, data, err)
		}
		linked := filepath.Join(t.TempDir(), "x")
		must(t, os.Symlink(path, linked))
		if _, err := read(linked, 100); err == nil {
			t.Errorf("%s: a link to a descriptor is read", how)
		}
	}
}

// versions are ways in which a folder with two files gets a new version.
var versions = map[string]struct {
	files string                 // the folder of the paths that are read, below the test's
	make  func(dir string) error // "one" and "two" hold a and b
	swap  func(dir string) error
}{
	"folder renamed": {"one", nil, func(dir string) error {
		return errors.Join(os.Rename(dir+"/one", dir+"/old"), os.Rename(dir+"/two", dir+"/one"))
	}},
	"link to the folder": {"now", func(dir string) error { return os.Symlink("one", dir+"/now") }, func(dir string) error { return relink("two", dir+"/now") }},
	"link above the folder": {"now/pki", func(dir string) error {
		return errors.Join(under(dir, "one"), under(dir, "two"), os.Symlink("one", dir+"/now"))
	}, func(dir string) error { return relink("two", dir+"/now") }},
	"links through a link": {"mount", func(dir string) error {
		return errors.Join(os.Mkdir(dir+"/mount", 0o700), os.Symlink("../one", dir+"/mount/..data"),
			os.Symlink("..data/a", dir+"/mount/a"), os.Symlink("..data/b", dir+"/mount/b"))
	}, func(dir string) error { return relink("../two", dir+"/mount/..data") }},
	"links with whole paths": {"mount", func(dir string) error {
		return errors.Join(os.Mkdir(dir+"/mount", 0o700), os.Symlink("one", dir+"/now"),
			os.Symlink(dir+"/now/a", dir+"/mount/a"), os.Symlink(dir+"/now/b", dir+"/mount/b"))
	}, func(dir string) error { return relink("two", dir+"/now") }},
	"links in turn": {"live", func(dir string) error {
		return errors.Join(os.Mkdir(dir+"/live", 0o700), os.Symlink("../now/a", dir+"/live/a"), os.Symlink("../now/b", dir+"/live/b"), os.Symlink("one", dir+"/now"))
	}, func(dir string) error {
		return errors.Join(relink("../two/a", dir+"/live/a"), relink("../two/b", dir+"/live/b"), relink("two", dir+"/now"))
	}},
	"files renamed away with the folder": {"one/", nil, func(dir string) error {
		return errors.Join(os.Rename(dir+"/one", dir+"/old"), os.Mkdir(dir+"/one", 0o700))
	}},
}

func relink(to, path string) error {
	return errors.Join(os.Symlink(to, path+".new"), os.Rename(path+".new", path))
}

// under puts a folder below itself, as pki.
func under(dir, name string) error {
	return errors.Join(os.Rename(dir+"/"+name, dir+"/moved"), os.Mkdir(dir+"/"+name, 0o700), os.Rename(dir+"/moved", dir+"/"+name+"/pki"))
}

// TestTogether: what is in one folder is of one version of it, whatever happens between two reads.
func TestTogether(t *testing.T) {
	t.Parallel()
	for name, tt := range versions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, version := range []string{"one", "two"} {
				must(t, os.Mkdir(filepath.Join(dir, version), 0o700),
					os.WriteFile(filepath.Join(dir, version, "a"), []byte(version), 0o600), os.WriteFile(filepath.Join(dir, version, "b"), []byte(version), 0o600))
			}
			if tt.make != nil {
				must(t, tt.make(dir))
			}
			a, b := dir+"/"+tt.files+"/a", dir+"/"+tt.files+"/b"
			files := OpenTogether(a, b)
			defer files.Close()
			first, err := files.Read(a, 10)
			must(t, err, tt.swap(dir))
			second, err := files.Read(b, 10)
			if err != nil || string(first) != "one" || string(second) != "one" {
				t.Errorf("%s, then %s, %v", first, second, err)
			}
		})
	}
}

// TestTogether_apart: files of several folders are read as each is; one that is not there takes no other along.
func TestTogether_apart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.Mkdir(dir+"/x", 0o700), os.WriteFile(dir+"/x/a", []byte("a"), 0o600), os.WriteFile(dir+"/b", []byte("b"), 0o600), os.Symlink("x/a", dir+"/c"))
	files := OpenTogether(dir+"/x/a", dir+"/b", dir+"/c", dir+"/x/../b", dir+"/none", "")
	defer files.Close()
	for path, want := range map[string]string{dir + "/x/a": "a", dir + "/b": "b", dir + "/c": "a", dir + "/x/../b": "b"} {
		if data, err := files.Read(path, 10); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	if _, err := files.Read(dir+"/none", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestTogether_search: a folder that this user may not list, as /etc/ssl/private, does; and a link that
// Linux would not follow is not followed.
func TestTogether_search(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/a", []byte("a"), 0o600), os.Chmod(dir, 0o100))
	files := OpenTogether(dir + "/a")
	defer files.Close()
	if data, err := files.Read(dir+"/a", 10); err != nil || string(data) != "a" {
		t.Errorf("%q, %v", data, err)
	}
	must(t, os.Chmod(dir, 0o700), os.Mkdir(dir+"/tmp", 0o700), os.Chmod(dir+"/tmp", 0o777|fs.ModeSticky), os.Symlink("../a", dir+"/tmp/a"))
	give(t, dir+"/tmp/a", stranger)
	shared := OpenTogether(dir + "/tmp/a")
	defer shared.Close()
	if _, err := shared.Read(dir+"/tmp/a", 10); err == nil || !strings.Contains(err.Error(), "is a symbolic link of another user") {
		t.Error(err)
	}
}
