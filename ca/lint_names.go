package ca

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameRules are about the names that sessions are known by.
func nameRules() []rule {
	return []rule{
		{"subject-empty", Error, all, false, trustModel, checkSubject},
		{"common-name-length", Error, all, false, "RFC 5280, appendix A, ub-common-name", checkCommonName},
		{"source-identity", Warning, leaf, false, trustModel, checkSourceIdentity},
	}
}

// checkSubject looks at the encoding, an empty SEQUENCE (RFC 5280, 4.1.2.6): a name made
// only of attributes that Go does not know is not empty.
func checkSubject(s *subject) []string {
	if len(s.RawSubject) <= 2 {
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

func checkSourceIdentity(s *subject) []string {
	switch identity := SourceIdentity(s.Certificate); {
	case s.Subject.CommonName == "":
		return broken("has no common name; sourceIdentity will be %q, and another one after every renewal", identity)
	case !strings.HasPrefix(identity, "CN="):
		return broken("has a common name of more than 61 characters; sourceIdentity will be %q, without the CN= that it has otherwise", identity)
	}
	return nil
}

// taggable tells whether a session tag can hold the character: [\p{L}\p{Z}\p{N}_.:/=+\-@]
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
