package awsplan

import (
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"

	"kedge/ca"
)

// TagKey is the key of the tag by which the objects of a CA are known.
const TagKey = "kedge-ca"

// Kind is a kind of object.
type Kind string

// The kinds of objects.
const (
	KindAnchor  Kind = "trust anchor"
	KindRole    Kind = "role"
	KindProfile Kind = "profile"
	KindCRL     Kind = "crl" // an imported revocation list
)

// Owner is a CA, by one of the keys that its roots have had.
type Owner string

// OwnerOf returns the owner by a certificate of a root.
func OwnerOf(root *x509.Certificate) Owner {
	hash := ca.KeyHash(root)
	return Owner(hex.EncodeToString(hash[:]))
}

// Tag returns the value of the tag of an object.
func (o Owner) Tag(kind Kind, name string) string {
	return string(o) + "/" + strings.ReplaceAll(string(kind), " ", "-") + "/" + name
}

// relation is what a tag says of an object.
type relation int

const (
	untagged  relation = iota // it is of somebody else
	own                       // it is that object of this CA
	misplaced                 // the tag is of another object of this CA
	otherCA                   // the tag is of another CA, or of none
)

// relationOf returns what the tags of an object say.
func relationOf(owners []Owner, tags map[string]string, kind Kind, name string) relation {
	value, ok := tags[TagKey]
	if !ok {
		return untagged
	}
	if slices.ContainsFunc(owners, func(o Owner) bool { return o.Tag(kind, name) == value }) {
		return own
	}
	hash, _, _ := strings.Cut(value, "/")
	if slices.Contains(owners, Owner(hash)) {
		return misplaced
	}
	return otherCA
}

// Owns reports whether the tag of an object is of one of the owners, whatever its kind and name are.
func Owns(owners []Owner, tags map[string]string) bool {
	hash, _, ok := strings.Cut(tags[TagKey], "/")
	return ok && slices.Contains(owners, Owner(hash))
}
