package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"kedge/internal/emulator/wire"
)

// tagSet has the tags of a session, and the keys of the transitive ones.
type tagSet struct {
	values     map[string]string
	transitive []string
}

const maxSessionTags = 50

// sessionTags returns those of the request, and the transitive ones of the requesting session,
// which cannot be changed (IAM guide, "Pass session tags in AWS STS", "Chaining roles with session
// tags").
func sessionTags(who *principal, parameters wire.Parameters) (*tagSet, *wire.Error) {
	inherited := who.inheritedTags()
	tags := &tagSet{values: maps.Clone(inherited)}
	if who.session != nil {
		tags.transitive = slices.Clone(who.session.TransitiveTags)
	}
	items, refusal := parameters.Members("Tags", "Key", "Value")
	if refusal != nil {
		return nil, refusal
	}
	if len(items) > maxSessionTags {
		return nil, wire.ForQuery(wire.Constraint("tags", "…", "have length less than or equal to 50"))
	}
	seen := map[string]bool{}
	for _, item := range items {
		key := item["Key"]
		if refusal := checkTag(key, item["Value"]); refusal != nil {
			return nil, refusal
		}
		if seen[strings.ToLower(key)] {
			return nil, wire.NewError(http.StatusBadRequest, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", "%q", key)
		}
		if has(inherited, key) {
			return nil, wire.NewError(http.StatusBadRequest, "InvalidParameterCombination", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.", "%q", key)
		}
		seen[strings.ToLower(key)] = true
		tags.values[key] = item["Value"]
	}
	return tags, tags.markTransitive(parameters)
}

// inheritedTags returns the tags that a session passes to those that are chained to it.
func (p *principal) inheritedTags() map[string]string {
	tags := map[string]string{}
	if p.session != nil {
		for _, key := range p.session.TransitiveTags {
			tags[key] = p.session.Tags[key]
		}
	}
	return tags
}

func (t *tagSet) markTransitive(parameters wire.Parameters) *wire.Error {
	keys, refusal := parameters.Members("TransitiveTagKeys", "")
	if refusal != nil {
		return refusal
	}
	for _, key := range keys {
		if !has(t.values, key[""]) {
			return wire.NewError(http.StatusBadRequest, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.", "%q", key[""])
		}
		if !slices.Contains(t.transitive, key[""]) {
			t.transitive = append(t.transitive, key[""])
		}
	}
	return nil
}

// has reports whether tags has a key, ignoring case.
func has(tags map[string]string, key string) bool {
	for k := range tags {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// checkTag: STS reference, data type Tag.
func checkTag(key, value string) *wire.Error {
	switch {
	case key == "":
		return wire.ForQuery(wire.Constraint("tags.1.member.key", key, "have length greater than or equal to 1"))
	case utf8.RuneCountInString(key) > 128:
		return wire.ForQuery(wire.Constraint("tags.1.member.key", key, "have length less than or equal to 128"))
	case utf8.RuneCountInString(value) > 256:
		return wire.ForQuery(wire.Constraint("tags.1.member.value", value, "have length less than or equal to 256"))
	case strings.ContainsFunc(key+value, outsideTagAlphabet):
		return wire.ForQuery(wire.Constraint("tags.1.member.key", key, `satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`))
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return wire.NewError(http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf("Tag key %s is reserved.", key), "prefix aws:")
	}
	return nil
}
