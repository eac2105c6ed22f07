package archtest

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestWords_phrases: comments, help texts, messages and documents are in the terms of the field. Each phrase was once
// there, and had to be read twice.
func TestWords_phrases(t *testing.T) {
	t.Parallel()
	phrases := []string{
		"tells whether", "says whether", "tell whether", "is no trouble", "a full house", "in disguise", "nobody tries", "brief credentials",
		"found out by the first thing", "is not asked any more", "should be somebody", "the end of the chain, for who", "for who holds", "counts alone",
		"hold it against", "no time ahead", "somebody who is none",
	}
	root := testenv.Root(t)
	checked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err == nil && d.IsDir() && (name == "node_modules" || name == "build" || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		ext := filepath.Ext(name)
		if err != nil || d.IsDir() || name == "words_test.go" || !slices.Contains([]string{".go", ".md", ".txtar", ".sh", ".yaml", ""}, ext) {
			return err
		}
		data, err := os.ReadFile(path)
		text := strings.ToLower(string(data))
		checked++
		for _, p := range phrases {
			if strings.Contains(text, p) {
				t.Errorf("%s has %q", path, p)
			}
		}
		return err
	})
	if err != nil || checked < 500 {
		t.Errorf("%d files: %v", checked, err)
	}
}

// TestWords_identifiers: a duration is named after what it bounds, and nothing has a coined name where the field has a term.
func TestWords_identifiers(t *testing.T) {
	coined := []string{"patience", "calm", "hurry", "glance", "pace", "errnone", "barred", "lessor", "everybodys", "seldom"}
	// What is still there, and only shrinks.
	left := map[string][]string{
		"internal/awsaccount": {"pace"},
		"internal/awshosts":   {"pace"},
	}
	for _, f := range load(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			if name := strings.ToLower(id.Name); slices.Contains(coined, name) && !slices.Contains(left[f.pkg], name) {
				t.Errorf("%s: %s is a coined name", f.fset.Position(id.Pos()), id.Name)
			}
			return true
		})
	}
}
