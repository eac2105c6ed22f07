package yamlfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func refused() []struct{ text, want string } {
	return []struct{ text, want string }{
		{"a: b: c\n", "line 1: a text with a colon before a space or at its end needs quotes"},
		{"x: y\na: b: c\n", "line 2: a text with a colon"},
		{"x: y\na: \"b\" c\n", "line 2: the indentation does not fit the lines before, or a text with a quote in it needs quotes"},
		{"x: y\na: \"b\n", "line 2: the text does not end: a quote is missing"},
		{"x: y\na: 'b\n", "line 2: the text does not end: a quote is missing"},
		{"a: \"\\q\"\n", "line 1: has a backslash that means nothing"},
		{"x: y\na: [b\n", "has no comma or ]"},
		{"x: y\na: {b\n", "has no comma or }"},
		{"a: [\n", "has no value where one is expected"},
		{"a:\n    b: 1\n  c: 2\n", "line 3: the indentation does not fit"},
		{" a: b\nc: d\n", "line 2: the first key must not be indented"},
		{"a:\n\tb: 1\n", "line 2: is indented by a tab: write spaces"},
		{"\ta: 1\n", "line 1: is indented by a tab: write spaces"},
		{"x: y\na: @b\n", "line 2: a text that begins with @, % or a backquote needs quotes"},
		{"x: y\na: *\n", "line 2: a text that begins with & or * needs quotes"},
		{"x: y\na: *q\n", "there is no anchor 'q'"},
		{"x: y\na: !q!b c\n", "line 2: a text that begins with ! needs quotes"},
		{"x: y\nfoo\n", "line 2: is not a key with a value"},
		{"a: b\n---\nc: d\n", "line 2: a second document cannot follow"},
		{"a: b\n...\nc: d\n", "line 3: the first key must not be indented, and nothing can follow the end of the document"},
		{"a: b\nc: d\na: e\n", "line 3: a is there twice: first in line 1"},
		{"a: b\nc: \xff\n", "line 2: is not UTF-8"},
		{"a: b\u2028c: d\n", "line 1: has the character U+2028"},
		{"a: b\n\x00", "line 2: has the character U+0000"},
		{"a: b\n\ufeffc: d\n", "line 2: has the character U+FEFF"},
		{"\xff\xfea\x00:\x00", "is UTF-16: save it as UTF-8"},
		{"\xfe\xff\x00a\x00:", "is UTF-16: save it as UTF-8"},
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range refused() {
		_, err := Parse([]byte(tt.text))
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func accepted() []string {
	return []string{"", "---\n", "---\na: b\n...\n", "\ufeffa: b\r\n", "a: ~\n", "a: &x b\nc: *x\n", "# only\n", "a: [b,\n\tc]\n", "~\n", "a: >\n  b\n  c\n"}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range accepted() {
		top, err := Parse([]byte(text))
		if err != nil || (top == nil) == strings.Contains(text, "a:") {
			t.Errorf("%q: %v, %v", text, top, err)
		}
	}
}

// FuzzParse: an error is an *Error, of a line that the file has, and nothing of the library's is in it.
func FuzzParse(f *testing.F) {
	for _, tt := range refused() {
		f.Add([]byte(tt.text))
	}
	for _, text := range accepted() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Parse(data)
		if err == nil {
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || strings.Contains(e.Problem, "yaml: ") {
			t.Fatal(err)
		}
		if lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + bytes.Count(data, []byte("\u0085")); e.Line > lines {
			t.Fatalf("line %d of %d: %s", e.Line, lines, e.Problem)
		}
	})
}
