package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Document returns the text of a document for users, such as README.md or docs/ca.md, whose examples a test runs.
func Document(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(Root(tb), filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}
