package units

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kedge/internal/testenv"
)

// installer installs into a folder, with the real programs of systemd. What it said is added to said.
func installer(t *testing.T) (i Installer, said *[]string) {
	t.Helper()
	testenv.Tool(t, "systemd-sysusers")
	said = new([]string)
	return Installer{Root: t.TempDir(), Program: "/opt/kedge/kedge", Say: func(text string) { *said = append(*said, text) }}, said
}

func (i Installer) in(path string) string { return filepath.Join(i.Root, path) }

// TestInstall: the files are there, the user owns the folder, the timer is enabled; everything that is
// written was said; the second time nothing changes.
func TestInstall(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes users")
	}
	i, said := installer(t)
	if err := i.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(i.in("/etc/systemd/system/kedge-renew.service"))
	if err != nil || !strings.Contains(string(unit), "\nExecStart=/opt/kedge/kedge renew --all --quiet\n") || !strings.Contains(string(unit), "\nUser=kedge\n") {
		t.Errorf("%v: %s", err, unit)
	}
	if target, err := os.Readlink(i.in("/etc/systemd/system/timers.target.wants/kedge-renew.timer")); err != nil || !strings.HasSuffix(target, "/etc/systemd/system/kedge-renew.timer") {
		t.Errorf("the timer is not enabled: %q, %v", target, err)
	}
	uid, _, err := i.ids()
	info, statErr := os.Stat(i.in(StateDir))
	if err != nil || statErr != nil || info.Mode().Perm() != 0o750 || int(info.Sys().(*syscall.Stat_t).Uid) != uid || uid == 0 {
		t.Errorf("the folder: %v, %v, %v", info, err, statErr)
	}
	for path := range written(t, i.Root) {
		wanted := slices.ContainsFunc(*said, func(text string) bool { return strings.HasSuffix(text, i.in(path)) })
		if strings.HasPrefix(path, "/etc/systemd/system/kedge") && !wanted || strings.HasPrefix(path, "/etc/") && strings.HasSuffix(path, "kedge.conf") && !wanted {
			t.Errorf("%s was written, and not said: %q", path, *said)
		}
	}
	before := written(t, i.Root)
	*said = nil
	if err := i.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := written(t, i.Root); len(after) != len(before) || strings.Contains(strings.Join(*said, "\n"), "wrote") {
		t.Errorf("the second time: %d files, then %d; %q", len(before), len(after), *said)
	}
}

// written returns the files and links below a folder.
func written(t *testing.T, root string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all[strings.TrimPrefix(path, root)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInstall_kept: a file that somebody changed stays, and identities that root has become the user's,
// the way to files outside not.
func TestInstall_kept(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes users")
	}
	i, said := installer(t)
	outside := filepath.Join(t.TempDir(), "outside")
	for path, text := range map[string]string{
		i.in("/etc/systemd/system/kedge-renew.service"): "mine", i.in(StateDir + "/web-01/pair-1/leaf.key"): "key", outside: "others",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"current": "pair-1", "out": outside} {
		if err := os.Symlink(target, i.in(StateDir+"/web-01/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(i.in("/etc/systemd/system/kedge-renew.service")); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	uid, _, err := i.ids()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		i.in(StateDir): uid, i.in(StateDir + "/web-01"): uid, i.in(StateDir + "/web-01/pair-1/leaf.key"): uid, i.in(StateDir + "/web-01/current"): uid, outside: 0,
	} {
		if owner, ok := ownerOf(path); !ok || owner != want {
			t.Errorf("%s belongs to %d, want %d", path, owner, want)
		}
	}
	text := strings.Join(*said, "\n")
	for _, want := range []string{"kedge-renew.service is there with other content, and stays as it is", "/web-01 belongs to the user kedge now"} {
		if !strings.Contains(text, want) {
			t.Errorf("not said: %s\n%s", want, text)
		}
	}
}

// TestInstall_packaged: what a package has installed is used, and gets no copy in /etc, which would hide it after an
// upgrade of the package.
func TestInstall_packaged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes users")
	}
	i, _ := installer(t)
	if err := i.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	moved := []string{"systemd/system/kedge-renew.service", "systemd/system/kedge-renew.timer", "sysusers.d/kedge.conf", "tmpfiles.d/kedge.conf"}
	for _, name := range moved {
		packaged := i.in("/usr/lib/" + name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(packaged), 0o755), os.Rename(i.in("/etc/"+name), packaged)); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range moved {
		if _, err := os.Stat(i.in("/etc/" + name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("/etc/%s: %v", name, err)
		}
	}
}

// TestInstall_fails: a program of systemd that fails is named with what it said.
func TestInstall_fails(t *testing.T) {
	i, _ := installer(t)
	if err := os.MkdirAll(i.in("/etc/sysusers.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.in("/etc/sysusers.d/kedge.conf"), []byte("x y z\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	failed, ok := errors.AsType[*CommandError](i.Install(t.Context()))
	if !ok || !strings.HasPrefix(failed.Line, "systemd-sysusers --root=") || failed.Said == "" {
		t.Errorf("got %v", failed)
	}
}

// TestCheck: why a process cannot install the units.
func TestCheck(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Log("systemd runs here")
	} else if err := (Installer{Program: "/usr/local/bin/kedge"}).Check(); err == nil || !strings.Contains(err.Error(), "it does not run on this host") {
		t.Errorf("without systemd: %v", err)
	}
	for program, want := range map[string]bool{
		"/usr/local/bin/kedge": false, "/opt/kedge": false, "/homes/kedge": false, "/home/me/kedge": true, "/root/kedge": true, "/tmp/kedge": true, "/run/user/1000/kedge": true,
	} {
		if got := (Installer{Program: program}).hidden(); (got != "") != want {
			t.Errorf("%s: %q", program, got)
		}
	}
}

// TestCheckGroup: a key can be given to a group that the user is in, and to no other.
func TestCheckGroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, groups string
		gid          int
		ok           bool
	}{
		{"its own", "", 990, true},
		{"a member", "web:x:33:kedge\n", 33, true},
		{"one member of several", "web:x:33:www,kedge,backup\n", 33, true},
		{"no member", "web:x:33:\n", 33, false},
		{"another is a member", "web:x:33:kedge2,notkedge\n", 33, false},
		{"of another group", "web:x:33:\nssl:x:34:kedge\n", 33, false},
		{"no such group", "web:x:33:kedge\n", 35, false},
	} {
		i := Installer{Root: t.TempDir()}
		for name, text := range map[string]string{"passwd": "root:x:0:0::/:\nkedge:x:991:990::/:\n", "group": "kedge:x:990:\n" + test.groups} {
			if err := os.MkdirAll(i.in("/etc"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(i.in("/etc/"+name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := i.CheckGroup("web", test.gid)
		if test.ok && err != nil || !test.ok && !errors.As(err, new(*GroupError)) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}
