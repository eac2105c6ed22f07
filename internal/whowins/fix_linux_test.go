package whowins

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFix_keepsLines: whichever fixes of one report are pasted, one after the other and again, no setting is
// lost: each line is still there, as it was or as a comment. The files as they were stay as copies, and so do older ones.
func TestFix_keepsLines(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	pasted := 0
	for i, c := range combinations() {
		e := w.lay(t, i, c)
		var fixes []string
		for _, a := range w.look(e).Answers() {
			if strings.Contains(a.Fix, "sed ") && !strings.Contains(a.Fix, "EDITOR") {
				fixes = append(fixes, a.Fix)
			}
		}
		if len(fixes) == 0 {
			continue
		}
		pasted += len(fixes)
		write(t, filepath.Join(e.Env["HOME"], ".aws/config.bak"), "older\n")
		before, files := w.profilesIn(e), w.filesIn(e)
		all := strings.Join(append(fixes, fixes...), "\n")
		if out, err := exec.Command("/bin/sh", "-c", "set -e\n"+all).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v, %s\n%s", c.name, err, out, all)
		}
		for name, text := range files {
			if copies := w.filesIn(e); copies[name] != text && !slices.Contains(slices.Collect(maps.Values(copies)), text) {
				t.Errorf("%s: no copy of %s after\n%s", c.name, name, all)
			}
		}
		after := w.profilesIn(e)
		for _, line := range strings.Split(before, "\n") {
			if !strings.HasPrefix(line, "[") && !strings.Contains(after, "\n"+line+"\n") && !strings.Contains(after, "\n#"+line+"\n") {
				t.Errorf("%s: %q is lost after\n%s", c.name, line, all)
			}
		}
	}
	if pasted < 100 {
		t.Errorf("%d fixes change a file", pasted)
	}
}

// filesIn returns the files of an environment in its home, by their paths.
func (w *workplace) filesIn(e environment) map[string]string {
	files := map[string]string{}
	for _, pattern := range []string{".aws/*", "other*"} {
		paths, _ := filepath.Glob(filepath.Join(e.Env["HOME"], pattern)) // the pattern is well-formed
		for _, path := range paths {
			data, _ := os.ReadFile(path) // not every one is a file that can be read
			files[path] = string(data)
		}
	}
	return files
}

// profilesIn returns the files of an environment in its home.
func (w *workplace) profilesIn(e environment) string {
	text := "\n"
	for _, name := range []string{".aws/config", ".aws/credentials", "other"} {
		data, _ := os.ReadFile(filepath.Join(e.Env["HOME"], name)) // not every combination has each
		text += string(data) + "\n"
	}
	return text
}
