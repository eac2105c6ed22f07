package credfile

import "strings"

type kind int

const (
	blank kind = iota
	comment
	header
	setting
	other // a continuation of a value, or not understood
)

// line is a line as the Go SDK reads it, with the indentation that botocore uses.
type line struct {
	text   string // with its line ending
	kind   kind
	indent int
	name   string // of a header, without brackets; of a setting, in lower case
	value  string
}

// split returns the lines of a file. Their texts joined are the file.
func split(content string) []line {
	lines := make([]line, 0, strings.Count(content, "\n")+1)
	for text := range strings.Lines(content) {
		lines = append(lines, classify(text))
	}
	return lines
}

func classify(text string) line {
	l := line{text: text}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return l
	}
	l.indent = strings.Index(text, trimmed)
	if trimmed[0] == '#' || trimmed[0] == ';' {
		l.kind = comment
		return l
	}
	if name, ok := headerName(trimmed); ok {
		l.kind, l.name = header, name
		return l
	}
	at := strings.IndexAny(trimmed, "=:")
	if at < 0 {
		l.kind = other
		return l
	}
	l.kind = setting
	l.name = strings.ToLower(strings.TrimSpace(trimmed[:at]))
	l.value = strings.TrimSpace(trimmed[at+1:])
	return l
}

// headerName returns what is between the brackets of a header.
func headerName(trimmed string) (string, bool) {
	if i := strings.IndexAny(trimmed, "#;"); i >= 0 {
		trimmed = strings.TrimSpace(trimmed[:i])
	}
	if len(trimmed) < 2 || trimmed[0] != '[' || trimmed[len(trimmed)-1] != ']' {
		return "", false
	}
	return trimmed[1 : len(trimmed)-1], true
}

// ending returns the line ending of a file: that of its first line.
func ending(lines []line) string {
	if len(lines) > 0 && strings.HasSuffix(lines[0].text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// sections calls yield for each header that names a section: its line, and the line after the last of it.
func sections(lines []line, yield func(start, end int)) {
	start := -1
	for i, l := range lines {
		if l.kind != header {
			continue
		}
		if start >= 0 {
			yield(start, i)
		}
		start = i
	}
	if start >= 0 {
		yield(start, len(lines))
	}
}
