package awsplan

import (
	"crypto/sha256"
	"fmt"
)

// Replaces reports whether a change overwrites what others may have written meanwhile. Other changes add something, or
// set a single value.
func Replaces(change Change) bool {
	switch change.(type) {
	case UpdateAnchor, UpdateProfile, SetTrust, PutPolicy:
		return true
	}
	return false
}

// Replaced returns what such a change overwrites, as lines to be compared; nil: it is not there.
func (f *Found) Replaced(change Change) []string {
	switch c := change.(type) {
	case UpdateAnchor:
		for i := range f.Anchors {
			if f.Anchors[i].ARN == c.ARN {
				return f.Anchors[i].content()
			}
		}
	case UpdateProfile:
		if found := f.profile(c.ARN); found != nil {
			return profileLines(found.Name, found.Duration, found.Roles)
		}
	case SetTrust:
		if found := f.Role(c.Role); found != nil {
			return documentLines(found.Trust)
		}
	case PutPolicy:
		if found := f.Role(c.Role); found != nil && found.Inline[c.Policy] != "" {
			return documentLines(found.Inline[c.Policy])
		}
	}
	return nil
}

// content is the name of a trust anchor, and the hashes of its certificates.
func (a *FoundAnchor) content() []string {
	lines := []string{a.Name}
	for _, cert := range a.Certificates {
		lines = append(lines, fmt.Sprintf("%x", sha256.Sum256(cert.Raw)))
	}
	return lines
}
