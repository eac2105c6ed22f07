package cli

import (
	"io"
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	for _, tt := range []struct{ typed, want, rest string }{
		{"hunter2\n", "hunter2", ""},
		{"hunter2\r\nnext", "hunter2", "next"},
		{"\n", "", ""},
		{"no end", "no end", ""},
		{"\bhunterr\b2\n", "hunter2", ""},
	} {
		r := strings.NewReader(tt.typed)
		got, err := readLine(r)
		rest, _ := io.ReadAll(r)
		if err != nil || string(got) != tt.want || string(rest) != tt.rest {
			t.Errorf("%q: %q, %v, and %q is left", tt.typed, got, err, rest)
		}
	}
	if _, err := readLine(strings.NewReader("")); err != io.EOF {
		t.Errorf("nothing: %v", err)
	}
}
