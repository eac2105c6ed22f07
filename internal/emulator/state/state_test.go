package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Open(dir, "service")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "a", "gone"} {
		if err := f.Write(name, map[string]string{"name": name}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.Remove("gone"); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "service", "a.json")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	unfinished := filepath.Join(dir, "service", ".a.json.123")
	if err := os.WriteFile(unfinished, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ""
	take := func(name string, content []byte) error {
		got += name + string(content)
		return nil
	}
	if err := f.Each(take); err != nil || got != `a{"name":"a"}b{"name":"b"}` {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Stat(unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left unfinished is still there: %v", err)
	}
}

func TestFolder_none(t *testing.T) {
	t.Parallel()
	f, err := Open("", "service")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Write("a", 1), f.Remove("a"), f.Each(func(string, []byte) error { return errors.New("a document") })); err != nil {
		t.Error(err)
	}
}

// TestFolder_damaged: a file that was cut short at any place, or is of another version, is an error
// that names the file.
func TestFolder_damaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Open(dir, "service")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write("a", map[string]int{"n": 1}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "service", "a.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ignore := func(string, []byte) error { return nil }
	check := func(data, want string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Each(ignore); err == nil || !strings.Contains(err.Error(), path+": "+want) {
			t.Errorf("%q: %v, want %q", data, err, want)
		}
	}
	for n := range whole {
		check(string(whole[:n]), ErrDamaged.Error())
	}
	check(strings.Replace(string(whole), `"version":1`, `"version":2`, 1), "it has the version 2; this program reads version 1")
}
