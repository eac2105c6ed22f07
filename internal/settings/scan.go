package settings

import "strings"

// maxKey is what no name comes near; readers of YAML take up to 1024.
const maxKey = 128

// scanner reads the values on one line.
type scanner struct {
	text string // the rest
	line int
}

// skip passes spaces.
func (s *scanner) skip() { s.text = strings.TrimLeft(s.text, " ") }

// done tells that only a comment follows, or nothing.
func (s *scanner) done() bool { return s.text == "" || s.text[0] == '#' }

// end refuses what follows a value, unless it is a comment after a space.
func (s *scanner) end() error {
	rest := strings.TrimLeft(s.text, " ")
	if rest == "" || rest[0] == '#' && len(rest) < len(s.text) {
		return nil
	}
	return wrong(s.line, "%.20q after the value: put quotes around all of it", rest)
}

// take passes one character if it is next.
func (s *scanner) take(c byte) bool {
	if s.text == "" || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

// key reads "name:" with the space or the end of line after it.
func (s *scanner) key() (string, error) {
	name := ""
	if s.text[0] == '"' || s.text[0] == '\'' {
		n, err := s.scalar(true)
		if err != nil {
			return "", err
		}
		name = n.text
	} else {
		n := 0
		for n < len(s.text) && isKeyByte(s.text[n], n == 0) {
			n++
		}
		name, s.text = s.text[:n], s.text[n:]
	}
	if name == "" || !s.take(':') || s.text != "" && s.text[0] != ' ' {
		return "", wrong(s.line, "is not a key with a value, as in role-arn: arn:...")
	}
	if len(name) > maxKey {
		return "", wrong(s.line, "the key is longer than %d characters", maxKey)
	}
	return name, nil
}

// isKeyByte tells what a key without quotes may have in it.
func isKeyByte(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' ||
		!first && (c == '-' || c == '.' || c == '/' || c == '@' || c == '+')
}

// value reads what can follow a key: a text, [a, list] or {a: mapping} of texts.
func (s *scanner) value() (node, error) {
	switch s.text[0] {
	case '[':
		return s.flow(list, ']')
	case '{':
		return s.flow(mapping, '}')
	}
	return s.scalar(false)
}

// flow reads a list or mapping on one line.
func (s *scanner) flow(k kind, closing byte) (node, error) {
	n := node{kind: k, line: s.line}
	s.text = s.text[1:]
	s.skip()
	for first := true; !s.take(closing); first = false {
		if !first {
			if !s.take(',') {
				return node{}, wrong(s.line, "has no comma or %c where one is expected", closing)
			}
			s.skip()
		}
		if err := s.flowItem(&n); err != nil {
			return node{}, err
		}
		s.skip()
	}
	return n, nil
}

func (s *scanner) flowItem(n *node) (err error) {
	if s.done() {
		return wrong(s.line, "the list or mapping does not end on its line")
	}
	e := entry{line: s.line}
	if n.kind == mapping {
		if e.key, err = s.key(); err != nil {
			return err
		}
		if s.skip(); s.done() {
			return wrong(s.line, "%s has no value", e.key)
		}
	}
	if e.value, err = s.scalar(true); err != nil {
		return err
	}
	if n.kind == mapping {
		return n.add(e)
	}
	n.items = append(n.items, e.value)
	return nil
}

// text1 reads a text, within brackets or not.
func (s *scanner) scalar(flow bool) (node, error) {
	n := node{kind: scalar, line: s.line}
	var err error
	switch {
	case s.take('\''):
		n.text, err = s.single()
	case s.take('"'):
		n.text, err = s.double()
	default:
		n.plain = true
		n.text, err = s.bare(flow)
	}
	return n, err
}

// single reads on after a single quote; two of them stand for one.
func (s *scanner) single() (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s.text, "'")
		if !found {
			return "", wrong(s.line, "the text does not end on its line: a quote is missing")
		}
		b.WriteString(before)
		s.text = after
		if !s.take('\'') {
			return b.String(), nil
		}
		b.WriteByte('\'')
	}
}

// double reads on after a double quote.
func (s *scanner) double() (string, error) {
	var b strings.Builder
	for s.text != "" {
		c := s.text[0]
		s.text = s.text[1:]
		switch {
		case c == '"':
			return b.String(), nil
		case c != '\\':
			b.WriteByte(c)
		case s.take('"'):
			b.WriteByte('"')
		case s.take('\\'):
			b.WriteByte('\\')
		case s.take('n'):
			b.WriteByte('\n')
		case s.take('t'):
			b.WriteByte('\t')
		default:
			return "", wrong(s.line, `has a backslash before %.1q: in double quotes it can be before ", \, n and t; single quotes leave it as it is`, s.text)
		}
	}
	return "", wrong(s.line, "the text does not end on its line: a quote is missing")
}

// bare reads a text without quotes. What some reader could take for something else needs them.
func (s *scanner) bare(flow bool) (string, error) {
	end := len(s.text)
	if i := strings.Index(s.text, " #"); i >= 0 {
		end = i
	}
	if flow {
		if i := strings.IndexAny(s.text[:end], ",[]{}"); i >= 0 {
			end = i
		}
	}
	text := strings.TrimRight(s.text[:end], " ")
	s.text = s.text[len(text):]
	switch {
	case text == "" || text == "~" || strings.EqualFold(text, "null"):
		return "", wrong(s.line, "has no value")
	case strings.IndexByte("?:,[]{}#&*!|>'\"%@`=<", text[0]) >= 0 || text == "-" || strings.HasPrefix(text, "- "):
		return "", wrong(s.line, "a text that begins with %.1q needs quotes", text)
	case flow && strings.Contains(text, "?"):
		return "", wrong(s.line, "a text with a question mark needs quotes within brackets")
	case strings.Contains(text, ": ") || text[len(text)-1] == ':':
		return "", wrong(s.line, "a text with a colon before a space or at its end needs quotes")
	}
	return text, nil
}
