package ca

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameRules are about the names that identify sessions.
func nameRules() []rule {
	return []rule{
		{"subject-empty", Error, all, false, trustModel, checkSubject},
		{"common-name-length", Error, all, false, "RFC 5280, appendix A, ub-common-name", checkCommonName},
		{"attribute-length", Warning, all, false, "RFC 5280, appendix A, upper bounds", checkAttributes},
		{"attribute-spaces", Warning, all, false, "RFC 4518, 2.6.1", checkSpaces},
		{"common-name-repeated", Warning, leaf, false, trustModel, checkOneCommonName},
		{"source-identity", Warning, leaf, false, trustModel, checkSourceIdentity},
		{"duplicate-name", Warning, leaf, true, "RFC 5280, 4.2.1.6", checkDuplicates},
	}
}

// checkSubject checks the encoding: a name with only attributes that Go does not decode is not
// empty.
func checkSubject(s *subject) []string {
	if len(s.RawSubject) <= emptyName {
		return broken("has an empty subject; a session is keyed by it")
	}
	return nil
}

func checkCommonName(s *subject) []string {
	if n := utf8.RuneCountInString(s.Subject.CommonName); n > maxCommonName {
		return broken("has the common name %q of %d characters; at most %d are allowed", s.Subject.CommonName, n, maxCommonName)
	}
	return nil
}

// checkAttributes checks the other attributes: zlint and some programs refuse such ones, the
// service is not known to.
func checkAttributes(s *subject) []string {
	var texts []string
	for _, attribute := range s.Subject.Names {
		value, _ := attribute.Value.(string)
		name, n := attributeName(attribute.Type), utf8.RuneCountInString(value)
		switch limit := attributeLimit(name); {
		case name == "C" && n != limit:
			texts = append(texts, broken("has the country %q; it must be a code of two letters", value)...)
		case limit > 0 && n > limit:
			texts = append(texts, broken("has the attribute %s, %q, of %d characters; at most %d are allowed", name, value, n, limit)...)
		}
	}
	return texts
}

// checkSpaces: names that differ only in such spaces are equal by X.520, and look equal, but
// sessions are keyed by the text.
func checkSpaces(s *subject) []string {
	var texts []string
	for _, attribute := range s.Subject.Names {
		value, _ := attribute.Value.(string)
		if strings.Join(strings.FieldsFunc(value, unicode.IsSpace), " ") != value {
			texts = append(texts, broken("has the attribute %s, %q, with spaces at an end, several in a row, or others than plain ones", attributeName(attribute.Type), value)...)
		}
	}
	return texts
}

func checkOneCommonName(s *subject) []string {
	n := 0
	for _, attribute := range s.Subject.Names {
		if attribute.Type.Equal(oidCommonName) {
			n++
		}
	}
	if n > 1 {
		return broken("has %d common names; which of them becomes sourceIdentity is not documented", n)
	}
	return nil
}

func checkSourceIdentity(s *subject) []string {
	switch identity := SourceIdentity(s.Certificate); {
	case len(s.RawSubject) <= emptyName || utf8.RuneCountInString(s.Subject.CommonName) > maxCommonName:
		return nil // another finding reports it
	case s.Subject.CommonName == "":
		return broken("has no common name; sourceIdentity will be %q, and another one after every renewal", identity)
	case !strings.HasPrefix(identity, "CN="):
		return broken("has a common name of more than 61 characters; sourceIdentity will be %q, without the CN= that it has otherwise", identity)
	}
	return nil
}

// checkDuplicates compares names as RFC 5280 does: DNS names and the host of an email address
// without case (7.2 and 7.5).
func checkDuplicates(s *subject) []string {
	var names, texts []string
	for _, name := range s.names.dns {
		names = append(names, "DNS:"+strings.ToLower(name))
	}
	for _, uri := range s.names.uris {
		names = append(names, "URI:"+uri)
	}
	for _, address := range s.EmailAddresses {
		local, host, _ := strings.Cut(address, "@")
		names = append(names, "email:"+local+"@"+strings.ToLower(host))
	}
	for _, ip := range s.IPAddresses {
		names = append(names, "IP:"+ip.String())
	}
	slices.Sort(names)
	for i, name := range names {
		if i > 0 && name == names[i-1] && (i < 2 || name != names[i-2]) {
			texts = append(texts, "has the name "+strconv.Quote(name)+" more than once")
		}
	}
	return texts
}

// CheckTagValue checks a text against what the value of a session tag can be: at most 256 characters, of
// [\p{L}\p{Z}\p{N}_.:/=+\-@] (AWS STS API Reference, Tag).
func CheckTagValue(text string) error {
	if r, ok := untaggable(text); ok {
		return fmt.Errorf("session tags cannot hold %q; take letters, digits, spaces and _.:/=+-@", r)
	}
	if n := utf8.RuneCountInString(text); n > maxTagValue {
		return fmt.Errorf("it has %d characters, and session tags have %d at most", n, maxTagValue)
	}
	return nil
}

// untaggable returns the first character that a session tag cannot hold.
func untaggable(s string) (rune, bool) {
	for _, r := range s {
		if !taggable(r) {
			return r, true
		}
	}
	return 0, false
}

// taggable reports whether a session tag can hold the character: [\p{L}\p{Z}\p{N}_.:/=+\-@]
// (AWS STS API Reference, Tag).
func taggable(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '-' <= r && r <= ':': // - . / 0-9 :
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("_=+@ ", r)
	}
	return r != utf8.RuneError && unicode.In(r, unicode.L, unicode.Z, unicode.N)
}

var oidCommonName = asn1.ObjectIdentifier{2, 5, 4, 3}
