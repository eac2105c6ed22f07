package awsplan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf16"
)

// SameDocument reports whether two policies are the same, whatever their white space is, the order of their members,
// and whether a single value stands in a list: a list of strings is a set (IAM User Guide, "Grammar of the IAM JSON
// policy language").
func SameDocument(a, b string) bool {
	x, okA := parseDocument(a)
	y, okB := parseDocument(b)
	if !okA || !okB {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}

func parseDocument(text string) (any, bool) {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return nil, false
	}
	return normal(v), true
}

// normal returns the one form of values that mean the same.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = normal(member)
		}
		return v
	case []any:
		return normalList(v)
	}
	return v
}

func normalList(list []any) any {
	var words []string
	for i := range list {
		list[i] = normal(list[i])
		if word, ok := list[i].(string); ok {
			words = append(words, word)
		}
	}
	if len(words) == len(list) {
		slices.Sort(words)
		list = list[:0]
		for _, word := range slices.Compact(words) {
			list = append(list, word)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// MaxDocumentRune is the last character that IAM accepts in a policy. Others can only be \uXXXX in it (IAM API Reference,
// PutRolePolicy, PolicyDocument, and CreateRole, AssumeRolePolicyDocument).
const MaxDocumentRune = '\u00ff'

// EscapeAbove returns JSON with the characters after the last one as \uXXXX, which is the same document: outside of
// strings JSON has none of them (RFC 8259, section 7). The last one is '\u007f' or a later one.
func EscapeAbove(text string, last rune) string {
	var b strings.Builder
	for _, r := range text {
		if r <= last {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// documentLines returns a policy as indented lines of its normal form.
func documentLines(text string) []string {
	v, ok := parseDocument(text)
	if !ok {
		return strings.Split(text, "\n")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil { // what was parsed can be written
		return strings.Split(text, "\n")
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// diffLines returns the lines of both, each with a mark: "- " for what goes, "+ " for what comes, and two spaces for
// what stays.
func diffLines(old, now []string) []string {
	common := make([][]int, len(old)+1) // lengths of the longest common subsequences of the rests
	for i := range common {
		common[i] = make([]int, len(now)+1)
	}
	for i := len(old) - 1; i >= 0; i-- {
		for j := len(now) - 1; j >= 0; j-- {
			if old[i] == now[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []string
	i, j := 0, 0
	for i < len(old) || j < len(now) {
		switch {
		case i < len(old) && j < len(now) && old[i] == now[j]:
			lines = append(lines, "  "+old[i])
			i, j = i+1, j+1
		case j == len(now) || i < len(old) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+old[i])
			i++
		default:
			lines = append(lines, "+ "+now[j])
			j++
		}
	}
	return lines
}
