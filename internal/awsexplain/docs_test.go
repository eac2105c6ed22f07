package awsexplain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestChecks_documented: docs/aws-explain.md has every check; each comes after those that it needs.
func TestChecks_documented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "aws-explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]bool{}
	for _, c := range append(checks(), check{id: idAnswer, title: "what the host got"}) {
		if !strings.Contains(string(text), "| `"+c.id+"` |") {
			t.Errorf("docs/aws-explain.md does not have %s", c.id)
		}
		for _, need := range strings.Fields(c.needs) {
			if !before[need] {
				t.Errorf("%s needs %s, which does not come before it", c.id, need)
			}
		}
		if before[c.id] {
			t.Errorf("%s is there twice", c.id)
		}
		before[c.id] = true
	}
	if n := strings.Count(string(text), "\n| `") - 4; n != len(before) {
		t.Errorf("docs/aws-explain.md has %d checks, of %d", n, len(before))
	}
}
