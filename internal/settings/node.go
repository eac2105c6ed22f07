package settings

import "fmt"

type kind int

const (
	scalar kind = iota
	list
	mapping
)

// node is a value of the file.
type node struct {
	kind    kind
	line    int    // where it begins
	text    string // of a scalar
	plain   bool   // a scalar without quotes
	items   []node // of a list: scalars
	entries []entry
}

type entry struct {
	key   string
	line  int
	value node
}

// syntaxError is what is wrong on a line.
type syntaxError struct {
	line    int
	problem string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.problem) }

func wrong(line int, format string, args ...any) error {
	return &syntaxError{line, fmt.Sprintf(format, args...)}
}

// add puts an entry into a mapping, once.
func (n *node) add(e entry) error {
	for _, other := range n.entries {
		if other.key == e.key {
			return wrong(e.line, "%s is there twice: first in line %d", e.key, other.line)
		}
	}
	n.entries = append(n.entries, e)
	return nil
}
