package yamlfile

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText refuses what is not UTF-8, and characters that no editor shows. A byte order mark at the
// beginning is fine.
func checkText(data []byte) error {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return &Error{Problem: "is UTF-16: save it as UTF-8"}
	}
	line := 1
	for text := bytes.TrimPrefix(data, []byte("\ufeff")); len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return Wrong(line, "is not UTF-8")
		case r == '\n' || r == '\r' && !bytes.HasPrefix(text, []byte("\r\n")):
			line++
		case r == '\r' || r == '\t':
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff':
			return Wrong(line, "has the character %U, which cannot be here", r)
		}
		text = text[size:]
	}
	return nil
}

// syntaxError puts an error of the library into other words.
func syntaxError(data []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		var number string
		number, text, _ = strings.Cut(rest, ": ")
		line, _ = strconv.Atoi(number)
	}
	what, ofParser := problem(text)
	if ofParser {
		line++ // the library counts these from 0
	}
	lines := bytes.Split(bytes.TrimRight(data, "\r\n \t"), []byte("\n"))
	line = min(max(line, 1), len(lines))
	indent := lines[line-1][:len(lines[line-1])-len(bytes.TrimLeft(lines[line-1], " \t"))]
	if bytes.ContainsRune(indent, '\t') {
		what = "is indented by a tab: write spaces"
	}
	return &Error{line, cmp.Or(what, "this is not YAML that can be read; look for a missing bracket or quotation mark, or a tab")}
}

// problem describes what an error of the library is, "" for one that is rare, and whether it is of its parser,
// not of its scanner.
func problem(text string) (what string, ofParser bool) {
	const indentation = "the indentation does not fit the lines before"
	if anchor, ok := strings.CutPrefix(text, "unknown anchor "); ok {
		anchor, _, _ = strings.Cut(anchor, " referenced")
		return "there is no anchor " + anchor, false
	}
	for _, p := range [...]struct {
		text, what string
		ofParser   bool
	}{
		{"mapping values are not allowed", "a text with a colon before a space or at its end needs quotes, or " + indentation, false},
		{"did not find expected ',' or ']'", "has no comma or ] where one is expected", true},
		{"did not find expected ',' or '}'", "has no comma or } where one is expected", true},
		{"did not find expected key", indentation + ", or a text with a quote in it needs quotes around all of it", true},
		{"did not find expected '-' indicator", indentation, true},
		{"did not find expected node content", "has no value where one is expected: a bracket is missing, or a text needs quotes", true},
		{"did not find expected <document start>", "the first key must not be indented, and nothing can follow the end of the document", true},
		{"found undefined tag handle", "a text that begins with ! needs quotes", true},
		{"block sequence entries are not allowed", "a list cannot begin on the line of its key", false},
		{"could not find expected ':'", "is not a key with a value, as in key: value", false},
		{"found unexpected end of stream", "the text does not end: a quote is missing", false},
		{"found unexpected document indicator", "the text does not end: a quote is missing", false},
		{"found unknown escape character", `has a backslash that means nothing in double quotes: single quotes leave it as it is`, false},
		{"found character that cannot start any token", "a text that begins with @, % or a backquote needs quotes", false},
		{"did not find expected alphabetic or numeric character", "a text that begins with & or * needs quotes", false},
	} {
		if strings.Contains(text, p.text) {
			return p.what, p.ofParser
		}
	}
	return "", false
}
