package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Error is what is wrong with a file.
type Error struct {
	Line    int // 0 for the whole file
	Problem string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// Wrong returns an *Error of a line.
func Wrong(line int, format string, args ...any) error {
	return &Error{line, fmt.Sprintf(format, args...)}
}

// Parse returns the top of the document, nil if there is none or it is null. The error is an *Error.
func Parse(data []byte) (*yaml.Node, error) {
	if err := checkText(data); err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var document, next yaml.Node
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(data, err)
	}
	if err := d.Decode(&next); err == nil {
		return nil, Wrong(next.Line, "a second document cannot follow")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(data, err)
	}
	if err := checkKeys(&document); err != nil {
		return nil, err
	}
	if top := document.Content[0]; !IsNull(top) {
		return top, nil
	}
	return nil, nil
}

// IsNull reports whether the node is no value: nothing, ~ or null.
func IsNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// checkKeys refuses keys that are there twice.
func checkKeys(n *yaml.Node) error {
	first := map[string]int{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if line, ok := first[child.Value]; ok {
				return Wrong(child.Line, "%s is there twice: first in line %d", child.Value, line)
			}
			first[child.Value] = child.Line
		}
		if err := checkKeys(child); err != nil {
			return err
		}
	}
	return nil
}
