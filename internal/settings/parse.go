package settings

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is far above what a configuration needs: a mapping of tags in a profile is the fourth.
const maxDepth = 8

// line is one that has something on it.
type line struct {
	number, indent int
	text           string // from the first character that is not a space
}

func (l line) isItem() bool { return l.text == "-" || strings.HasPrefix(l.text, "- ") }

// parser goes over the lines.
type parser struct {
	lines []line
	depth int
}

// parse reads a document whose top is a mapping; an empty one is an empty mapping. The error is
// a *syntaxError.
func parse(data []byte) (node, error) {
	lines, err := split(data)
	if err != nil || len(lines) == 0 {
		return node{kind: mapping}, err
	}
	p := &parser{lines: lines}
	if first := p.lines[0]; first.indent != 0 {
		return node{}, wrong(first.number, "the first key must not be indented")
	}
	top, err := p.mapping(0)
	if err != nil {
		return node{}, err
	}
	if len(p.lines) > 0 {
		return node{}, p.misplaced()
	}
	return top, nil
}

// split finds the lines that are not empty or comments alone.
func split(data []byte) ([]line, error) {
	var lines []line
	started := false
	for i, raw := range bytes.Split(data, []byte("\n")) {
		text, number := string(bytes.TrimSuffix(raw, []byte("\r"))), i+1
		if err := checkCharacters(text, number); err != nil {
			return nil, err
		}
		content := strings.TrimLeft(text, " ")
		if content == "" || content[0] == '#' {
			continue
		}
		if !started && strings.TrimRight(text, " ") == "---" {
			started = true
			continue
		}
		started = true
		if strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") {
			return nil, wrong(number, "a second document cannot follow")
		}
		lines = append(lines, line{number, len(text) - len(content), content})
	}
	return lines, nil
}

// checkCharacters lets through what every reader takes for the same text on one line.
func checkCharacters(text string, number int) error {
	if !utf8.ValidString(text) {
		return wrong(number, "is not UTF-8")
	}
	for _, r := range text {
		if r == '\t' {
			return wrong(number, `has a tab: write spaces, or \t in double quotes`)
		}
		if !unicode.IsPrint(r) {
			return wrong(number, "has the character %U, which cannot be here", r)
		}
	}
	return nil
}

func (p *parser) misplaced() error {
	return wrong(p.lines[0].number, "the indentation does not fit the lines before; a text must be on one line")
}

// mapping reads the lines of one indentation, each a key with its value.
func (p *parser) mapping(indent int) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return node{}, wrong(p.lines[0].number, "is nested too deep")
	}
	defer func() { p.depth-- }()
	n := node{kind: mapping, line: p.lines[0].number}
	for len(p.lines) > 0 && p.lines[0].indent >= indent {
		if p.lines[0].indent > indent {
			return node{}, p.misplaced()
		}
		e, err := p.entry(indent)
		if err == nil {
			err = n.add(e)
		}
		if err != nil {
			return node{}, err
		}
	}
	return n, nil
}

func (p *parser) entry(indent int) (entry, error) {
	l := p.lines[0]
	s := &scanner{text: l.text, line: l.number}
	key, err := s.key()
	if err != nil {
		return entry{}, err
	}
	e := entry{key: key, line: l.number}
	p.lines = p.lines[1:]
	if s.skip(); !s.done() {
		if e.value, err = s.value(); err == nil {
			err = s.end()
		}
		return e, err
	}
	if len(p.lines) == 0 {
		return e, wrong(l.number, "%s has no value", key)
	}
	switch next := p.lines[0]; {
	case next.isItem() && next.indent >= indent:
		e.value, err = p.list(next.indent)
	case next.indent > indent:
		e.value, err = p.mapping(next.indent)
	default:
		err = wrong(l.number, "%s has no value", key)
	}
	return e, err
}

// list reads the lines of one indentation that begin with a dash.
func (p *parser) list(indent int) (node, error) {
	n := node{kind: list, line: p.lines[0].number}
	for len(p.lines) > 0 && p.lines[0].indent == indent && p.lines[0].isItem() {
		l := p.lines[0]
		p.lines = p.lines[1:]
		s := &scanner{text: l.text[1:], line: l.number}
		if s.skip(); s.done() {
			return node{}, wrong(l.number, "the dash has no value")
		}
		item, err := s.scalar(false)
		if err == nil {
			err = s.end()
		}
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	return n, nil
}
