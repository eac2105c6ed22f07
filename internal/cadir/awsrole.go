package cadir

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// AccountSettings say what hosts of this CA should have in an account at AWS.
type AccountSettings struct {
	// Roles are the roles for hosts, by their names at AWS.
	Roles map[string]RoleSettings `yaml:"roles"`
	// Name is that of the trust anchor and of the profile. Default: kedge.
	Name string `yaml:"name"`
	// Path is that of the roles, with a slash at both ends. Default: /.
	Path string `yaml:"path"`
	// PermissionsBoundary is the ARN of that of the roles. Default: none.
	PermissionsBoundary string `yaml:"permissions_boundary"`
	// Alias is that of the trust anchor and of the profile, by which hosts can name them. Default: none.
	Alias string `yaml:"alias"`
	// Tags are those of all that is created. Default: none.
	Tags map[string]string `yaml:"tags"`
	// CRL specifies what becomes of revocation lists.
	CRL AccountCRLSettings `yaml:"crl"`
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
	// Policies are what the role may do: ARNs of managed policies, and paths of files with a policy as JSON, below the
	// CA's folder. Default: none, it may do nothing.
	Policies []string `yaml:"policies"`
}

// roleName is how a role can be called (IAM API Reference, CreateRole, RoleName).
const roleName = `^[A-Za-z0-9_+=,.@-]{1,64}$`

const (
	// defaultAccountName is that of the trust anchor and of the profile.
	defaultAccountName = "kedge"
	defaultRolePath    = "/"

	// accountName is how a trust anchor and a profile can be called (IAM Roles Anywhere API Reference,
	// CreateTrustAnchor), of a length that leaves room in the value of a tag.
	accountName = `^[ A-Za-z0-9_-]{1,100}$`
	rolePath    = `^/([A-Za-z0-9_.,+@=-]+/)*$`
	policyARN   = `^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]{1,512}$`
	accountID   = `^[0-9]{12}$`
	tagKey      = `^[ A-Za-z0-9_.:/=+@-]{1,128}$`
	tagValue    = `^[ A-Za-z0-9_.:/=+@-]{0,256}$`
	maxPath     = 512 // IAM API Reference, CreateRole
	maxTags     = 40
	maxAlias    = 256 // IAM Roles Anywhere User Guide, "Resource aliases"
)

// Complete returns the settings with each default written out.
func (a AccountSettings) Complete() AccountSettings {
	a.Name, a.Path = cmp.Or(a.Name, defaultAccountName), cmp.Or(a.Path, defaultRolePath)
	return a
}

// Check returns the first problem of the settings.
func (a AccountSettings) Check() error {
	a = a.Complete()
	switch {
	case !matches(accountName, a.Name):
		return fmt.Errorf("name: %q is not 1 to 100 letters, digits, blanks, - and _", a.Name)
	case !matches(rolePath, a.Path), len(a.Path) > maxPath:
		return fmt.Errorf("path: %q is not a path of roles: it begins and ends with /, as in /hosts/", a.Path)
	case a.PermissionsBoundary != "" && !IsPolicyARN(a.PermissionsBoundary):
		return fmt.Errorf("permissions_boundary: %q is not the ARN of a policy", a.PermissionsBoundary)
	case a.Alias != "" && (!matches(alias, a.Alias) || len(a.Alias) > maxAlias || strings.HasPrefix(a.Alias, "aws/")):
		return fmt.Errorf("alias: %q is not an alias: up to %d letters, digits, - and _, a letter first, with one / between two of them at most; aws/ is taken", a.Alias, maxAlias)
	case len(a.Tags) > maxTags:
		return fmt.Errorf("tags: there are %d, and %d at most", len(a.Tags), maxTags)
	}
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		if !matches(tagKey, key) || !matches(tagValue, a.Tags[key]) || strings.HasPrefix(strings.ToLower(key), "aws:") || strings.EqualFold(key, ownTag) {
			return fmt.Errorf("tags: %s=%s: a key has 1 to 128 and a value at most 256 letters, digits, blanks and _.:/=+@-; aws:… and %s are taken", key, a.Tags[key], ownTag)
		}
	}
	return a.check()
}

// ownTag is the key of the tag by which objects of a CA are known: awsplan.TagKey.
const ownTag = "kedge-ca"

// IsPolicyARN reports whether a text is the ARN of a managed policy.
func IsPolicyARN(text string) bool { return matches(policyARN, text) }

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

func (a AccountSettings) check() error {
	for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
		if !regexp.MustCompile(roleName).MatchString(name) {
			return fmt.Errorf("roles: %q is no name of a role: 1 to 64 letters, digits and _+=,.@-", name)
		}
		if err := a.Roles[name].check(); err != nil {
			return fmt.Errorf("roles.%s: %w", name, err)
		}
	}
	if err := a.CRL.check(); err != nil {
		return fmt.Errorf("crl.%w", err)
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
	for _, policy := range r.Policies {
		if policy == "" || strings.HasPrefix(policy, "arn:") && !IsPolicyARN(policy) {
			return fmt.Errorf("policies: %q is neither the ARN of a policy nor a file", policy)
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
