package cadir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is where a value stands in a configuration.
type place struct {
	line string // empty: unknown
	key  string // with those above it, such as server.limits.host; empty: unknown
}

// String returns the beginning of an error about the value, after the name of the file.
func (p place) String() string {
	text := ": "
	if p.line != "" {
		text = ":" + p.line + text
	}
	if p.key != "" {
		text += p.key + ": "
	}
	return text
}

// placeOfRefused finds the value with which an error begins. The library does not tell where a value stands
// that is refused by its own type.
func placeOfRefused(data []byte, text string) place {
	keys := []string{"valid", "default", "max", "warn", "forget", "grace", "hardware_grace", "address", "host", "timeout", "wait", "session_duration", "create_session_quota"}
	all := findValues(data, func(path string, n *yaml.Node) bool {
		return n.Kind == yaml.ScalarNode && slices.Contains(keys, path[strings.LastIndex(path, ".")+1:]) && strings.HasPrefix(text, fmt.Sprintf("%q", n.Value))
	})
	switch len(all) {
	case 0:
		return place{}
	case 1:
		return all[0]
	}
	return place{line: all[0].line} // one of the others may be right for its key
}

// ofMistyped adds the key to the place of a value that the library shows in backquotes, and shortens; it shows
// nothing of a list or a group of keys.
func (p place) ofMistyped(data []byte, shown string) place {
	start, shortened := strings.CutSuffix(strings.Trim(shown, "`"), "...")
	all := findValues(data, func(_ string, n *yaml.Node) bool {
		if isText := n.Kind == yaml.ScalarNode; strconv.Itoa(n.Line) != p.line || isText != (shown != "") {
			return false
		}
		return n.Value == start || shortened && strings.HasPrefix(n.Value, start)
	})
	if len(all) == 1 {
		return all[0]
	}
	return p
}

// findValues returns the places of the values that match, in their order.
func findValues(data []byte, matches func(path string, n *yaml.Node) bool) (all []place) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil
	}
	var look func(n *yaml.Node, path string)
	look = func(n *yaml.Node, path string) {
		for i, child := range n.Content {
			at := path
			if n.Kind == yaml.MappingNode {
				if i%2 == 0 {
					continue
				}
				at = strings.TrimPrefix(path+"."+printable(n.Content[i-1].Value), ".")
			}
			if at != "" && matches(at, child) {
				all = append(all, place{strconv.Itoa(child.Line), at})
			}
			look(child, at)
		}
	}
	look(&document, "")
	return all
}

// printable quotes a key that has other than printable characters.
func printable(key string) string {
	if quoted := strconv.Quote(key); quoted != `"`+key+`"` {
		return quoted
	}
	return key
}
