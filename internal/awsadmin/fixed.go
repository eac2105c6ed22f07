package awsadmin

import (
	"maps"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/internal/report"
)

// Narrow returns the trust policy with what profiles of the CA fix in the place of a pattern of names,
// and what a person should know about its hosts.
func (t Trust) Narrow(profiles map[string]ca.ProfileConfig) (Trust, report.Notes) {
	var notes report.Notes
	if len(t.Hubs) > 0 {
		notes.Next("check the trust policy of %s: it must let in hosts of this CA alone, since whoever else gets that role with sts:SetSourceIdentity chooses which host it is", strings.Join(t.Hubs, ", "))
	}
	fixed := t.Hosts.Fixed(profiles)
	if fixed == nil {
		return t, append(notes, t.Hosts.doubts(profiles)...)
	}
	if len(fixed.Hosts.Units) > 0 {
		notes.Done("profile %q gives OU=%s to each certificate for %s, and no other profile does: the policy has that in the place of the names; older certificates have it only from their renewal on, and other CAs below the trust anchor may give it", fixed.Profile, fixed.Hosts.Units[0], t.Hosts.Names[0])
	} else {
		notes.Done("profile %q alone allows URIs %s: the policy has these in the place of the names; hosts need one, as the first URI of their certificate", fixed.Profile, fixed.Hosts.URIs[0])
	}
	t.Hosts = fixed.Hosts
	return t, notes
}

// Fixed is what a profile of the CA puts into certificates with names of a pattern.
type Fixed struct {
	Profile string
	Hosts   Hosts // an organizational unit, or a path of URIs
}

// Fixed returns what selects the hosts of one pattern of names, if a profile is for these names alone: the
// organizational unit that it puts into each certificate or else the path of the URIs that it allows, such
// as that of SPIFFE IDs, which no other profile gives. A certificate has a URI only if it was requested.
// nil: there is no such profile, or more is selected than one pattern.
//
// Certificates of earlier profiles, or of another program, can have the same.
func (h Hosts) Fixed(profiles map[string]ca.ProfileConfig) *Fixed {
	if len(h.Names) != 1 || len(h.URIs)+len(h.Units) > 0 || !parsePattern(h.Names[0]).hasWildcards() {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		profile := profiles[name]
		if !slices.Equal(profile.Names, h.Names) {
			continue
		}
		others := maps.Clone(profiles)
		delete(others, name)
		fixed := Fixed{Profile: name, Hosts: Hosts{Issuers: h.Issuers}}
		if fixed.Hosts.Units = fixedUnit(profile, others); fixed.Hosts.Units != nil {
			return &fixed
		}
		if fixed.Hosts.URIs = fixedURI(profile, others); fixed.Hosts.URIs != nil {
			return &fixed
		}
	}
	return nil
}

// fixedUnit returns the organizational unit of each certificate of a profile, if no other profile can
// give it. The {name} of a template stands for any text.
func fixedUnit(profile ca.ProfileConfig, others map[string]ca.ProfileConfig) []string {
	unit := profile.Subject.OrganizationalUnit
	if unit == "" || strings.Contains(unit, "{") || len(givingUnit(unit, others)) > 0 {
		return nil
	}
	return []string{unit}
}

// fixedURI returns the pattern of the URIs of a profile, if it is the path below a prefix, and no other
// profile allows a URI below or above that.
func fixedURI(profile ca.ProfileConfig, others map[string]ca.ProfileConfig) []string {
	if len(profile.SAN.URI) != 1 {
		return nil
	}
	prefix := prefixOf(profile.SAN.URI[0])
	if !strings.HasSuffix(prefix, "/") || strings.Count(prefix, "/") < 4 { // scheme, //, a host and a path
		return nil
	}
	if pattern := prefix + "**"; len(allowingURI(pattern, others)) == 0 {
		return []string{pattern}
	}
	return nil
}
