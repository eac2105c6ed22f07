package enrollclient

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// TestTrap_pathFromName: CVE-2021-27099 (SPIRE made a path of a tag) and CVE-2012-3867 (Puppet showed ANSI
// sequences of a name): whatever name a server chooses, files come into one folder right below the base,
// whose name has no control characters, or there are none.
func TestTrap_pathFromName(t *testing.T) {
	for _, name := range []string{
		"../../etc", "..", ".", "/etc/kedge", "a/b", `a\b`, "a:b", "%2e%2e%2fetc", "-rf", ".hidden", "a\x00b", "a\nb", "\x1b[2J\x1b[31mroot", "~root", "$(id)", "lock", "current",
	} {
		s := enrolltest.New(t)
		s.Change = func(a *enrollapi.Answer) { a.Certificate, a.Name = reissue(t, s.Root, a, name, nil), name }
		top := t.TempDir()
		e := enrolling(t, s, "")
		e.Name, e.Base = "", filepath.Join(top, "a", "base")
		if err := os.MkdirAll(e.Base, 0o700); err != nil {
			t.Fatal(err)
		}
		got, err := Enroll(t.Context(), e)
		if err == nil && filepath.Dir(got.Dir) != e.Base {
			t.Errorf("%q: the folder is %q", name, got.Dir)
		}
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q: the error is %q", name, err)
		}
		for _, path := range filesBelow(t, top) {
			rest, ok := strings.CutPrefix(path, e.Base+"/")
			first, _, _ := strings.Cut(rest, "/")
			if !ok || strings.ContainsFunc(path, unicode.IsControl) || err == nil && first != filepath.Base(got.Dir) || err != nil && !strings.HasPrefix(first, startedPrefix) {
				t.Errorf("%q: there is %q (%v)", name, path, err)
			}
		}
	}
}

func filesBelow(t *testing.T, top string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clip(paths)
}
