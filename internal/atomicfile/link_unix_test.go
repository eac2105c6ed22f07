//go:build unix

package atomicfile

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const ours, theirs, neighbors = 0, 65534, 65533

// Another user's link in a folder like /tmp is not followed; elsewhere, only to that user's own
// files.
func TestWrite_foreignLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give links away")
	}
	const shared = 0o777 | os.ModeSticky
	for name, tt := range map[string]struct {
		link, folder int // their owners
		mode         os.FileMode
		file, in     int // the owners of what it leads to, and of the folder of that; -1: there is no file
		followed     bool
	}{
		"theirs in a shared folder":               {theirs, ours, shared, theirs, theirs, false},
		"theirs, to nothing":                      {theirs, ours, shared, -1, theirs, false},
		"theirs in a folder of a third":           {theirs, neighbors, shared, theirs, theirs, false},
		"theirs in a shared folder of theirs":     {theirs, theirs, shared, theirs, ours, true},
		"ours in a shared folder":                 {ours, neighbors, shared, ours, ours, true},
		"theirs to theirs":                        {theirs, theirs, 0o700, theirs, ours, true},
		"theirs to ours in a folder of theirs":    {theirs, theirs, 0o700, ours, theirs, true},
		"theirs to nothing in a folder of theirs": {theirs, theirs, 0o700, -1, theirs, true},
		"theirs to ours":                          {theirs, theirs, 0o700, ours, ours, false},
		"theirs to a neighbor's":                  {theirs, theirs, 0o700, neighbors, neighbors, false},
		"theirs to nothing in a folder of ours":   {theirs, theirs, 0o700, -1, ours, false},
		"ours to theirs":                          {ours, theirs, 0o700, theirs, theirs, true},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			in, folder := filepath.Join(top, "in"), filepath.Join(top, "folder")
			target, link := filepath.Join(in, "target"), filepath.Join(folder, "token")
			for _, err := range []error{
				os.Mkdir(in, 0o700), os.Mkdir(folder, 0o700), os.Symlink(target, link), os.Lchown(link, tt.link, tt.link),
				os.Chown(folder, tt.folder, tt.folder), os.Chmod(folder, tt.mode), os.Chown(in, tt.in, tt.in),
			} {
				must(t, err)
			}
			if tt.file >= 0 {
				must(t, os.WriteFile(target, []byte("old"), 0o600))
				must(t, os.Chown(target, tt.file, tt.file))
			}
			err := Write(link, []byte("new"), 0o600)
			got, _ := os.ReadFile(target) // it may not exist
			if followed := string(got) == "new"; followed != tt.followed || followed != (err == nil) {
				t.Errorf("%v; the target holds %q", err, got)
			}
			if err != nil && !strings.Contains(err.Error(), link+" is a symbolic link of another user (uid 65534)") {
				t.Error(err)
			}
		})
	}
}

// A link in place of a folder is checked, too, and so is one behind another.
func TestWrite_foreignLinkOnTheWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give links away")
	}
	dir := t.TempDir()
	for _, name := range []string{"root", "home"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	victim := filepath.Join(dir, "root", "credentials")
	must(t, os.WriteFile(victim, []byte("old"), 0o600))
	trap := filepath.Join(dir, "home", ".aws")
	must(t, os.Symlink("../root", trap))
	must(t, os.Lchown(trap, theirs, theirs))
	own := filepath.Join(dir, "own")
	must(t, os.Symlink("home/./.aws//credentials", own))
	for _, path := range []string{filepath.Join(trap, "credentials"), own} {
		err := Write(path, []byte("new"), 0o600)
		if want := trap + " is a symbolic link of another user (uid 65534) to " + victim + ", which is not theirs: it is not followed"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, err := os.ReadFile(victim); err != nil || string(got) != "old" {
		t.Errorf("it holds %q, %v", got, err)
	}
}

// Links are resolved as the system does, whatever the name of a folder.
func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.MkdirAll("a/b", 0o700))
	must(t, os.WriteFile("a/f", nil, 0o600))
	for link, to := range map[string]string{"short": "a/b", "a/b/up": "../f", "loop": "loop", "tofile": "short/../f"} {
		must(t, os.Symlink(to, link))
	}
	top, err := os.Getwd()
	must(t, err)
	up := "../" + filepath.Base(top)
	for path, want := range map[string]string{
		"a/f": "a/f", "./a//f": "a/f", "short/../f": "a/f", "short/up": "a/f", "tofile": "a/f", "a/new": "a/new", "a/b/../../a/./f": "a/f",
		top + "/short/up": top + "/a/f", "/.." + top + "/tofile": top + "/a/f", up + "/a/f": up + "/a/f",
		"short": "", "loop": "", "a/f/x": "", "a/none/x": "", "": "", ".": "", "..": "", "/": "", "a/": "", "/dev/null": "",
	} {
		got := ""
		target, err := Open(path)
		if err == nil {
			got = target.Path()
			must(t, target.Close())
		}
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestOpenAndMakeFolders(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("real", filepath.Join(dir, "link")))
	must(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	target, err := OpenAndMakeFolders(filepath.Join(dir, "link", "a", "b", "f"), 0o750)
	must(t, err)
	must(t, target.Write(File{Data: []byte("x"), Mode: 0o600}))
	must(t, target.Close())
	info, err := os.Stat(filepath.Join(dir, "real", "a", "b"))
	if err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("%v, %v", info, err)
	}
	wantOnly(t, filepath.Join(dir, "real", "a", "b"), "f")
}

// A folder that this user can search, and not list, can be part of the path.
func TestOpen_searchOnly(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700))
	must(t, os.Chmod(filepath.Join(dir, "a"), 0o100))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "a"), 0o700) })
	must(t, Write(filepath.Join(dir, "a", "b", "f"), []byte("x"), 0o600))
}

// What was opened is written to, wherever its path leads by then.
func TestTarget_movedFolder(t *testing.T) {
	dir := t.TempDir()
	ours, moved, victim := filepath.Join(dir, "ours"), filepath.Join(dir, "moved"), filepath.Join(dir, "victim")
	for _, d := range []string{ours, victim} {
		must(t, os.Mkdir(d, 0o700))
		must(t, os.WriteFile(filepath.Join(d, "f"), []byte("old"), 0o600))
	}
	target, err := Open(filepath.Join(ours, "f"))
	must(t, err)
	defer target.Close()
	must(t, os.Rename(ours, moved))
	must(t, os.Symlink(victim, ours))
	must(t, os.WriteFile(filepath.Join(victim, ".f.kedge-1"), nil, 0o600))
	must(t, target.Sweep())
	must(t, target.Write(File{Data: []byte("new"), Mode: 0o600}))
	for path, want := range map[string]string{moved: "new", victim: "old"} {
		if got, err := os.ReadFile(filepath.Join(path, "f")); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(victim, ".f.kedge-1")); err != nil {
		t.Error(err)
	}
}

// A file that is not regular is not opened, even if it replaces a regular one later.
func TestTarget_OpenFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	target, err := Open(path)
	must(t, err)
	defer target.Close()
	for name, put := range map[string]func() error{
		"link":   func() error { return os.Symlink("/etc/passwd", path) },
		"pipe":   func() error { return syscall.Mkfifo(path, 0o600) },
		"folder": func() error { return os.Mkdir(path, 0o700) },
		"socket": func() error {
			l, err := net.Listen("unix", path)
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		},
	} {
		must(t, put())
		if f, err := target.OpenFile(os.O_RDONLY); err == nil || !strings.Contains(err.Error(), "not a regular file") && !strings.Contains(err.Error(), "is a directory, not a file") {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		must(t, os.Remove(path))
	}
	if _, err := target.OpenFile(os.O_RDONLY); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A folder that was replaced by a link after the check is not opened.
func TestFolder_open(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "real"), 0o700))
	must(t, os.Symlink("real", filepath.Join(dir, "link")))
	d, err := openTop(dir)
	must(t, err)
	defer d.close()
	if in, err := d.open("link"); err == nil {
		in.close()
		t.Error("it was followed")
	}
	in, err := d.open("real")
	must(t, err)
	must(t, in.close())
}
