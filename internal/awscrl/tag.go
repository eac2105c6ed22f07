package awscrl

import (
	"crypto/x509"
	"slices"

	"kedge/internal/awsplan"
)

// kindCRL is the kind of a list in tags.
const kindCRL awsplan.Kind = "crl"

// Tag marks the list of an authority at AWS as one of this CA.
type Tag struct {
	Key   string
	Value string   // of a list that is imported
	Also  []string // other values by which a list is of this CA and authority: the CA had another root
}

// TagOf returns the tag of the list of an authority, as awsplan.Owner.Tag has it: with the hash of the key of the root above
// the authority, and the authority's name. Lists with the tag of others of the CA's roots are of the CA as well.
func TagOf(authority string, root *x509.Certificate, others ...*x509.Certificate) Tag {
	t := Tag{Key: awsplan.TagKey, Value: awsplan.OwnerOf(root).Tag(kindCRL, authority)}
	for _, other := range others {
		t.Also = append(t.Also, awsplan.OwnerOf(other).Tag(kindCRL, authority))
	}
	return t
}

func (t Tag) is(key, value string) bool {
	return key == t.Key && (value == t.Value || slices.Contains(t.Also, value))
}
