package awsexport

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/internal/awsplan"
)

// hclString returns a text as a quoted template that is that text: HCL Native Syntax Specification, "Template
// Expressions". What begins an interpolation or a directive is doubled; beside another of these characters it is
// written by its number, since the specification does not say which of three belongs to which.
func hclString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	runes := append([]rune(text), 0)
	for i, r := range runes[:len(runes)-1] {
		switch next := runes[i+1]; {
		case r == '"', r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ', (r == '$' || r == '%') && (next == '$' || next == '%' || next == 0):
			fmt.Fprintf(&b, `\u%04x`, r)
		case (r == '$' || r == '%') && next == '{':
			b.WriteString(string(r) + string(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// CharacterError reports a policy that Terraform cannot bring to IAM. The provider hashicorp/aws decodes each document
// and writes it anew, with characters as they are, of which IAM accepts those up to U+00FF (IAM API Reference,
// PutRolePolicy, PolicyDocument). Others can only be \uXXXX there, which the provider does not keep.
type CharacterError struct{ Character rune }

func (e *CharacterError) Error() string {
	return fmt.Sprintf("IAM does not accept the character %U, %q, as Terraform's provider hashicorp/aws writes it", e.Character, e.Character)
}

// hclDocument returns a policy as an expression: jsonencode of its members. The reference is to the trust anchor. Errors
// are a *CharacterError, and that of a text that is not JSON.
func hclDocument(document, reference, indent string) (string, error) {
	v, err := decoded(document)
	if err != nil {
		return "", err
	}
	text, err := compact(v) // which escapes U+2028 and U+2029, as the provider does
	if err != nil {
		return "", err
	}
	for _, r := range text {
		if r > awsplan.MaxDocumentRune {
			return "", &CharacterError{r}
		}
	}
	return "jsonencode(" + hclValue(v, reference, indent) + ")", nil
}

// decoded returns a JSON document with its numbers as they are.
func decoded(document string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	return v, d.Decode(&v)
}

// hclValue returns a value of JSON as an expression whose further lines are indented.
func hclValue(v any, reference, indent string) string {
	inner := indent + "  "
	switch v := v.(type) {
	case map[string]any:
		var lines []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			lines = append(lines, inner+hclString(key)+" = "+hclValue(v[key], reference, inner)+"\n")
		}
		return hclBraces("{", lines, indent, "}")
	case []any:
		var lines []string
		for _, element := range v {
			lines = append(lines, inner+hclValue(element, reference, inner)+",\n")
		}
		return hclBraces("[", lines, indent, "]")
	case string:
		return hclText(v, reference)
	case nil:
		return "null"
	}
	return fmt.Sprint(v) // a number or a boolean
}

// hclText returns a text in which the ARN of the trust anchor is the reference.
func hclText(text, reference string) string {
	if text == anyAnchor {
		return reference
	}
	var parts []string
	for part := range strings.SplitSeq(text, anyAnchor) {
		quoted := hclString(part)
		parts = append(parts, quoted[1:len(quoted)-1])
	}
	return `"` + strings.Join(parts, "${"+reference+"}") + `"`
}

func hclBraces(open string, lines []string, indent, end string) string {
	if len(lines) == 0 {
		return open + end
	}
	return open + "\n" + strings.Join(lines, "") + indent + end
}

// hclLabel returns the name of a resource, from that of an object. The key tells the object from others of its type: a
// name that lost a character gets a part of its hash, so that it stays when other objects come and go.
func hclLabel(name, key string) string {
	label := strings.Map(func(r rune) rune {
		if isAlphanumeric(r) || r == '-' {
			return r
		}
		return '_'
	}, name)
	if c := rune(label[0]); c == '-' || c >= '0' && c <= '9' {
		label = "_" + label
	}
	if label == key {
		return label
	}
	return label + "_" + shortHash(key)
}
