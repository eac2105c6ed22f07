package cli

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed string
		want  bool
		asked int
	}{
		{"y\n", true, 1},
		{"YES\r\n", true, 1},
		{"yes", true, 1}, // the terminal went away after it
		{"\n", false, 1},
		{"", false, 1},
		{"n\n", false, 1},
		{"what\nyes\n", true, 2},
		{"a\nb\nc\nyes\n", false, 3},
		{strings.Repeat("a", 8<<10), false, 1},
	}
	for _, tt := range tests {
		var out strings.Builder
		got, err := confirm(strings.NewReader(tt.typed), &out, "Go on?\x1b[2J")
		if got != tt.want || err != nil || strings.Count(out.String(), "Go on? [2J [y/N] ") != tt.asked {
			t.Errorf("%q: %v, %v, after %q", tt.typed, got, err, out.String())
		}
	}
	broken := errors.New("broken")
	if _, err := confirm(iotest.ErrReader(broken), &strings.Builder{}, "Go on?"); !errors.Is(err, broken) {
		t.Errorf("broken terminal: %v", err)
	}
}

func TestIsTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if IsTerminal(f) || IsTerminal(&strings.Builder{}) || IsTerminal(nil) {
		t.Error("taken for a terminal")
	}
}
