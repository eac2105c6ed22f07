package awscrl

import (
	"crypto/x509"
	"encoding/hex"
	"slices"

	"kedge/ca"
)

// Tag marks the list of an authority at AWS as one of this CA.
type Tag struct {
	Key   string
	Value string   // of a list that is imported
	Also  []string // other values by which a list is of this CA and authority: the CA had another root
}

// TagOf returns the tag of the list of an authority. Its value has the hash of the key of a root, which is the first of
// all that the CA has had, and the authority's name.
func TagOf(authority string, root *x509.Certificate, others ...*x509.Certificate) Tag {
	value := func(root *x509.Certificate) string {
		key := ca.KeyHash(root)
		return hex.EncodeToString(key[:]) + "/crl/" + authority
	}
	t := Tag{Key: "kedge-ca", Value: value(root)}
	for _, other := range others {
		t.Also = append(t.Also, value(other))
	}
	return t
}

func (t Tag) is(key, value string) bool {
	return key == t.Key && (value == t.Value || slices.Contains(t.Also, value))
}
