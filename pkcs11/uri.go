package pkcs11

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxURI bounds what is parsed: longer is a mistake.
const maxURI = 16 << 10

// URI selects a library, slot, token and object, RFC 7512. The zero value names
// nothing and so matches everything. A URI is immutable, and safe for concurrent use.
type URI struct {
	path, query []attribute // in the order of printing
}

// attribute is one of the URI's, its value decoded.
type attribute struct{ name, value string }

// pathNames are the attributes of the path, RFC 7512 section 2.3, in the order of printing.
func pathNames() []string {
	return []string{
		"library-manufacturer", "library-description", "library-version",
		"slot-manufacturer", "slot-description", "slot-id",
		"model", "manufacturer", "serial", "token",
		"id", "object", "type",
	}
}

// queryNames are the attributes of the query, RFC 7512 section 2.4.
func queryNames() []string {
	return []string{"module-name", "module-path", "pin-source", "pin-value"}
}

// ParseURI parses s by the grammar of RFC 7512 section 2.3. Attributes that the RFC does not
// know are kept: in the query they mean nothing here, in the path they match nothing. An error
// never shows a PIN.
func ParseURI(s string) (URI, error) {
	const scheme = "pkcs11:"
	switch {
	case len(s) > maxURI:
		return URI{}, fmt.Errorf("PKCS#11 URI: has %d bytes; %d are the most", len(s), maxURI)
	case len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme):
		return URI{}, errors.New(`PKCS#11 URI: must begin with "pkcs11:"`)
	}
	path, query, _ := strings.Cut(s[len(scheme):], "?")
	var u URI
	var err error
	if u.path, err = parseAttributes(path, ";", "path"); err != nil {
		return URI{}, fmt.Errorf("PKCS#11 URI: %w", err)
	}
	if u.query, err = parseAttributes(query, "&", "query"); err != nil {
		return URI{}, fmt.Errorf("PKCS#11 URI: %w", err)
	}
	return u, u.check()
}

func parseAttributes(s, separator, where string) ([]attribute, error) {
	if s == "" {
		return nil, nil
	}
	var attributes []attribute
	for field := range strings.SplitSeq(s, separator) {
		a, err := parseAttribute(field, where)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, a)
	}
	order := pathNames()
	if where == "query" {
		order = queryNames()
	}
	attributes = inOrder(attributes, order)
	return attributes, checkNames(attributes, order, where)
}

func parseAttribute(field, where string) (attribute, error) {
	name, encoded, ok := strings.Cut(field, "=")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isNameChar(r) }) {
		return attribute{}, fmt.Errorf("the %s has an attribute without a proper name; it is a list of NAME=VALUE", where)
	}
	if !ok {
		return attribute{}, fmt.Errorf("%s: has no value", name)
	}
	value, err := unescape(encoded, where)
	if err != nil {
		return attribute{}, fmt.Errorf("%s: %w", name, err)
	}
	a := attribute{name, value}
	switch {
	case where == "path" && name == "slot-id":
		a.value, err = canonicalNumber(value, 64)
	case where == "path" && name == "library-version":
		a.value, err = canonicalVersion(value)
	case where == "path" && name == "type" && !slices.Contains([]string{"public", "private", "cert", "secret-key", "data"}, value):
		err = fmt.Errorf("%q is none of public, private, cert, secret-key and data", value)
	}
	if err != nil {
		return attribute{}, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// checkNames refuses what RFC 7512 section 2.3 forbids: an attribute given twice. Only those
// that are not the RFC's may be repeated, in the query.
func checkNames(sorted []attribute, known []string, where string) error {
	other := queryNames()
	if where == "query" {
		other = pathNames()
	}
	for i, a := range sorted {
		if i > 0 && sorted[i-1].name == a.name && (where == "path" || slices.Contains(known, a.name)) {
			return fmt.Errorf("%s: is given twice", a.name)
		}
		if slices.Contains(other, a.name) && where == "path" {
			return fmt.Errorf("%s: belongs to the query, behind a question mark", a.name)
		}
		if slices.Contains(other, a.name) {
			return fmt.Errorf("%s: belongs to the path, before the question mark", a.name)
		}
	}
	return nil
}

// check refuses what only the whole can break.
func (u URI) check() error {
	_, value := u.lookup("pin-value")
	_, source := u.lookup("pin-source")
	if value && source { // RFC 7512 section 2.4
		return errors.New("PKCS#11 URI: pin-value and pin-source exclude each other")
	}
	return nil
}

// lookup returns the decoded value of an attribute, and whether it is there at all.
func (u URI) lookup(name string) (string, bool) {
	for _, list := range [][]attribute{u.path, u.query} {
		for _, a := range list {
			if a.name == name {
				return a.value, true
			}
		}
	}
	return "", false
}

// value is what lookup returns of an attribute whose absence means the same as an empty one.
func (u URI) value(name string) string {
	value, _ := u.lookup(name)
	return value
}

// with returns a copy in which the attribute of the path has this value.
func (u URI) with(name, value string) URI {
	u = u.without(name)
	u.path = append(u.path, attribute{name, value})
	u.path = inOrder(u.path, pathNames())
	return u
}

// without returns a copy that lacks these attributes.
func (u URI) without(names ...string) URI {
	named := func(a attribute) bool { return slices.Contains(names, a.name) }
	return URI{slices.DeleteFunc(slices.Clone(u.path), named), slices.DeleteFunc(slices.Clone(u.query), named)}
}

// Token returns a URI of the token alone: without object, id and type.
func (u URI) Token() URI { return u.without("object", "id", "type") }

// equal reports whether two URIs have the same attributes with the same values. What RFC 7512
// section 2.6 lets differ, order and percent-encoding, is gone after parsing.
func (u URI) equal(v URI) bool { return slices.Equal(u.path, v.path) && slices.Equal(u.query, v.query) }

// inOrder returns attributes sorted by their names and, where a name is there several times, by value. It
// sorts pointers, for which the program has the code already.
func inOrder(attributes []attribute, order []string) []attribute {
	pointers := make([]*attribute, len(attributes))
	for i := range attributes {
		pointers[i] = &attributes[i]
	}
	slices.SortFunc(pointers, func(a, b *attribute) int {
		return cmp.Or(compareNames(order, a.name, b.name), strings.Compare(a.value, b.value))
	})
	sorted := make([]attribute, len(attributes))
	for i, a := range pointers {
		sorted[i] = *a
	}
	return sorted
}

// compareNames sorts known names in their order, and before all others.
func compareNames(order []string, a, b string) int {
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// canonicalNumber checks 1*DIGIT and drops leading zeros.
func canonicalNumber(s string, bits int) (string, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil || strings.HasPrefix(s, "+") {
		return "", fmt.Errorf("%q is not a number of at most %d bits", s, bits)
	}
	return strconv.FormatUint(n, 10), nil
}

// canonicalVersion makes M.N of M too: the minor version is 0 then, RFC 7512 section 2.3.
func canonicalVersion(s string) (string, error) {
	major, minor, ok := strings.Cut(s, ".")
	if !ok {
		minor = "0"
	}
	major, err1 := canonicalNumber(major, 8)
	minor, err2 := canonicalNumber(minor, 8)
	if err1 != nil || err2 != nil {
		return "", fmt.Errorf("%q is not a version such as 2 or 2.40", s)
	}
	return major + "." + minor, nil
}
