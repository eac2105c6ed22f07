package emulator

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"kedge/internal/emulator/arn"
)

const (
	maxAlias    = 256
	aliasPrefix = "alias/" // before the kind, in the resource of an alias ARN
)

// checkAlias checks an aliasName by the guide, "resource-aliases": 1 to 256 letters, digits,
// hyphens and underscores in parts with one slash between them, a letter first, none of AWS's own.
// An empty one is valid.
func checkAlias(name string) error {
	switch {
	case name == "":
		return nil
	case len(name) > maxAlias || !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*$`).MatchString(name):
		return fmt.Errorf("%q is not an alias", name)
	case strings.HasPrefix(name, "aws/"):
		return fmt.Errorf("the alias %q begins with aws/, which is reserved", name)
	}
	return nil
}

// parseResource is parseARN for CreateSession, which accepts the alias of a trust anchor or a
// profile, arn:…:alias/KIND/NAME (guide, "resource-aliases").
func parseResource(s, service, kind string) (arn.ARN, error) {
	a, err := arn.Parse(s, service, kind)
	if err == nil || service != rolesService {
		return a, err
	}
	a, aliasErr := arn.Parse(s, service, aliasPrefix+kind)
	if aliasErr != nil {
		return arn.ARN{}, err
	}
	return a, checkAlias(strings.TrimPrefix(a.Resource, aliasPrefix+kind+"/"))
}

// named reports whether text is the ARN of a resource, or the ARN of its alias: the same account
// and region, and the same name (guide: aliases are case-sensitive).
func named(text string, resource arn.ARN, kind, alias string) bool {
	if text == resource.String() {
		return true
	}
	resource.Resource = aliasPrefix + kind + "/" + alias
	return alias != "" && text == resource.String()
}

// anchorNamed returns the trust anchor with an ARN or alias ARN, or nil. What AWS answers for an
// unknown alias is not documented; here it is the answer for an unknown anchor.
func (e *Emulator) anchorNamed(text string) *anchor {
	for _, a := range e.anchors {
		if named(text, a.arn, "trust-anchor", a.alias) {
			return a
		}
	}
	return nil
}

// profileNamed returns the profile with an ARN or alias ARN.
func (e *Emulator) profileNamed(text string) (_ Profile, ok bool) {
	for _, p := range e.profiles {
		name, _ := arn.Parse(p.ARN, rolesService, "profile") // validated before
		if named(text, name, "profile", p.Alias) {
			return p, true
		}
	}
	return Profile{}, false
}

// errAliasTaken: guide, "resource-aliases": unique among resources of a type, account and region.
var errAliasTaken = errors.New("another one has this alias")

// freeAlias returns an error if a resource with another ARN has the alias.
func freeAlias(own, kind, alias string, owner func(text string) string) error {
	if alias == "" {
		return nil
	}
	a, err := arn.Parse(own, rolesService, kind)
	if err != nil {
		return err
	}
	a.Resource = aliasPrefix + kind + "/" + alias
	if other := owner(a.String()); other != "" && other != own {
		return fmt.Errorf("%s: alias %q: %w: %s", own, alias, errAliasTaken, other)
	}
	return nil
}

// anchorAliasFree returns an error if another trust anchor has the alias.
func (e *Emulator) anchorAliasFree(a *anchor) error {
	return freeAlias(a.arn.String(), "trust-anchor", a.alias, func(text string) string {
		if other := e.anchorNamed(text); other != nil {
			return other.arn.String()
		}
		return ""
	})
}

// profileAliasFree returns an error if another profile has the alias.
func (e *Emulator) profileAliasFree(p Profile) error {
	return freeAlias(p.ARN, "profile", p.Alias, func(text string) string {
		other, _ := e.profileNamed(text)
		return other.ARN
	})
}
