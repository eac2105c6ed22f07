//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostdir"
)

// fileOf makes a file with its folders.
func fileOf(t *testing.T, path string, mode fs.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLetRead: a command gives access to this user, and takes it from nobody; else the way is shown.
func TestLetRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := fileOf(t, dir+"/a b.key", 0o600)
	enrolled := filepath.Join(dir, "web-01")
	certificate, hostKey := hostdir.Files(enrolled)
	fileOf(t, certificate, 0o600)
	fileOf(t, hostKey, 0o600)
	link := filepath.Join(dir, "link.key")
	if err := os.Symlink(hostKey, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, group, want string }{
		{"private", key, "web", `sudo chgrp web "` + key + `" && sudo chmod g+r "` + key + `"`},
		{"no group of this user alone", key, "", "ls -ld / "},
		{"another group reads it", fileOf(t, dir+"/group.key", 0o640), "web", "ls -ld / "},
		{"a folder is in the way", dir + "/none/key", "web", "ls -ld / "},
		{"of an enrolled host", hostKey, "web", "ls -ld / "},
		{"of an enrolled host, by a link", link, "web", "ls -ld / "},
	} {
		got := letRead(failed(4, "", ""), tt.path, tt.group).Command
		if !strings.HasPrefix(got, tt.want) || !strings.Contains(got, filepath.Base(tt.path)) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

// TestJudgeMode: the owner of a secret changes its mode, and nobody else.
func TestJudgeMode(t *testing.T) {
	t.Parallel()
	mine := fileOf(t, t.TempDir()+"/key", 0o644)
	if got := judgeMode("file:"+mine, []string{"x"}); got.Command != "chmod 600 "+mine {
		t.Errorf("%+v", got)
	}
	foreign := "/etc/passwd"
	if os.Geteuid() == 0 {
		foreign = fileOf(t, t.TempDir()+"/key", 0o644)
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if got := judgeMode(foreign, []string{"x"}); got.Command != "" || got.State != Warning {
		t.Errorf("%+v", got)
	}
}

// TestJudgeCacheFolder: nothing is changed at a folder like /tmp.
func TestJudgeCacheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := &Examination{Options: Options{Advise: func(error) cli.Advice { return cli.Advice{} }, Cache: config.Cache{Dir: dir}}}
	for mode, want := range map[fs.FileMode]string{0o777: "chmod go-w " + dir, 0o777 | fs.ModeSticky: ""} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if got := e.judgeCacheFolder(t.Context()); got.Command != want || got.State != Warning {
			t.Errorf("%s: %+v", mode, got)
		}
	}
}
