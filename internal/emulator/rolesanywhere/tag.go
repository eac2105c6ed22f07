package rolesanywhere

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"kedge/internal/emulator/wire"
)

const maxTags = 200 // model: of a request; that it is the most of a resource as well is ours

// Tag is a tag of a resource.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// checkTags checks the tags of a request. The two checks below the model's are ours.
func checkTags(tags []Tag) *wire.Error {
	if refusal := checkCount("tags", len(tags), maxTags); refusal != nil {
		return refusal
	}
	seen := map[string]bool{}
	for i, tag := range tags {
		field := fmt.Sprintf("tags.%d.member", i+1)
		if refusal := first(checkTagKey(field+".key", tag.Key), tagValueText().check(field+".value", tag.Value)); refusal != nil {
			return refusal
		}
		if seen[tag.Key] {
			return wire.Invalid(fmt.Sprintf("Duplicate tag key: %s", tag.Key))
		}
		seen[tag.Key] = true
	}
	return nil
}

func checkTagKey(field, key string) *wire.Error {
	if strings.HasPrefix(strings.ToLower(key), "aws:") {
		return wire.Invalid(fmt.Sprintf("Tag key %s is reserved", shortened(key)))
	}
	return tagKeyText().check(field, key)
}

// tagged returns the resource of the tag operations: they take its own ARN and no alias (guide,
// "resource-aliases"). The caller holds s.mu.
func (s *Store) tagged(c *Call, name *string) (resource, *wire.Error) {
	if refusal := resourceARNText().required("resourceArn", name); refusal != nil {
		return nil, refusal
	}
	r := s.find(*name)
	if r == nil || !r.base().In(c.Caller.Account, c.Caller.Region) {
		return nil, notFound(*name)
	}
	return r, nil
}

func listTags(s *Store, c *Call) (any, *wire.Error) {
	name, refusal := c.only("resourceArn")
	if refusal != nil {
		return nil, refusal
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, refusal := s.tagged(c, name)
	if refusal != nil {
		return nil, refusal
	}
	return map[string]any{"tags": append([]Tag{}, r.base().Tags...)}, nil
}

func tagResource(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		ResourceARN *string `json:"resourceArn"`
		Tags        *[]Tag  `json:"tags"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.Tags == nil {
		return nil, missing("tags")
	}
	if refusal := checkTags(*in.Tags); refusal != nil {
		return nil, refusal
	}
	return s.retag(c, in.ResourceARN, func(b *Base) *wire.Error {
		for _, tag := range *in.Tags {
			b.Tags = slices.DeleteFunc(b.Tags, func(t Tag) bool { return t.Key == tag.Key })
			b.Tags = append(b.Tags, tag)
		}
		if len(b.Tags) > maxTags {
			return wire.NewError(http.StatusBadRequest, "TooManyTagsException", "The resource would have too many tags", "%d; %d are the most", len(b.Tags), maxTags)
		}
		return nil
	})
}

// untagResource: that a key that the resource does not have is no error is ours.
func untagResource(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		ResourceARN *string   `json:"resourceArn"`
		TagKeys     *[]string `json:"tagKeys"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.TagKeys == nil {
		return nil, missing("tagKeys")
	}
	if refusal := checkCount("tagKeys", len(*in.TagKeys), maxTags); refusal != nil {
		return nil, refusal
	}
	for i, key := range *in.TagKeys {
		if refusal := tagKeyText().check(fmt.Sprintf("tagKeys.%d.member", i+1), key); refusal != nil {
			return nil, refusal
		}
	}
	return s.retag(c, in.ResourceARN, func(b *Base) *wire.Error {
		b.Tags = slices.DeleteFunc(b.Tags, func(t Tag) bool { return slices.Contains(*in.TagKeys, t.Key) })
		return nil
	})
}

// retag changes the tags of a resource; the answer is empty.
func (s *Store) retag(c *Call, name *string, change func(*Base) *wire.Error) (any, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, refusal := s.tagged(c, name)
	if refusal != nil {
		return nil, refusal
	}
	if _, refusal := s.edit(c, r, func(r resource) *wire.Error { return change(r.base()) }); refusal != nil {
		return nil, refusal
	}
	return struct{}{}, nil
}
