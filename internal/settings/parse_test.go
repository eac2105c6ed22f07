package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// print writes a node as far as it matters, one value after the other.
func (n node) print(b *strings.Builder) {
	switch n.kind {
	case scalar:
		fmt.Fprintf(b, "%d:%q ", n.line, n.text)
	case list:
		b.WriteString("[ ")
		for _, item := range n.items {
			item.print(b)
		}
		b.WriteString("] ")
	case mapping:
		b.WriteString("{ ")
		for _, e := range n.entries {
			fmt.Fprintf(b, "%d:%q=", e.line, e.key)
			e.value.print(b)
		}
		b.WriteString("} ")
	}
}

// printYAML writes what the peer read in the same way.
func printYAML(n *yaml.Node, b *strings.Builder) {
	switch n.Kind {
	case yaml.DocumentNode:
		printYAML(n.Content[0], b)
	case yaml.ScalarNode:
		fmt.Fprintf(b, "%d:%q ", n.Line, n.Value)
	case yaml.SequenceNode:
		b.WriteString("[ ")
		for _, item := range n.Content {
			printYAML(item, b)
		}
		b.WriteString("] ")
	case yaml.MappingNode:
		b.WriteString("{ ")
		for i := 0; i < len(n.Content); i += 2 {
			fmt.Fprintf(b, "%d:%q=", n.Content[i].Line, n.Content[i].Value)
			printYAML(n.Content[i+1], b)
		}
		b.WriteString("} ")
	default:
		fmt.Fprintf(b, "kind %d", n.Kind)
	}
}

func samples() []string {
	return []string{
		"",
		"# nothing\n\n",
		"---\ndefaults:\n  region: eu-west-1 # near\n",
		"profiles:\n  backup:\n    role-arn: arn:aws:iam::111122223333:role/backup\n    fips: true\n  b:\n    timeout: 5s\r\n",
		"a: 'it''s'\nb: \"tab\\t, \\\"quoted\\\" and \\\\\"\n\"c d\": x#y\n",
		"a:\n- one\n- 'two'\nb:\n  - three # 3\nc: [a, \"b, c\", d e]\nd: {k: v, 'l': arn:aws:x}\ne: []\n",
		"a: -x\nb: 0123\nc: yes\nd: 2026-11-22\ne: a b  c   # comment\n",
	}
}

// TestParse: what is accepted, the reader of all of YAML reads alike.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range samples() {
		got, err := parse([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		comparePeer(t, text, got)
	}
}

func comparePeer(t *testing.T, text string, got node) {
	t.Helper()
	var peer yaml.Node
	if err := yaml.Unmarshal([]byte(text), &peer); err != nil {
		t.Fatalf("%q is accepted; yaml: %v", text, err)
	}
	var want, have strings.Builder
	if peer.Kind == 0 || peer.Content[0].Tag == "!!null" {
		want.WriteString("{ } ")
	} else {
		printYAML(&peer, &want)
	}
	if got.print(&have); have.String() != want.String() {
		t.Errorf("%q\ngot  %s\nwant %s", text, &have, &want)
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"a: 1\nb: 2\na: 3\n", "line 3: a is there twice: first in line 1"},
		{"a: {k: v, k: w}\n", "line 1: k is there twice"},
		{"a:\n", "line 1: a has no value"},
		{"a:\nb: 1\n", "line 1: a has no value"},
		{"a: ~\n", "line 1: has no value"},
		{"a: null\n", "line 1: has no value"},
		{"a: &x y\n", `line 1: a text that begins with "&" needs quotes`},
		{"a: *x\n", "needs quotes"},
		{"a: !!str y\n", "needs quotes"},
		{"a: |\n  text\n", "needs quotes"},
		{"a: -\n", "needs quotes"},
		{"<<: x\n", "line 1: is not a key"},
		{"a: b: c\n", "needs quotes"},
		{"a: \"b\" c\n", `line 1: "c" after the value`},
		{"a: \"b\n", "a quote is missing"},
		{"a: 'b\n", "a quote is missing"},
		{"a: \"\\x41\"\n", "has a backslash before"},
		{"a: [b\n", "no comma or ]"},
		{"a: [b, ]\n", "has no value"},
		{"a: [[b]]\n", "has no value"},
		{"a: {b}\n", "is not a key"},
		{"a: b\n  c\n", "line 2: the indentation does not fit"},
		{"a:\n    b: 1\n  c: 2\n", "line 3: the indentation does not fit"},
		{" a: b\n", "line 1: the first key must not be indented"},
		{"a:\n\tb: 1\n", "line 2: has a tab"},
		{"a: b\n---\nc: d\n", "line 2: a second document"},
		{"a: b\n...\n", "a second document"},
		{"- a\n", "is not a key"},
		{"a: \xff\n", "is not UTF-8"},
		{"a: b\u2028c: d\n", "has the character U+2028"},
		{"\ufeffa: b\n", "has the character U+FEFF"},
		{"a:\n  - b: c\n", "needs quotes"},
		{strings.Repeat("{", 3), "is not a key"},
	}
	for _, tt := range tests {
		_, err := parse([]byte(tt.text))
		if e, ok := errors.AsType[*syntaxError](err); !ok || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestParse_deep(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "%sk:\n", strings.Repeat(" ", i))
	}
	if _, err := parse([]byte(b.String())); err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Error(err)
	}
}

// FuzzParse: whatever is accepted, the reader of all of YAML reads alike, to the line.
func FuzzParse(f *testing.F) {
	for _, text := range samples() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := parse(data); err == nil {
			comparePeer(t, string(data), got)
		}
	})
}
