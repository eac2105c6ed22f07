package report

import (
	"fmt"
	"strings"
)

// Note is a line about a result, for standard error.
type Note struct {
	Label string // see cli.Say
	Text  string
}

// Notes are the lines about a result, in the order in which they are written.
type Notes []Note

// String returns the lines, each with its label.
func (n Notes) String() string {
	var lines strings.Builder
	for _, one := range n {
		fmt.Fprintf(&lines, "%s: %s\n", one.Label, one.Text)
	}
	return lines.String()
}

// Done adds a step that was done.
func (n *Notes) Done(format string, args ...any) { n.add("done", format, args) }

// Warn adds a warning.
func (n *Notes) Warn(format string, args ...any) { n.add("warning", format, args) }

// Next adds what is to be done next, such as a command line.
func (n *Notes) Next(format string, args ...any) { n.add("next", format, args) }

func (n *Notes) add(label, format string, args []any) {
	*n = append(*n, Note{label, fmt.Sprintf(format, args...)})
}

// MaxNamed is how many things of one kind a result names; the rest is counted.
const MaxNamed = 10

// FirstOf lists the first few of total names, and counts the rest.
func FirstOf(names []string, most, total int) string {
	names = names[:min(most, len(names))]
	text := strings.Join(names, ", ")
	if n := total - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// Count formats a number of things: "1 host", "2 hosts".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
