package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestDoctor_causes: each cause in docs/doctor.md is set up by a fault of the tests, and the check there names it.
func TestDoctor_causes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "doctor.md"))
	must(t, err)
	checks := map[string]string{}
	for _, f := range faults() {
		checks[f.name] = f.check
	}
	_, table, _ := strings.Cut(string(text), "\n## Causes\n")
	n := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.Contains(cells[3], "`") {
			continue
		}
		n++
		if fault := strings.Trim(cells[3], " `"); "`"+checks[fault]+"`" != strings.TrimSpace(cells[2]) {
			t.Errorf("%q is named by the check %q, not by %s", fault, checks[fault], cells[2])
		}
	}
	if n < 60 {
		t.Errorf("%d causes", n)
	}
}
