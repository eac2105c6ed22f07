package cache

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestList(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	c, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := c.List(); err != nil || entries != nil {
		t.Errorf("no folder: %v, %v", entries, err)
	}
	second := someKey()
	second.Final = "arn:aws:iam::111122223333:role/a"
	for _, key := range []Key{someKey(), second} {
		if _, err := h.get(key); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{strings.Repeat("0", 32) + entryEnd: "TOKEN", "README": "mine"} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := c.List()
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	if e := entries[0]; e.Role != second.Final || e.Path == entries[1].Path {
		t.Errorf("the first: %+v", e)
	}
	if e := entries[1]; e.Role != someKey().RoleARN || e.Path != h.entry() || !e.Renewed.Equal(h.at) || e.Expires.Sub(e.Renewed) > h.life {
		t.Errorf("the second: %+v", e)
	}
	h.wantWarnings("it holds no credentials that kedge wrote there")
}

func TestClear(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.want(1)
	name, _ := strings.CutSuffix(filepath.Base(h.entry()), entryEnd)
	for _, file := range []string{
		"." + name + ".session.123", // of a process that was killed
		strings.Repeat("0", 32) + entryEnd,
		"README", "a.session", strings.ToUpper(name) + ".session.bak", "." + name + ".txt",
	} {
		if err := os.WriteFile(filepath.Join(h.dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Clear(); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	left := names(t, h.dir)
	if want := []string{"." + name + ".txt", strings.ToUpper(name) + ".session.bak", "README", "a.session"}; !slices.Equal(sorted(left), sorted(want)) {
		t.Errorf("left are %q", left)
	}
	if n, err := c.Clear(); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	h.want(2)
	h.wantWarnings()
}

// A write removes expired files.
func TestSweep(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.want(1)
	for _, file := range names(t, h.dir) {
		old := h.at.Add(-13 * time.Hour)
		if err := os.Chtimes(filepath.Join(h.dir, file), old, old); err != nil {
			t.Fatal(err)
		}
	}
	other := someKey()
	other.RoleARN = "arn:aws:iam::111122223333:role/other"
	if _, err := h.get(other); err != nil {
		t.Fatal(err)
	}
	name := other.name()
	if left := names(t, h.dir); !slices.Equal(sorted(left), []string{name + lockEnd, name + entryEnd}) {
		t.Errorf("left are %q", left)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
