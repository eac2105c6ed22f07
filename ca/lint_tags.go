package ca

import (
	"crypto/x509"
	"unicode/utf8"
)

// Limits of STS: API Reference, Tag and AssumeRole.
const (
	maxTags       = 50
	maxTagKey     = 128 // characters
	maxTagValue   = 256 // characters
	maxPackedSize = 75  // percent, by our estimate; the profile's session policy needs space too
)

// tagRules are about the session tags that names become.
func tagRules() []rule {
	return []rule{
		{"tag-characters", Error, all, false, stsTags, checkTagCharacters},
		{"tag-characters-unmapped", Warning, leaf, false, attributeMapping, checkUnmapped},
		{"tag-count", Error, leaf, false, "AWS STS API Reference, AssumeRole", checkTagCount},
		{"tag-length", Error, all, false, stsTags, checkTagLength},
		{"packed-size", Warning, leaf, false, "AWS STS API Reference, AssumeRole", checkPackedSize},
	}
}

// tagsOf returns the tags of sessions with a certificate: a CA's subject is the issuer of its
// leaves.
func tagsOf(cert *x509.Certificate, kind kind) []Tag {
	if kind == leaf {
		return SessionTags(cert)
	}
	return addTags(nil, "x509Issuer/", cert.Subject)
}

// checkTagCharacters: by the guide such a value is left out, but CreateSession was seen to fail
// with "attributes failed to be mapped into session tags".
func checkTagCharacters(s *subject) []string {
	var texts []string
	for _, tag := range s.tags {
		if r, ok := untaggable(tag.Value); ok {
			texts = append(texts, broken("makes the tag %s of %q, and session tags cannot hold %q; take letters, digits, spaces and _.:/=+-@", tag.Key, tag.Value, r)...)
		}
	}
	return texts
}

// checkUnmapped checks the names after the first, which do not become tags at present.
func checkUnmapped(s *subject) []string {
	var texts []string
	for _, list := range [][]string{s.names.dns, s.names.uris} {
		for _, value := range list[min(1, len(list)):] {
			if r, ok := untaggable(value); ok {
				texts = append(texts, broken("has the name %q with %q, which session tags cannot hold; as the first of its kind it would make CreateSession fail", value, r)...)
			}
		}
	}
	return texts
}

func checkTagCount(s *subject) []string {
	if n := len(s.tags); n > maxTags {
		return broken("makes %d session tags; a session takes at most %d", n, maxTags)
	}
	return nil
}

func checkTagLength(s *subject) []string {
	var texts []string
	for _, tag := range s.tags {
		if n := utf8.RuneCountInString(tag.Key); n > maxTagKey {
			texts = append(texts, broken("makes a tag whose key, %s, has %d characters; at most %d are allowed", tag.Key, n, maxTagKey)...)
		}
		if n := utf8.RuneCountInString(tag.Value); n > maxTagValue {
			texts = append(texts, broken("makes the tag %s of %d characters; at most %d are allowed", tag.Key, n, maxTagValue)...)
		}
	}
	return texts
}

func checkPackedSize(s *subject) []string {
	if n := PackedSize(s.tags); n > maxPackedSize {
		return broken("makes session tags that take about %d %% of the room for tags and session policies; keep it below %d %%", n, maxPackedSize)
	}
	return nil
}
