package ca

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"web-*", []string{"web-", "web-01", "web-Zürich"}, []string{"web", "xweb-1", "web-1.example.com", "web-a/b", "Web-1"}},
		{"db-??.example.com", []string{"db-01.example.com"}, []string{"db-1.example.com", "db-001.example.com", "db-0..example.com", "db-01xexample.com"}},
		{"*.example.com", []string{"a.example.com", ".example.com"}, []string{"a.b.example.com", "example.com", "a.example.com.evil"}},
		{"**.example.com", []string{"a.b.example.com", "a.example.com"}, []string{"example.com"}},
		{"spiffe://example.org/**", []string{"spiffe://example.org/", "spiffe://example.org/a/b.c"}, []string{"spiffe://example.org", "spiffe://example.orgx/a"}},
		{"***", []string{"", "a.b/c"}, nil},
		{"a*b**c?d", []string{"abcxd", "axxb/./ccd"}, []string{"abc/d", "a.bcxd", "abcd"}},
		{"literal", []string{"literal"}, []string{"", "litera", "literals"}},
	}
	for _, tt := range tests {
		p := parsePattern(tt.pattern)
		for _, name := range tt.yes {
			if !p.match(name) {
				t.Errorf("%q does not match %q", tt.pattern, name)
			}
		}
		for _, name := range tt.no {
			if p.match(name) {
				t.Errorf("%q matches %q", tt.pattern, name)
			}
		}
	}
}

// FuzzPattern: a pattern matches what the regular expression of the same meaning does; its
// example is matched; and without wildcards it matches itself and nothing else.
func FuzzPattern(f *testing.F) {
	f.Add("web-*", "web-01")
	f.Add("**.example.com", "a.b.example.com")
	f.Add("a?b***c", "axb/./c")
	f.Add("?*?", "\xff.")
	f.Fuzz(func(t *testing.T, text, name string) {
		if len(text) > 200 || len(name) > 200 || !utf8.ValidString(text) {
			return
		}
		p := parsePattern(text)
		want := expression(text).MatchString(name)
		if got := p.match(name); got != want {
			t.Fatalf("%q, %q: %v, the expression says %v", text, name, got, want)
		}
		if !strings.ContainsAny(text, "*?") && utf8.ValidString(name) && p.match(name) != (text == name) {
			t.Fatalf("%q matches %q: %v", text, name, p.match(name))
		}
		if example := p.example("a.a"); !p.match(example) {
			t.Fatalf("%q does not match its example %q", text, example)
		}
	})
}

func expression(text string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for text != "" {
		stars := len(text) - len(strings.TrimLeft(text, "*"))
		_, size := utf8.DecodeRuneInString(text)
		switch {
		case stars > 1:
			b.WriteString(`.*`)
			size = stars
		case stars == 1:
			b.WriteString(`[^./]*`)
		case text[0] == '?':
			b.WriteString(`[^./]`)
		default:
			b.WriteString(regexp.QuoteMeta(text[:size]))
		}
		text = text[size:]
	}
	return regexp.MustCompile(b.String() + `\z`)
}
