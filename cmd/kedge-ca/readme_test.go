package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/testenv"
)

// The configuration that the README shows is one.
func TestReadmeSettings(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testenv.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "```yaml\nledger:")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatal("the README shows no configuration")
	}
	s, err := cadir.ParseSettings([]byte("ledger:" + text))
	if err != nil {
		t.Fatalf("README.md%v", err)
	}
	if s.DefaultProfile != "web" || len(s.Profiles) != 2 {
		t.Errorf("%+v", s)
	}
}
