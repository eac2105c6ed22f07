//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Other files stay: a user's own copy can have a number at its end.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	age := map[string]time.Duration{"f.kedge-1": 0, ".f.lock": 48 * time.Hour, ".f.20251101": 0, ".f.12x": 48 * time.Hour}
	for _, name := range []string{"f", ".f.", ".f.kedge-", ".f.kedge-1x", ".g.kedge-12", ".f.kedge12", "f.12", ".g.12"} {
		age[name] = 48 * time.Hour
	}
	var keep []string
	for name := range age {
		keep = append(keep, name)
	}
	age[".f.kedge-12"], age[".f.kedge-3099"], age[".f.12"] = 0, 48*time.Hour, 48*time.Hour
	if os.Geteuid() == 0 {
		age[".f.13"] = 48 * time.Hour
		keep = append(keep, ".f.13") // given away below
	}
	for name, old := range age {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-old)))
	}
	if os.Geteuid() == 0 {
		must(t, os.Chown(filepath.Join(dir, ".f.13"), theirs, theirs))
	}
	must(t, Sweep(filepath.Join(dir, "f")))
	entries, err := os.ReadDir(dir)
	must(t, err)
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	slices.Sort(keep)
	if !slices.Equal(left, keep) {
		t.Errorf("left: %q, want %q", left, keep)
	}
}

// A kill leaves what Sweep removes.
func TestSweep_whatWriteMakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	target, err := Open(path)
	must(t, err)
	defer target.Close()
	tmp, err := temporary(target, File{Data: []byte("x"), Mode: 0o600})
	must(t, err)
	must(t, Sweep(path))
	if _, err := os.Lstat(filepath.Join(filepath.Dir(path), tmp)); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", tmp, err)
	}
}
