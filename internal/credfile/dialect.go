package credfile

import (
	"fmt"
	"strings"
)

// document is a file as a reader sees it: values by section and key.
type document map[string]map[string]string

func (d document) section(name string) map[string]string {
	if d[name] == nil {
		d[name] = map[string]string{}
	}
	return d[name]
}

// parser is the position in the file, common to both readers.
type parser struct {
	doc     document
	section string
	key     string
	inside  bool // in a section
}

// readStrict reads as botocore does, with Python's configparser. Its error names the line because
// of which botocore refuses the whole file.
func readStrict(content string) (document, error) {
	p := &parser{doc: document{}}
	indent := 0
	seen := map[[2]string]bool{}
	number := 0
	for text := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(content)) {
		number++
		l := classify(text)
		if l.kind == blank || l.kind == comment {
			continue
		}
		trimmed := strings.TrimSpace(text)
		if p.inside && p.key != "" && l.indent > indent {
			p.doc[p.section][p.key] += "\n" + trimmed
			continue
		}
		indent = l.indent
		if name, ok := strictHeader(trimmed); ok {
			if _, there := p.doc[name]; there && name != "DEFAULT" { // configparser.DEFAULTSECT
				return nil, fmt.Errorf("line %d: the section [%s] is there twice", number, name)
			}
			p.section, p.key, p.inside = name, "", true
			p.doc.section(name)
			continue
		}
		switch {
		case !p.inside:
			return nil, fmt.Errorf("line %d is before the first section", number)
		case l.kind != setting || l.name == "":
			return nil, fmt.Errorf("line %d is neither a setting nor a section", number)
		case seen[[2]string{p.section, l.name}]:
			return nil, fmt.Errorf("line %d: %s is there twice in the section [%s]", number, l.name, p.section)
		}
		seen[[2]string{p.section, l.name}] = true
		p.key = l.name
		p.doc[p.section][l.name] = l.value
	}
	return p.doc, nil
}

// strictHeader returns the name up to the last bracket, and ignores the rest of the line.
func strictHeader(trimmed string) (string, bool) {
	end := strings.LastIndexByte(trimmed, ']')
	if trimmed[0] != '[' || end < 2 {
		return "", false
	}
	return trimmed[1:end], true
}

// readLenient reads as the Go SDK does. A nested key is left out.
func readLenient(content string) document {
	p := &parser{doc: document{}}
	for text := range strings.Lines(content) {
		l := classify(text)
		switch {
		case l.kind == header:
			p.section, p.key, p.inside = strings.Join(strings.Fields(l.name), " "), "", true
			p.doc.section(p.section)
		case p.inside && (l.kind == setting || l.kind == other):
			p.lenient(l)
		}
	}
	return p.doc
}

// lenient reads a setting, or a continuation line.
func (p *parser) lenient(l line) {
	values := p.doc[p.section]
	indented := l.text[0] == ' ' || l.text[0] == '\t'
	switch nested := p.key != "" && values[p.key] == ""; {
	case l.kind == setting && !(indented && nested):
		value, _ := cutComment(l.value)
		p.key = l.name
		values[l.name] = unquote(value)
	case l.kind == other && indented && p.key != "" && !nested:
		values[p.key] += "\n" + strings.TrimSpace(l.text)
	}
}

// cutComment splits a value and its comment, as the readers that allow one there do.
func cutComment(value string) (before, after string) {
	for i := 1; i < len(value); i++ {
		if (value[i] == '#' || value[i] == ';') && (value[i-1] == ' ' || value[i-1] == '\t') {
			return strings.TrimSpace(value[:i]), value[i:]
		}
	}
	return value, ""
}

func unquote(value string) string {
	if quoted(value) && len(value) > 1 {
		return value[1 : len(value)-1]
	}
	return value
}

// quoted reports whether the Go SDK strips the first and the last character.
func quoted(value string) bool {
	return value != "" && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
}
