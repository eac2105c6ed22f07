package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPolicy(t *testing.T) {
	dir := t.TempDir()
	good, long := filepath.Join(dir, "policy.json"), filepath.Join(dir, "long.json")
	if err := errors.Join(os.WriteFile(good, []byte("{}"), 0o600), os.WriteFile(long, []byte(strings.Repeat(" ", 20<<10)), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEDGE_TEST_SET", `{"a": 1}`)
	for _, tt := range []struct{ flag, want, err string }{
		{"", "", ""},
		{good, "{}", ""},
		{"env:KEDGE_TEST_SET", `{"a": 1}`, ""},
		{"-", "", "--policy: needs a file: standard input is for keys and certificates"},
		{"fd:3", "", "needs a file"},
		{"fd:x", "", "--policy: fd: needs the number"},
		{long, "", "is larger than 16 KiB"},
		{good + "x", "", "no such file"},
	} {
		got, err := Policy(tt.flag)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v", tt.flag, got, err)
		}
	}
}
