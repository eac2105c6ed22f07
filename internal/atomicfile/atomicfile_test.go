package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, content := range []string{"first", "", "second, and longer"} {
		if err := Write(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Fatalf("read %q, %v; want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".f*")); left != nil {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestWriteFollowsLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("target holds %q", got)
	}
	if info, _ := os.Lstat(link); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
}

func TestWriteRefusesFolder(t *testing.T) {
	dir := t.TempDir()
	err := Write(dir, []byte("x"), 0o600)
	if err == nil || !strings.Contains(err.Error(), dir+" is a directory, not a file") {
		t.Errorf("got %v", err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := Create(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second Create: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "one" {
		t.Errorf("content is now %q", got)
	}
}

func TestCreateRefusesDanglingLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "key")
	if err := os.Symlink("nothing", link); err != nil {
		t.Fatal(err)
	}
	if err := Create(link, []byte("x"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	wantOnly(t, dir, "key")
}

// A folder without read permission cannot be opened to be synced; files can be created in it.
func TestCreateInUnreadableFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	for name, write := range map[string]func(string, []byte, fs.FileMode) error{"created": Create, "written": Write} {
		if err := write(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreateLeavesOnlyTheFile(t *testing.T) {
	dir := t.TempDir()
	if err := Create(filepath.Join(dir, "key"), []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := Create(filepath.Join(dir, "key"), []byte("y"), 0o640); err == nil || err.Error() != "create "+filepath.Join(dir, "key")+": file already exists" {
		t.Errorf("again: %v", err)
	}
	wantOnly(t, dir, "key")
	target, err := Open(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if err := createInPlace(target, File{Data: []byte("y"), Mode: 0o640}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("in place: %v", err)
	}
}

func TestWriteFollowsDanglingLinks(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"real/sub", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range [][2]string{{"real/sub", "short"}, {"../second", "real/sub/first"}, {"../other/target", "real/second"}} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(filepath.Join(dir, "short", "first"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "other", "target")); string(got) != "new" {
		t.Errorf("target holds %q, %v", got, err)
	}
	wantOnly(t, filepath.Join(dir, "real", "sub"), "first")
}

func wantOnly(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("%s holds %v, %v; want only %s", dir, entries, err, name)
	}
}

func TestErrorsNameTheTarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nope", "f")
	for name, write := range map[string]func(string, []byte, fs.FileMode) error{"Create": Create, "Write": Write} {
		err := write(path, []byte("x"), 0o600)
		if want := "create " + path + ": "; !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", name, err, want)
		}
	}
}
