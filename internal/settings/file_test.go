package settings

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const example = `defaults:
  region: eu-west-1
profiles:
  deploy:
    role-arn: arn:aws:iam::111122223333:role/deploy
  backup:
    assume-role-arn: [a, b]
    tag: {team: storage}
serve:
  port: 9911
`

func TestFile(t *testing.T) {
	t.Parallel()
	f, err := Parse("x.yaml", []byte(example), []string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Profiles(); !slices.Equal(got, []string{"backup", "deploy"}) {
		t.Errorf("profiles %q", got)
	}
	backup, err := f.Profile("backup")
	if err != nil || len(backup) != 2 {
		t.Fatal(backup, err)
	}
	if s := backup[0]; s.Key != "assume-role-arn" || !slices.Equal(s.Values, []string{"a", "b"}) || !s.List || s.Place() != "x.yaml:7" {
		t.Errorf("%+v", s)
	}
	if s := backup[1]; !slices.Equal(s.Values, []string{"team=storage"}) {
		t.Errorf("%+v", s)
	}
	if s := f.Section("serve"); len(s) != 1 || s[0].Values[0] != "9911" || !s[0].Plain {
		t.Errorf("%+v", s)
	}
	if s := f.Defaults(); len(s) != 1 || s[0].Line != 2 {
		t.Errorf("%+v", s)
	}
	if _, err := f.Profile("x"); err == nil || err.Error() != `x.yaml: there is no profile "x": there are backup, deploy` {
		t.Error(err)
	}
}

func TestFile_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"default:\n  region: x\n", "x.yaml:1: unknown key default: did you mean defaults? there are defaults, profiles, serve"},
		{"defaults: x\n", "x.yaml:1: defaults must hold keys and values"},
		{"profiles: [a]\n", "x.yaml:1: profiles must hold names"},
		{"profiles:\n  backup: x\n", "x.yaml:2: backup must hold keys and values"},
		{"profiles:\n  a: {b: c}\n  a: {b: c}\n", "x.yaml:3: a is there twice"},
		{"defaults:\n  tag:\n    a: [b]\n", "x.yaml:3: a must be a text"},
		{"serve:\n  port: {\n", "x.yaml:2: has no value where one is expected: a bracket is missing"},
	}
	for _, tt := range tests {
		_, err := Parse("x.yaml", []byte(tt.text), []string{"serve"})
		if e, ok := errors.AsType[*FileError](err); !ok || !strings.HasPrefix(e.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), Name)
	write := func(data string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(data), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	write(example, 0o644)
	if _, err := Open(path, []string{"serve"}); err != nil {
		t.Error(err)
	}
	write(example, 0o664)
	if _, err := Open(path, []string{"serve"}); changeableModes() && (err == nil || err.Error() != path+" can be changed by other users (mode 0664)") {
		t.Error(err)
	}
	write(strings.Repeat("#\n", maxSize), 0o600)
	if _, err := Open(path, nil); err == nil || !strings.HasSuffix(err.Error(), "is larger than 1024 KiB") {
		t.Error(err)
	}
	if _, err := Open(filepath.Dir(path), nil); err == nil || !strings.HasSuffix(err.Error(), "is a folder, not a file") {
		t.Error(err)
	}
	if _, err := Open(path+"x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func changeableModes() bool { return os.PathSeparator == '/' }

func TestFind(t *testing.T) {
	home, system := t.TempDir(), t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, home)
	}
	if got, err := Find(system); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	user, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{system, filepath.Join(user, "kedge")} { // the later one wins
		want := filepath.Join(dir, Name)
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(want, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if got, err := Find(system); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}
