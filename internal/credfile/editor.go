package credfile

import (
	"fmt"
	"slices"
	"strings"
)

// editor writes the lines of one section of the profile.
type editor struct {
	first int // the index of the section's first line in the file
	lines []line
	eol   string
}

// edit replaces the lines of the settings in place, and puts those that are missing after the last
// of them, or after the header.
func (e *editor) edit(out *strings.Builder, settings []Setting) error {
	at, gone, err := e.find(settings)
	if err != nil {
		return err
	}
	behind, missing := e.place(at, settings)
	if behind < 0 {
		appendTo(out, missing, e.indentation(), e.eol)
	}
	for i, l := range e.lines {
		if n := slices.Index(at, i); n >= 0 {
			e.replace(out, l, settings[n])
		} else if !gone[i] {
			out.WriteString(l.text)
		}
		if i == behind {
			if !strings.HasSuffix(l.text, "\n") {
				out.WriteString(e.eol)
			}
			indentation := e.indentation()
			if l.kind == setting {
				indentation = l.text[:l.indent]
			}
			appendTo(out, missing, indentation, e.eol)
		}
	}
	return nil
}

func appendTo(out *strings.Builder, settings []Setting, indentation, eol string) {
	for _, s := range settings {
		out.WriteString(indentation + s.Key + " = " + s.Value + eol)
	}
}

// find returns the index of each setting's line, or -1, and the lines to remove: duplicates of the
// keys, and continuations of their values.
func (e *editor) find(settings []Setting) (at []int, gone map[int]bool, err error) {
	at, gone = slices.Repeat([]int{-1}, len(settings)), map[int]bool{}
	ours, last := false, -1 // the last setting, as botocore reads it
	for i, l := range e.lines {
		n := index(settings, l)
		deeper := last >= 0 && l.indent > e.lines[last].indent
		switch {
		case l.kind == blank, l.kind == comment:
		case deeper && l.kind == setting && (ours || n >= 0 && e.lines[last].value != ""):
			return nil, nil, fmt.Errorf("line %d: some AWS SDKs read it as a setting, others as a part of the one before; take away the space before it", e.first+i+1)
		case deeper, l.kind == other:
			gone[i] = ours && l.indent > 0 // the Go SDK continues a value with any indented line
		default:
			last, ours = i, n >= 0
			if gone[i] = ours && at[n] >= 0; ours && !gone[i] {
				at[n] = i
			}
		}
	}
	return at, gone, nil
}

// index returns which of the settings a line is, or -1.
func index(settings []Setting, l line) int {
	if l.kind != setting {
		return -1
	}
	return slices.IndexFunc(settings, func(s Setting) bool { return s.Key == l.name })
}

// place returns the settings that have no line yet, and the line after which they go: -1 is the
// header.
func (e *editor) place(at []int, settings []Setting) (behind int, missing []Setting) {
	behind = slices.Max(append(at, -1))
	for n, s := range settings {
		if at[n] < 0 && !s.Existing {
			missing = append(missing, s)
		}
	}
	if behind >= 0 {
		return behind, missing
	}
	for i, l := range e.lines { // after lines that are no setting: those would continue the value of a new last one
		if l.kind == setting {
			break
		}
		if l.kind == other {
			behind = i
		}
	}
	return behind, missing
}

// indentation returns that of the section's first setting: with more, botocore would take a line
// for a continuation of the one before.
func (e *editor) indentation() string {
	for _, l := range e.lines {
		if l.kind == setting {
			return l.text[:l.indent]
		}
	}
	return ""
}

// replace rewrites the line of a setting, and keeps the space around its sign.
func (e *editor) replace(out *strings.Builder, l line, s Setting) {
	indentation, text := l.text[:l.indent], l.text[l.indent:]
	body := strings.TrimRight(text, "\r\n")
	ending := text[len(body):]
	sign := strings.IndexAny(body, "=:")
	key, value := body[:sign], body[sign+1:]
	before := key[len(strings.TrimRight(key, " \t")):]
	after := value[:len(value)-len(strings.TrimLeft(value, " \t"))]
	if strings.TrimSpace(value) == "" {
		after = before
	}
	if _, remark := cutComment(" " + strings.TrimSpace(value)); remark != "" {
		out.WriteString(indentation + remark + e.eol)
	}
	out.WriteString(indentation + s.Key + before + "=" + after + s.Value + ending)
}
