package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestChecks_documented: each check is in docs/doctor.md, has a number of its own, and needs earlier ones only.
func TestChecks_documented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "doctor.md"))
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]bool{}
	for _, c := range append(New(Options{}).Checks(), Programs{}.Checks()...) {
		if !strings.Contains(string(text), "`"+c.ID+"`") {
			t.Errorf("docs/doctor.md does not have %s", c.ID)
		}
		if before[c.ID] || c.Title == "" || c.Run == nil {
			t.Errorf("%+v is there twice, or is empty", c)
		}
		for _, need := range c.Needs {
			if !before[need] {
				t.Errorf("%s needs %s, which does not come before it", c.ID, need)
			}
		}
		before[c.ID] = true
	}
	if len(before) < 30 {
		t.Errorf("%d checks", len(before))
	}
}
