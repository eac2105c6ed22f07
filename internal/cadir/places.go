package cadir

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Place is an account at AWS and a region in it.
type Place struct{ Account, Region string }

// String returns the place for people.
func (p Place) String() string { return "account " + p.Account + ", " + p.Region }

// JoinPlaces lists places for people; there is at least one.
func JoinPlaces(all []Place) string {
	texts := make([]string, 0, len(all))
	for _, p := range all {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, "; ")
}

// PlaceOf returns the place of an ARN that was read from aws.yaml, or that AWS has returned. Roles have no region.
func PlaceOf(arn string) Place {
	parts := append(strings.SplitN(arn, ":", 6), make([]string, 5)...)
	return Place{Account: parts[4], Region: parts[3]}
}

// Places are what this CA is called at IAM Roles Anywhere, in each account and region: aws.yaml in its folder. It holds
// ARNs only, and no secret; but where a list of what is revoked goes is nothing that others may decide.
type Places struct {
	All []*AWS `yaml:"places"`
}

// Known returns the places, in the order in which they came.
func (p *Places) Known() (all []Place) {
	for _, a := range p.All {
		all = append(all, a.Place())
	}
	return all
}

// Others returns the places that are known besides one.
func (p *Places) Others(than Place) []Place {
	return slices.DeleteFunc(p.Known(), func(other Place) bool { return other == than })
}

// At returns what is known of a place, to be read only; nothing, if the place is not known.
func (p *Places) At(place Place) *AWS {
	for _, a := range p.All {
		if a.Place() == place {
			return a
		}
	}
	return &AWS{Account: place.Account, Region: place.Region}
}

// Change changes what is known of a place, which need not be known before. A place of which nothing is left is removed.
func (p *Places) Change(place Place, change func(*AWS)) {
	a := p.At(place)
	change(a)
	if !slices.Contains(p.All, a) {
		p.All = append(p.All, a)
	}
	p.All = slices.DeleteFunc(p.All, (*AWS).isEmpty)
}

// Anchors returns the ARNs of all trust anchors of the CA.
func (p *Places) Anchors() (all []string) {
	for _, a := range p.All {
		all = append(all, a.Anchors()...)
	}
	return all
}

// Untried returns the ARNs of roles of which no session was made yet.
func (p *Places) Untried() (all []string) {
	for _, a := range p.All {
		all = append(all, a.Untried...)
	}
	return all
}

// Hostless returns the ARNs of the roles whose hosts are not known, if there are several roles: those that were built before
// aws.yaml had hosts.
func (p *Places) Hostless() (all []string) {
	roles := 0
	for _, a := range p.All {
		for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
			if roles++; a.Hosts[name].IsZero() {
				all = append(all, a.Roles[name])
			}
		}
	}
	if roles < 2 {
		return nil
	}
	return all
}

// SetAnchor sets the trust anchor of an authority in its place; an authority that is empty stands for the roots.
func (p *Places) SetAnchor(authority, arn string) {
	p.Change(PlaceOf(arn), func(a *AWS) { a.SetAnchor(authority, arn) })
}

// SetCRL sets the ARN of an authority's list in its place.
func (p *Places) SetCRL(authority, arn string) {
	p.Change(PlaceOf(arn), func(a *AWS) { a.SetCRL(authority, arn) })
}

// Forget removes the ARNs of what is gone, and reports whether there were any.
func (p *Places) Forget(gone func(arn string) bool) (changed bool) {
	for _, a := range p.All {
		changed = a.Forget(gone) || changed
	}
	p.All = slices.DeleteFunc(p.All, (*AWS).isEmpty)
	return changed
}

// NewPlaceError reports that nothing of this CA is in an account and region, and that it has others.
type NewPlaceError struct {
	New   Place
	Known []Place
}

func (e *NewPlaceError) Error() string {
	return fmt.Sprintf("nothing of this CA is in %s yet, and aws.yaml of its folder has %s: nothing was changed", e.New, JoinPlaces(e.Known))
}

// SharedRoleError reports that a role is one of another place: names of roles are unique in an account, and a role has
// the trust anchor of one region.
type SharedRoleError struct {
	Role  string // name
	Of    Place
	Place Place // where it was to be built
}

func (e *SharedRoleError) Error() string {
	return fmt.Sprintf("the role %s is that of %s, and an account has one role of a name: hosts would lose it there if it were changed for %s", e.Role, e.Of, e.Place)
}

// CheckRole returns a *SharedRoleError if another region of the account has a role of the name.
func (p *Places) CheckRole(name string, place Place) error {
	for _, a := range p.All {
		if _, ok := a.Roles[name]; ok && a.Account == place.Account && a.Region != place.Region {
			return &SharedRoleError{Role: name, Of: a.Place(), Place: place}
		}
	}
	return nil
}

// parsePlaces is strict, as ParseSettings is. It takes the form of one place, too, which kedge-ca wrote formerly: an AWS.
func parsePlaces(data []byte) (*Places, error) {
	var form struct {
		Places yaml.Node `yaml:"places"`
	}
	if err := yaml.Unmarshal(data, &form); err != nil || form.Places.IsZero() {
		a := new(AWS)
		if err := decodeStrictly(data, a); err != nil {
			return nil, err
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf(": %w", err)
		}
		return PlacesOf(a), nil
	}
	p := new(Places)
	if err := decodeStrictly(data, p); err != nil {
		return nil, err
	}
	for i, a := range p.All {
		at := fmt.Sprintf(": places[%d]: ", i)
		if a == nil {
			return nil, errors.New(at + "it is empty")
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%s%w", at, err)
		}
		if err := a.checkPlace(); err != nil {
			return nil, fmt.Errorf("%s%w", at, err)
		}
		if slices.Contains(p.Known()[:i], a.Place()) {
			return nil, fmt.Errorf("%s%s is there twice", at, a.Place())
		}
	}
	return p, nil
}

// PlacesOf returns ARNs by their places. A role goes to that of its account which has the profile; one without is
// dropped.
func PlacesOf(a *AWS) *Places {
	p := new(Places)
	if a.TrustAnchor != "" {
		p.SetAnchor("", a.TrustAnchor)
	}
	if a.Profile != "" {
		p.Change(PlaceOf(a.Profile), func(in *AWS) { in.Profile = a.Profile })
	}
	for _, name := range slices.Sorted(maps.Keys(a.TrustAnchors)) {
		p.SetAnchor(name, a.TrustAnchors[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.CRLs)) {
		p.SetCRL(name, a.CRLs[name])
	}
	for _, in := range p.All {
		if in.Profile != "" || a.Profile == "" && in == p.All[0] {
			in.takeRoles(a)
		}
	}
	return p
}

// takeRoles takes those of the account.
func (a *AWS) takeRoles(from *AWS) {
	for name, role := range from.Roles {
		if PlaceOf(role).Account == a.Account {
			a.SetRole(name, BuiltRole{ARN: role, Policies: from.Policies[name], Hosts: from.Hosts[name]})
		}
	}
	a.AddUntried(from.Untried)
}
