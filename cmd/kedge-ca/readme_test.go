package main

import (
	"strings"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/testenv"
)

// TestReadmeSettings: the configuration that docs/ca.md shows is one.
func TestReadmeSettings(t *testing.T) {
	_, text, ok := strings.Cut(testenv.Document(t, "docs/ca.md"), "```yaml\nledger:")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatal("docs/ca.md shows no configuration")
	}
	s, err := cadir.ParseSettings([]byte("ledger:" + text))
	if err != nil {
		t.Fatalf("docs/ca.md: %v", err)
	}
	if s.DefaultProfile != "web" || len(s.Profiles) != 2 {
		t.Errorf("%+v", s)
	}
}
