package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// printed writes what was read, one setting after the other.
func printed(f *File) string {
	var b strings.Builder
	for _, name := range f.Profiles() {
		settings, _ := f.Profile(name)
		for _, s := range settings {
			fmt.Fprintf(&b, "%s.%s:%d=%q ", name, s.Key, s.Line, s.Values)
		}
	}
	for _, s := range f.Defaults() {
		fmt.Fprintf(&b, "%s:%d=%q plain=%t list=%t ", s.Key, s.Line, s.Values, s.Plain, s.List)
	}
	return strings.TrimSpace(b.String())
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"# nothing\n\n", ""},
		{"---\n", ""},
		{"~\n", ""},
		{"\ufeff---\ndefaults: {a: 1}\n...\n", `a:2=["1"] plain=true list=false`},
		{"\ufeffdefaults:\r\n  a: x # y\r\n", `a:2=["x"] plain=true list=false`},
		{"defaults:\n  a: 'it''s'\n", `a:2=["it's"] plain=false list=false`},
		{"defaults:\n  a: \"tab\\t, \\x41\"\n", `a:2=["tab\t, A"] plain=false list=false`},
		{"defaults:\n  a: 0123\n", `a:2=["0123"] plain=true list=false`},
		{"defaults:\n  a: 2026-11-22\n", `a:2=["2026-11-22"] plain=true list=false`},
		{"defaults:\n  a:\n  - one\n  - 'two'\n", `a:2=["one" "two"] plain=false list=true`},
		{"defaults:\n  a: [b,\n    'c d', ]\n", `a:2=["b" "c d"] plain=false list=true`},
		{"defaults:\n  a: {k: v, 'l': arn:aws:x}\n", `a:2=["k=v" "l=arn:aws:x"] plain=false list=true`},
		{"defaults:\n  a: b\n    c\n", `a:2=["b c"] plain=true list=false`},
		{"defaults:\n  a: >-\n    b\n    c\n", `a:2=["b c"] plain=false list=false`},
		{"defaults:\n  a: ''\n  b: []\n", `a:2=[""] plain=false list=false b:3=[] plain=false list=true`},
		{"profiles:\n  x:\n    role-arn: arn:aws:iam::111122223333:role/x\n  y: {}\n", `x.role-arn:3=["arn:aws:iam::111122223333:role/x"]`},
	} {
		f, err := Parse("x.yaml", []byte(tt.text), nil)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := printed(f); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"defaults:\n  a: 1\n  b: 2\n  a: 3\n", "x.yaml:4: a is there twice: first in line 2"},
		{"defaults:\n  a: {k: v, k: w}\n", "x.yaml:2: k is there twice: first in line 2"},
		{"defaults:\n  a:\n  b: 1\n", "x.yaml:2: a has no value"},
		{"defaults:\n  a: ~\n", "x.yaml:2: a has no value"},
		{"defaults:\n  a: null\n", "x.yaml:2: a has no value"},
		{"defaults:\n", "x.yaml:1: defaults has no value"},
		{"profiles:\n  x: ~\n", "x.yaml:2: x has no value"},
		{"defaults:\n  a: [b, ~]\n", "x.yaml:2: an item of a has no value"},
		{"defaults:\n  a: &x y\n", "x.yaml:2: anchors, aliases and tags cannot be used here"},
		{"defaults:\n  a: !!str y\n", "x.yaml:2: anchors, aliases and tags"},
		{"defaults: &x {a: b}\nprofiles: {y: *x}\n", "x.yaml:1: anchors, aliases and tags"},
		{"defaults:\n  <<: {a: b}\n", "x.yaml:2: is not a key with a value"},
		{"defaults:\n  ? [a]\n  : b\n", "x.yaml:2: is not a key with a value"},
		{"defaults:\n  a: [[b]]\n", "x.yaml:2: an item of a must be a text"},
		{"defaults:\n  a:\n  - b: c\n", "x.yaml:3: an item of a must be a text"},
		{"- a\n", "x.yaml:1: the file must hold keys and values"},
		{"text\n", "x.yaml:1: the file must hold keys and values"},
		{"&x a\n", "x.yaml:1: anchors, aliases and tags"},
	} {
		_, err := Parse("x.yaml", []byte(tt.text), nil)
		if e, ok := errors.AsType[*FileError](err); !ok || !strings.HasPrefix(e.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}
