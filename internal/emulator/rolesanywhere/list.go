package rolesanywhere

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kedge/internal/emulator/wire"
)

// The sizes of pages. The model has no limits for pageSize; these are ours.
const (
	defaultPage = 50
	maxPage     = 1000
)

// list answers with a page of the resources of the caller's account and the request's region, in the
// order of their ARNs: what is created or deleted between two pages makes none come twice, and none
// be left out.
func list(kind Kind) func(*Store, *Call) (any, *wire.Error) {
	return func(s *Store, c *Call) (any, *wire.Error) {
		size, refusal := pageSize(c)
		if refusal != nil {
			return nil, refusal
		}
		after, refusal := nextToken(c, kind)
		if refusal != nil {
			return nil, refusal
		}
		s.mu.RLock()
		defer s.mu.RUnlock()
		page, more := s.page(c, kind, after, size)
		answer := map[string]any{kind.member() + "s": page.details()}
		if more {
			answer["nextToken"] = tokenOf(kind, page[len(page)-1].base().ARN)
		}
		return answer, nil
	}
}

type resources []resource

func (all resources) details() []any {
	details := []any{}
	for _, r := range all {
		if s, ok := r.(*Subject); ok {
			details = append(details, s.summary())
		} else {
			details = append(details, r.detail(""))
		}
	}
	return details
}

// page returns the resources whose ARNs come after one, and whether there are more.
func (s *Store) page(c *Call, kind Kind, after string, size int) (page resources, more bool) {
	for _, name := range slices.Sorted(maps.Keys(s.resources[kind])) {
		r := s.resources[kind][name]
		if name <= after || !r.base().In(c.Caller.Account, c.Caller.Region) {
			continue
		}
		if len(page) == size {
			return page, true
		}
		page = append(page, r)
	}
	return page, false
}

func pageSize(c *Call) (int, *wire.Error) {
	value, refusal := c.only("pageSize")
	if refusal != nil || value == nil {
		return defaultPage, refusal
	}
	size, err := strconv.ParseInt(*value, 10, 32)
	if err != nil {
		return 0, wire.Invalid("pageSize is not a number") // ours
	}
	return int(min(size, maxPage)), checkRange("pageSize", &size, 1, 1<<31-1)
}

// tokenOf returns the token that continues after an ARN.
func tokenOf(kind Kind, name string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + " " + name))
}

// nextToken returns the ARN after which the page begins. The answer to a token that no list gave is
// ours.
func nextToken(c *Call, kind Kind) (string, *wire.Error) {
	value, refusal := c.only("nextToken")
	if refusal != nil || value == nil {
		return "", refusal
	}
	if refusal := nextTokenText().check("nextToken", *value); refusal != nil {
		return "", refusal
	}
	data, err := base64.RawURLEncoding.DecodeString(*value)
	after, ok := strings.CutPrefix(string(data), string(kind)+" ")
	if err != nil || !ok {
		return "", wire.Invalid("Invalid nextToken")
	}
	return after, nil
}
