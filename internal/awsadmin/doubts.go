package awsadmin

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/internal/report"
)

// doubts returns warnings about what profiles of the CA give to others than those that are meant, or to none.
func (h Hosts) doubts(profiles map[string]ca.ProfileConfig) (notes report.Notes) {
	for _, name := range h.Names {
		if len(profiles) > 0 && len(givingName(name, profiles)) == 0 {
			notes.Warn("no profile in the configuration gives a certificate the common name %s: the common_name of profiles is %s", name, strings.Join(templates(profiles), ", "))
		}
	}
	for _, unit := range h.Units {
		switch giving := givingUnit(unit, profiles); {
		case len(giving) == 0:
			notes.Warn("no profile in the configuration gives OU=%s", unit)
		case len(giving) > 1:
			notes.Warn("OU=%s is given by several profiles, %s: hosts of each of them get the role", unit, strings.Join(giving, ", "))
		}
	}
	for _, uri := range h.URIs {
		switch allowing := allowingURI(uri, profiles); {
		case len(allowing) == 0:
			notes.Warn("no profile in the configuration allows the URI %s", uri)
		case len(allowing) > 1:
			notes.Warn("the URI %s is allowed by several profiles, %s: hosts of each of them can get the role", uri, strings.Join(allowing, ", "))
		}
	}
	return notes
}

// profilesThat returns the names of the profiles of which something is true, sorted.
func profilesThat(profiles map[string]ca.ProfileConfig, is func(ca.ProfileConfig) bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if is(profiles[name]) {
			names = append(names, name)
		}
	}
	return names
}

// givingName returns the profiles whose certificates can have a common name of a pattern.
func givingName(pattern string, profiles map[string]ca.ProfileConfig) []string {
	return profilesThat(profiles, func(p ca.ProfileConfig) bool { return canGive(pattern, nameTemplate(p)) })
}

// givingUnit returns the profiles whose certificates can have an organizational unit of a pattern.
func givingUnit(pattern string, profiles map[string]ca.ProfileConfig) []string {
	return profilesThat(profiles, func(p ca.ProfileConfig) bool {
		unit := p.Subject.OrganizationalUnit
		return unit != "" && canGive(pattern, unit)
	})
}

// allowingURI returns the profiles that allow a URI, or one that a pattern can match: patterns overlap where the
// text before their first wildcards does.
func allowingURI(pattern string, profiles map[string]ca.ProfileConfig) []string {
	prefix := prefixOf(pattern)
	return profilesThat(profiles, func(p ca.ProfileConfig) bool {
		return slices.ContainsFunc(p.SAN.URI, func(uri string) bool {
			if !isPattern(pattern) {
				return ca.MatchName(uri, pattern)
			}
			other := prefixOf(uri)
			return strings.HasPrefix(other, prefix) || isPattern(uri) && strings.HasPrefix(prefix, other)
		})
	})
}

// nameTemplate returns the template of the common names of a profile.
func nameTemplate(p ca.ProfileConfig) string { return cmp.Or(p.Subject.CommonName, "{name}") }

// templates returns those of the common names of all profiles, once each.
func templates(profiles map[string]ca.ProfileConfig) (all []string) {
	for _, p := range profiles {
		all = append(all, nameTemplate(p))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// canGive reports whether a template can give a value that a pattern matches. The {name} of a template stands
// for any text: only what is before and after it is compared.
func canGive(pattern, template string) bool {
	const variable = "{name}"
	n := strings.Index(template, variable)
	if n < 0 {
		return ca.MatchName(pattern, template)
	}
	before, after := template[:n], template[strings.LastIndex(template, variable)+len(variable):]
	if !isPattern(pattern) {
		return len(pattern) > len(before)+len(after) && strings.HasPrefix(pattern, before) && strings.HasSuffix(pattern, after)
	}
	start, end := prefixOf(pattern), suffixOf(pattern)
	return (strings.HasPrefix(start, before) || strings.HasPrefix(before, start)) && (strings.HasSuffix(end, after) || strings.HasSuffix(after, end))
}

func isPattern(text string) bool { return strings.ContainsAny(text, "*?") }

// prefixOf returns what comes before the first wildcard.
func prefixOf(pattern string) string {
	if n := strings.IndexAny(pattern, "*?"); n >= 0 {
		return pattern[:n]
	}
	return pattern
}

// suffixOf returns what comes after the last wildcard.
func suffixOf(pattern string) string { return pattern[strings.LastIndexAny(pattern, "*?")+1:] }
