package cloudtrail

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/wire"
)

// Members are the members of a JSON object. Nil is null.
type Members map[string]any

// Add sets a member, or adds a value to one that is there, which becomes a list.
func (m Members) Add(name, value string) {
	switch before := m[name].(type) {
	case nil:
		m[name] = value
	case []any:
		m[name] = append(before, value)
	default:
		m[name] = []any{before, value}
	}
}

func marshal(v any) ([]byte, error) {
	return json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), json.FormatNilMapAsNull(true))
}

// FromForm returns the parameters of the query protocol as CloudTrail has them: names begin with a small letter, and
// lists are lists (IAMG cloudtrail-integration, the examples). The operation has the parameters in own, with N for a number in a
// list: "Tags.member.N.Key". No others are returned, which may be anything.
func FromForm(parameters wire.Parameters, own []string) Members {
	tree := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if !slices.Contains(own, numbered(name)) {
			continue
		}
		put(tree, strings.Split(name, "."), parameters[name])
	}
	if len(tree) == 0 {
		return nil
	}
	for name, value := range tree {
		tree[name] = listed(value)
	}
	return tree
}

// numbered replaces the numbers in the name of a parameter by N.
func numbered(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		switch {
		case part == "N":
			parts[i] = "" // no number
		case part != "" && strings.Trim(part, "0123456789") == "":
			parts[i] = "N"
		}
	}
	return strings.Join(parts, ".")
}

// put stores a value under the parts of its name.
func put(tree map[string]any, parts []string, value string) {
	last := len(parts) - 1
	for _, part := range parts[:last] {
		below, ok := tree[small(part)].(map[string]any)
		if !ok {
			below = map[string]any{}
			tree[small(part)] = below
		}
		tree = below
	}
	tree[small(parts[last])] = value
}

// listed replaces {"member": {"1": …, "2": …}} by a list, in the order of the numbers.
func listed(value any) any {
	tree, ok := value.(map[string]any)
	if !ok {
		return value
	}
	for name, below := range tree {
		tree[name] = listed(below)
	}
	items, ok := tree["member"].(map[string]any)
	if !ok || len(tree) > 1 {
		return tree
	}
	numbers := slices.SortedFunc(maps.Keys(items), func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	list := make([]any, len(numbers))
	for i, n := range numbers {
		list[i] = items[n]
	}
	return list
}

// small returns a name with a small first letter: "roleName". A list's numbers stay as they are.
func small(name string) string {
	if name == "" {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// FromJSON returns the members of a JSON object, nil if there are none. The operation has the members in own, with those that
// are below another after a dot, in lists as well: "tags.key". No others are returned, which may be anything.
func FromJSON(data []byte, own []string) Members {
	m, _ := pruned(map[string]any(object(data)), "", own)
	if all, ok := m.(map[string]any); ok && len(all) > 0 {
		return all
	}
	return nil
}

// pruned returns what an operation has of a value, and whether it has a member there.
func pruned(value any, path string, own []string) (any, bool) {
	isAbove := slices.ContainsFunc(own, func(member string) bool { return path == "" || strings.HasPrefix(member, path+".") })
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			if kept, ok := pruned(below, strings.TrimPrefix(path+"."+name, "."), own); ok {
				value[name] = kept
			} else {
				delete(value, name)
			}
		}
		return value, isAbove
	case []any:
		items := []any{}
		for _, item := range value {
			if kept, ok := pruned(item, path, own); ok {
				items = append(items, kept)
			}
		}
		return items, isAbove || slices.Contains(own, path)
	}
	return value, slices.Contains(own, path)
}

func object(data []byte) Members {
	var m Members
	if json.Unmarshal(data, &m) != nil || len(m) == 0 {
		return nil
	}
	return m
}

// FromAnswer returns an answer of the REST-JSON protocol, as it was sent.
func FromAnswer(answer any) Members {
	data, err := marshal(answer)
	if err != nil {
		return nil
	}
	return object(data)
}

// FromXML returns the result of an answer of the query protocol as CloudTrail has it, nil if the answer has none:
// as [FromForm] does, with times in its own form, numbers as numbers, and without secrets.
func FromXML(answer wire.XMLAnswer) Members {
	data, err := xml.Marshal(answer)
	if err != nil {
		return nil
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		if start, ok := token.(xml.StartElement); ok && strings.HasSuffix(start.Name.Local, "Result") {
			value, err := element(d, start.Name.Local)
			result, ok := value.(map[string]any)
			if err != nil || !ok || len(result) == 0 {
				return nil
			}
			return result
		}
	}
}

// element reads what is in an element whose start was read: the answer was made here, so its depth is bounded.
func element(d *xml.Decoder, name string) (any, error) {
	below := map[string]any{}
	var list []any
	var text strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return nil, errors.Join(err, io.ErrUnexpectedEOF)
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			value, err := element(d, token.Name.Local)
			if err != nil {
				return nil, err
			}
			switch token.Name.Local {
			case "member":
				list = append(list, value)
			case "SecretAccessKey": // CloudTrail has no such member (IAMG cloudtrail-integration)
			default:
				below[small(token.Name.Local)] = value
			}
		case xml.EndElement:
			switch {
			case list != nil:
				return list, nil
			case len(below) > 0:
				return below, nil
			}
			return leaf(name, text.String()), nil
		}
	}
}

// leaf returns a value without members below it.
func leaf(name, text string) any {
	switch {
	case name == "SessionToken":
		return Hidden
	case slices.Contains([]string{"PackedPolicySize", "SessionTokenSize", "SessionTokenUtilization", "MaxSessionDuration"}, name):
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	case strings.HasSuffix(name, "Date") || name == "Expiration":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return Time(at)
		}
	}
	return text
}

// Time is a point in time as the events of STS and IAM have it in response elements (IAMG cloudtrail-integration).
func Time(at time.Time) string { return at.UTC().Format("Jan 2, 2006, 3:04:05 PM") }
