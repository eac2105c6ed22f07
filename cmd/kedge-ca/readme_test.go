package main

import (
	"strings"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/testenv"
)

// readmeSettings returns the settings that a document shows in YAML, from a key on.
func readmeSettings(t *testing.T, document, key string) *cadir.Settings {
	t.Helper()
	_, text, ok := strings.Cut(testenv.Document(t, document), "```yaml\n"+key+":")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatalf("%s shows no configuration", document)
	}
	s, err := cadir.ParseSettings([]byte(key + ":" + text))
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return s
}

// TestReadmeSettings: the configurations that the guides show are some.
func TestReadmeSettings(t *testing.T) {
	t.Parallel()
	if s := readmeSettings(t, "docs/ca.md", "ledger"); s.DefaultProfile != "web" || len(s.Profiles) != 2 {
		t.Errorf("%+v", s)
	}
	if s := readmeSettings(t, "docs/server.md", "server"); s.Server.HTTPURL != "http://pki.example.com" {
		t.Errorf("%+v", s)
	}
}
