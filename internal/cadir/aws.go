package cadir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// AWS is what this CA is called at IAM Roles Anywhere in one account and region.
type AWS struct {
	// Account and Region are where all of it is.
	Account string `yaml:"account,omitempty"`
	Region  string `yaml:"region,omitempty"`
	// TrustAnchor is the ARN of the trust anchor that holds the roots, also while they are rotated.
	TrustAnchor string `yaml:"trust_anchor,omitempty"`
	// TrustAnchors are those of single authorities, such as intermediates, by their names.
	TrustAnchors map[string]string `yaml:"trust_anchors,omitempty"`
	// CRLs are the ARNs of imported lists, by the names of the authorities.
	CRLs map[string]string `yaml:"crls,omitempty"`
	// Profile is the ARN of the profile that gives hosts the roles.
	Profile string `yaml:"profile,omitempty"`
	// Roles are the ARNs of the roles that hosts get by it, by their names.
	Roles map[string]string `yaml:"roles,omitempty"`
	// Hosts are those that get the roles, by the names of the roles.
	Hosts map[string]RoleHosts `yaml:"hosts,omitempty"`
	// Untried are the ARNs of roles that kedge-ca aws up has built, and of which no session was made since.
	Untried []string `yaml:"untried,omitempty"`
	// Policies are those that kedge-ca aws up has given the roles, ARNs or names, by the names of the roles.
	Policies map[string][]string `yaml:"policies,omitempty"`
}

// RoleHosts are the hosts that get a role, as its trust policy selects them: a certificate must have a value of each list
// that is not empty. Values can be patterns, as in profiles.
type RoleHosts struct {
	Names   []string `yaml:"names,omitempty,flow"`
	SANURIs []string `yaml:"san_uri,omitempty,flow"`
	Units   []string `yaml:"ou,omitempty,flow"`
	Issuers []string `yaml:"issuer,omitempty,flow"` // common names of the authorities
}

// IsZero reports whether the hosts are not known.
func (h RoleHosts) IsZero() bool { return len(h.Names)+len(h.SANURIs)+len(h.Units) == 0 }

// BuiltRole is a role that kedge-ca aws up has built.
type BuiltRole struct {
	ARN      string
	Policies []string
	Hosts    RoleHosts
}

const (
	// AWSName is the name of the file with the ARNs in the CA's folder.
	AWSName = "aws.yaml"
	maxAWS  = 1 << 20
)

// AWSPath is the path of the file with the ARNs.
func (f Folder) AWSPath() string { return filepath.Join(f.Dir, AWSName) }

// Places reads the ARNs; none where there is no file. One that another user can change is a
// *safefile.UnsafeError.
func (f Folder) Places() (*Places, error) {
	data, err := safefile.Read(f.AWSPath(), maxAWS)
	if errors.Is(err, fs.ErrNotExist) {
		return new(Places), nil
	}
	if err != nil {
		return nil, err
	}
	p, err := parsePlaces(data)
	if err != nil {
		return nil, fmt.Errorf("%s%w", f.AWSPath(), err)
	}
	return p, nil
}

// check returns the first problem of the ARNs.
func (a *AWS) check() error {
	if a.TrustAnchor != "" {
		if _, err := ParseARN(a.TrustAnchor, TrustAnchorARN); err != nil {
			return fmt.Errorf("trust_anchor: %w", err)
		}
	}
	if a.Profile != "" {
		if _, err := ParseARN(a.Profile, ProfileARN); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	for name, text := range a.Roles {
		if _, err := ParseRole(text); err != nil {
			return fmt.Errorf("roles.%s: %w", name, err)
		}
	}
	for key, all := range map[string]map[string]string{"trust_anchors": a.TrustAnchors, "crls": a.CRLs} {
		kind, parse := TrustAnchorARN, ParseARN
		if key == "crls" {
			kind, parse = CRLARN, ParseReference
		}
		for name, text := range all {
			if _, err := parse(text, kind); err != nil {
				return fmt.Errorf("%s.%s: %w", key, name, err)
			}
		}
	}
	return nil
}

// checkPlace returns the first ARN that is not in the account and region.
func (a *AWS) checkPlace() error {
	if a.Account == "" || a.Region == "" {
		return errors.New("account and region are needed")
	}
	for _, arn := range slices.Concat(a.Anchors(), slices.Sorted(maps.Values(a.CRLs)), []string{a.Profile}) {
		if arn != "" && PlaceOf(arn) != a.Place() {
			return fmt.Errorf("%s is not in %s", arn, a.Place())
		}
	}
	for _, role := range slices.Sorted(maps.Values(a.Roles)) {
		if PlaceOf(role).Account != a.Account {
			return fmt.Errorf("%s is not in account %s", role, a.Account)
		}
	}
	return nil
}

// Place returns where it is.
func (a *AWS) Place() Place { return Place{Account: a.Account, Region: a.Region} }

// isEmpty reports whether no ARN is known.
func (a *AWS) isEmpty() bool {
	return a.TrustAnchor == "" && a.Profile == "" && len(a.TrustAnchors)+len(a.CRLs)+len(a.Roles) == 0
}

// WritePlaces replaces the file with the ARNs.
func (f Folder) WritePlaces(p *Places) error {
	text := bytes.NewBufferString("# What this CA is called at IAM Roles Anywhere; kedge-ca aws up, bundle and crl keep it here.\n")
	e := yaml.NewEncoder(text)
	e.SetIndent(2)
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("write %s: %w", f.AWSPath(), err)
	}
	return atomicfile.Write(f.AWSPath(), text.Bytes(), 0o644)
}

// Anchor is the ARN of the trust anchor for an authority's certificate, empty when it is not known.
// An authority that is empty stands for the roots.
func (a *AWS) Anchor(authority string) string {
	if authority == "" {
		return a.TrustAnchor
	}
	return a.TrustAnchors[authority]
}

// Anchors returns the ARNs of all trust anchors of the CA, that of the roots first.
func (a *AWS) Anchors() (all []string) {
	if a.TrustAnchor != "" {
		all = append(all, a.TrustAnchor)
	}
	for _, name := range slices.Sorted(maps.Keys(a.TrustAnchors)) {
		all = append(all, a.TrustAnchors[name])
	}
	return all
}

// Host returns what a host needs for a session of a role, besides what is configured; the configuration alone, if that has
// ARNs, if this place lacks one, or if no session of the role was made yet.
func (a *AWS) Host(configured AWSSettings, role string) AWSSettings {
	if configured.TrustAnchorARN != "" || a.TrustAnchor == "" || a.Profile == "" || slices.Contains(a.Untried, a.Roles[role]) {
		return configured
	}
	found := configured
	found.TrustAnchorARN, found.ProfileARN, found.RoleARN = a.TrustAnchor, a.Profile, a.Roles[role]
	whole, err := found.complete()
	if err != nil { // such as a role of another account
		return configured
	}
	return whole
}

// DropRoles removes what is known of roles, but for which were not tried.
func (a *AWS) DropRoles() { a.Roles, a.Policies, a.Hosts = nil, nil, nil }

// SetRole sets what was built of a role.
func (a *AWS) SetRole(name string, r BuiltRole) {
	if a.Roles == nil {
		a.Roles = map[string]string{}
	}
	if a.Policies == nil {
		a.Policies = map[string][]string{}
	}
	if a.Hosts == nil {
		a.Hosts = map[string]RoleHosts{}
	}
	a.Roles[name], a.Policies[name], a.Hosts[name] = r.ARN, r.Policies, r.Hosts
	if r.Hosts.IsZero() {
		delete(a.Hosts, name)
	}
}

// AddUntried adds the ARNs of roles that are to be tried. Those of roles that are not kept are removed.
func (a *AWS) AddUntried(roles []string) {
	kept := slices.Collect(maps.Values(a.Roles))
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Untried, roles))))
	a.Untried = slices.DeleteFunc(all, func(role string) bool { return !slices.Contains(kept, role) })
}

// SetTried removes a role from those that are to be tried.
func (a *AWS) SetTried(role string) {
	a.Untried = slices.DeleteFunc(a.Untried, func(other string) bool { return other == role })
}

// Forget removes the ARNs of what is gone, and reports whether there were any. With a trust anchor go the lists that it
// had: one whose trust anchor is not known would stop those for other places.
func (a *AWS) Forget(gone func(arn string) bool) (changed bool) {
	anchors := len(a.Anchors())
	for _, arn := range []*string{&a.TrustAnchor, &a.Profile} {
		if *arn != "" && gone(*arn) {
			*arn, changed = "", true
		}
	}
	for _, all := range []map[string]string{a.TrustAnchors, a.CRLs} {
		for name, arn := range all {
			if gone(arn) {
				delete(all, name)
				changed = true
			}
		}
	}
	for name, arn := range a.Roles {
		if gone(arn) {
			delete(a.Roles, name)
			delete(a.Policies, name)
			delete(a.Hosts, name)
			changed = true
		}
	}
	if len(a.Anchors()) < anchors {
		maps.DeleteFunc(a.CRLs, func(authority, _ string) bool { return a.TrustAnchor == "" && a.TrustAnchors[authority] == "" })
	}
	a.Untried = slices.DeleteFunc(a.Untried, gone)
	return changed
}

// SetAnchor sets what Anchor returns.
func (a *AWS) SetAnchor(authority, arn string) {
	if authority == "" {
		a.TrustAnchor = arn
		return
	}
	if a.TrustAnchors == nil {
		a.TrustAnchors = map[string]string{}
	}
	a.TrustAnchors[authority] = arn
}

// SetCRL sets the ARN of an authority's list.
func (a *AWS) SetCRL(authority, arn string) {
	if a.CRLs == nil {
		a.CRLs = map[string]string{}
	}
	a.CRLs[authority] = arn
}

// ARNKind is what an ARN of IAM Roles Anywhere names.
type ARNKind string

// The kinds that a CA has, and the profile that gives its hosts roles.
const (
	TrustAnchorARN ARNKind = "trust-anchor"
	CRLARN         ARNKind = "crl"
	ProfileARN     ARNKind = "profile"
)

// ARN is one of IAM Roles Anywhere.
type ARN struct {
	Text                string
	Region, Account, ID string
}

// ParseARN reads arn:PARTITION:rolesanywhere:REGION:ACCOUNT:KIND/ID, where the id is a UUID. What it
// returns has no character that a shell would take for its own.
func ParseARN(text string, kind ARNKind) (ARN, error) {
	a, err := parseARN(text, kind, uuid)
	if err != nil {
		if _, aliasErr := ParseReference(text, kind); aliasErr == nil {
			return ARN{}, fmt.Errorf("%q is an alias: give the ARN of %s itself", text, kind.what())
		}
	}
	return a, err
}

// ParseReference reads an ARN as ParseARN does, or that of an alias,
// arn:PARTITION:rolesanywhere:REGION:ACCOUNT:alias/KIND/NAME, which the service takes for the id of a resource
// to update, and which is the ID then. ImportCrl takes no alias.
//
// Source: IAM Roles Anywhere User Guide, "Resource aliases".
func ParseReference(text string, kind ARNKind) (ARN, error) {
	if a, err := parseARN(text, "alias/"+kind, alias); err == nil && !strings.HasPrefix(a.ID, "aws/") {
		a.ID = text
		return a, nil
	}
	return parseARN(text, kind, uuid)
}

const (
	uuid  = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`
	alias = `^[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)?$`
)

// parseARN reads an ARN whose resource begins with kind and ends with an id.
func parseARN(text string, kind ARNKind, id string) (ARN, error) {
	parts := strings.Split(text, ":")
	wrong := fmt.Errorf("%q is not the ARN of %s", text, kind.what())
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "rolesanywhere" {
		return ARN{}, wrong
	}
	name, ok := strings.CutPrefix(parts[5], string(kind)+"/")
	for pattern, part := range map[string]string{`^aws[a-z-]*$`: parts[1], `^[a-z0-9-]+$`: parts[3], `^[0-9]{12}$`: parts[4], id: name} {
		ok = ok && regexp.MustCompile(pattern).MatchString(part)
	}
	if !ok || len(name) > 256 {
		return ARN{}, wrong
	}
	return ARN{Text: text, Region: parts[3], Account: parts[4], ID: name}, nil
}

func (k ARNKind) what() string {
	switch {
	case strings.HasSuffix(string(k), string(CRLARN)):
		return "a CRL"
	case strings.HasSuffix(string(k), string(ProfileARN)):
		return "a profile"
	}
	return "a trust anchor"
}

// HostConfiguration returns the configuration of kedge on a host that uses these.
func (a *AWS) HostConfiguration() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# kedge's configuration on a host, /etc/kedge/config.yaml\ndefaults:\n  trust-anchor-arn: %s\n  profile-arn: %s\nprofiles:\n", a.TrustAnchor, a.Profile)
	for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
		fmt.Fprintf(&b, "  %s:\n    role-arn: %s\n", name, a.Roles[name])
	}
	return b.String()
}
