package iam

import (
	"encoding/base64"
	"sort"
)

// defaultItems is how many items a page has (API, MaxItems: "If you do not include this parameter, the number
// of items defaults to 100").
const defaultItems = 100

// paged returns the page of items that the request asks for. The items are sorted by key. The marker is the
// key of the last item before the page, so that items which are added or removed between two pages shift
// nothing.
func paged[T any](r *request, items []T, key func(T) string) ([]T, page, error) {
	start := 0
	if r.has("Marker") {
		last, err := base64.RawURLEncoding.DecodeString(r.text("Marker"))
		if err != nil {
			return nil, page{}, validation("Invalid Marker.") // ours
		}
		start = sort.Search(len(items), func(i int) bool { return key(items[i]) > string(last) })
	}
	items = items[start:]
	most := r.number("MaxItems", defaultItems)
	if len(items) <= most {
		return items, page{}, nil
	}
	items = items[:most]
	return items, page{true, base64.RawURLEncoding.EncodeToString([]byte(key(items[most-1])))}, nil
}
