package policy

import (
	"encoding/json/jsontext"
	"slices"
	"strings"
)

// Rename returns the document and its text with other names for the principals of the kind AWS. For a name that stays,
// rename returns it as it is; if all of them stay, document and text are those that were given. The text is the one that
// [Parse] made the document of.
func (d *Document) Rename(text string, rename func(name string) string) (*Document, string) {
	c := d
	for i, s := range d.Statements {
		values, changed := renamed(s.Principal.Values, rename)
		if !changed {
			continue
		}
		if c == d {
			c = &Document{d.Version, d.ID, slices.Clone(d.Statements)}
		}
		c.Statements[i].Principal.Values = values
	}
	if c == d {
		return d, text
	}
	return c, renameIn(text, rename)
}

// renamed returns the values of a Principal element, and whether they are others. The given ones stay as they are.
func renamed(values []string, rename func(string) string) (_ []string, changed bool) {
	for i, value := range values {
		name, ok := strings.CutPrefix(value, "AWS:")
		if !ok || rename(name) == name {
			continue
		}
		if !changed {
			values, changed = slices.Clone(values), true
		}
		values[i] = "AWS:" + rename(name)
	}
	return values, changed
}

// renameIn replaces the names in a text that is a document. All else of it stays, white space as well.
func renameIn(text string, rename func(string) string) string {
	in := jsontext.NewDecoder(strings.NewReader(text))
	var out strings.Builder
	done := 0
	for {
		if in.PeekKind() != '"' {
			if _, err := in.ReadToken(); err != nil { // the end
				break
			}
			continue
		}
		value, err := in.ReadValue()
		if err != nil {
			break
		}
		end := int(in.InputOffset())
		start := end - len(value)
		name, err := jsontext.AppendUnquote(nil, value)
		if err != nil || !namesPrincipal(in.StackPointer()) || rename(string(name)) == string(name) {
			continue
		}
		quoted, err := jsontext.AppendQuote(nil, rename(string(name)))
		if err != nil {
			continue // a name that is not UTF-8, which no entity has
		}
		out.WriteString(text[done:start])
		out.Write(quoted)
		done = end
	}
	return out.String() + text[done:]
}

// namesPrincipal reports whether a value of a document is a name below "AWS" in a Principal or NotPrincipal. The name "AWS"
// itself has the same pointer.
func namesPrincipal(at jsontext.Pointer) bool {
	if at.LastToken() != "AWS" { // one of a list
		at = at.Parent()
	}
	of := at.Parent().LastToken()
	return at.LastToken() == "AWS" && (of == "Principal" || of == "NotPrincipal")
}
