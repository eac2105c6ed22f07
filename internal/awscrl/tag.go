package awscrl

import (
	"slices"

	"kedge/internal/awsplan"
)

// Tag marks the list of an authority at AWS as one of this CA.
type Tag struct {
	Key    string
	Values []string // the first one is that of a list that is imported; by any of them a list is of this CA and authority
}

// TagOf returns the tag of the list of an authority, as awsplan.Owner.Tag has it, of the CA with the keys of these
// roots.
func TagOf(authority string, owners []awsplan.Owner) Tag {
	t := Tag{Key: awsplan.TagKey}
	for _, owner := range owners {
		t.Values = append(t.Values, owner.Tag(awsplan.KindCRL, authority))
	}
	return t
}

func (t Tag) is(key, value string) bool { return key == t.Key && slices.Contains(t.Values, value) }
