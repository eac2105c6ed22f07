package awsplan

import (
	"slices"
	"strings"
)

// anchorsIn returns the ARNs of trust anchors that a trust policy names, and patterns of them: the values of
// aws:SourceArn, and whatever else is of IAM Roles Anywhere.
func anchorsIn(trust string) []string {
	v, ok := parseDocument(trust)
	if !ok {
		return []string{trust}
	}
	return slices.Sorted(slices.Values(sourcesIn("", v)))
}

func sourcesIn(key string, v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			all = append(all, sourcesIn(key, member)...)
		}
	case []any:
		for _, element := range v {
			all = append(all, sourcesIn(key, element)...)
		}
	case string:
		if strings.EqualFold(key, "aws:SourceArn") || strings.Contains(v, ":rolesanywhere:") {
			all = append(all, v)
		}
	}
	return all
}
