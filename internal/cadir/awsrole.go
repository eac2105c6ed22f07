package cadir

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// AccountSettings say what hosts of this CA should have in an account at AWS.
type AccountSettings struct {
	// Roles are the roles for hosts, by their names at AWS.
	Roles map[string]RoleSettings `yaml:"roles"`
}

// RoleSettings select the hosts that get a role: their certificates must have a value of each list that
// is not empty. Values can be patterns, as in profiles.
type RoleSettings struct {
	// Names are common names.
	Names []string `yaml:"names"`
	// SANURIs are URIs, such as SPIFFE IDs; the first one of a certificate counts.
	SANURIs []string `yaml:"san_uri"`
	// Units are organizational units.
	Units []string `yaml:"ou"`
	// Issuers are names of authorities that issue the certificates. Default: any.
	Issuers []string `yaml:"issuer"`
	// FromRoles are ARNs of roles by which hosts assume this one. Default: none, they come by the trust
	// anchor.
	FromRoles []string `yaml:"from_role"`
}

// roleName is how a role can be called (IAM API Reference, CreateRole, RoleName).
const roleName = `^[A-Za-z0-9_+=,.@-]{1,64}$`

func (a AccountSettings) check() error {
	for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
		if !regexp.MustCompile(roleName).MatchString(name) {
			return fmt.Errorf("roles: %q is no name of a role: 1 to 64 letters, digits and _+=,.@-", name)
		}
		if err := a.Roles[name].check(); err != nil {
			return fmt.Errorf("roles.%s: %w", name, err)
		}
	}
	return nil
}

func (r RoleSettings) check() error {
	if len(r.Names)+len(r.SANURIs)+len(r.Units) == 0 {
		return errors.New("names, san_uri or ou must say whose role it is")
	}
	if slices.Contains(r.Issuers, "") {
		return errors.New("issuer: the name of the authority is empty")
	}
	for _, text := range r.FromRoles {
		if _, err := ParseRole(text); err != nil {
			return fmt.Errorf("from_role: %w", err)
		}
	}
	return nil
}

// Role returns what is configured for a role. The error is an *UnknownRoleError.
func (s *Settings) Role(name string) (RoleSettings, error) {
	r, ok := s.AWS.Roles[name]
	if !ok {
		return r, &UnknownRoleError{Name: name, Known: slices.Sorted(maps.Keys(s.AWS.Roles))}
	}
	return r, nil
}

// UnknownRoleError is returned when the configuration has no role of a name.
type UnknownRoleError struct {
	Name  string
	Known []string // the roles that there are, sorted
}

func (e *UnknownRoleError) Error() string {
	return fmt.Sprintf("there is no role %q under aws.roles in the configuration", e.Name)
}
