package localca

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsadmin"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/report"
	"kedge/internal/safefile"
)

// AccountPlan is what hosts of the CA need in an account.
type AccountPlan struct {
	Wanted *awsplan.Wanted
	Roles  map[string]cadir.RoleSettings // by name; with what a profile fixes for a pattern of names
	Hosts  map[string]cadir.RoleHosts    // those of the roles, by their names
	Notes  report.Notes
	Bad    []error // about roles that cannot be built; none in what AWSWanted returns
}

// AWSWanted returns what hosts need, as the settings describe it: the trust anchor of the roots in use, a role for each
// that hosts get by it, and the profile. Files of policies are looked for below the CA's folder. Errors are those of
// awsadmin, of the files, of a name that no tag can have, and *issuance.AnchorSizeError.
func (c *CA) AWSWanted(ctx context.Context, a cadir.AccountSettings) (*AccountPlan, error) {
	plan, err := c.planAWS(ctx, a)
	if err == nil && len(plan.Bad) > 0 {
		return nil, plan.Bad[0]
	}
	return plan, err
}

// planAWS is AWSWanted, with the roles that can be built, and the errors about the others.
func (c *CA) planAWS(ctx context.Context, a cadir.AccountSettings) (*AccountPlan, error) {
	a = a.Complete()
	plan := &AccountPlan{Roles: map[string]cadir.RoleSettings{}, Hosts: map[string]cadir.RoleHosts{}}
	anchor, err := c.wantedAnchor(ctx, a.Name)
	if err != nil {
		return nil, err
	}
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, err
	}
	session := time.Duration(c.Settings.Server.AWS.SessionDuration)
	plan.Wanted = &awsplan.Wanted{Owners: owners, Anchor: *anchor, Tags: a.Tags, Alias: a.Alias, Profile: awsplan.Profile{Name: a.Name, Duration: session}}
	for _, name := range slices.Sorted(maps.Keys(a.Roles)) {
		if err := c.addRole(ctx, plan, name, a); err != nil {
			plan.Bad = append(plan.Bad, err)
		}
	}
	return plan, nil
}

// addRole adds a role of the settings to a plan.
func (c *CA) addRole(ctx context.Context, plan *AccountPlan, name string, a cadir.AccountSettings) error {
	role := a.Roles[name]
	if len(role.FromRoles) > 0 {
		plan.Notes.Next("make the role %s by hand, in its account: hosts assume it from another one; kedge-ca aws policy --role %s has its trust policy", name, name)
		return nil
	}
	if strings.Contains(name, ",") {
		return fmt.Errorf("the role %q has a comma in its name, and no tag at AWS can have one: give the role another name", name)
	}
	issuers, err := c.issuerNames(ctx, role.Issuers)
	if err != nil {
		return err
	}
	narrowed, _ := awsadmin.Trust{Hosts: awsadmin.HostsOf(role, issuers)}.Narrow(c.Settings.ProfileConfigs())
	wanted, err := c.wantedRole(ctx, name, &role, &plan.Notes)
	if err != nil {
		return err
	}
	wanted.Path, wanted.Boundary, wanted.MaxSession = a.Path, a.PermissionsBoundary, max(plan.Wanted.Profile.Duration, awsplan.MinMaxSession)
	plan.Wanted.Roles, plan.Roles[name] = append(plan.Wanted.Roles, *wanted), role
	hosts := narrowed.Hosts // those of the trust policy, which has no pattern that a profile stands for
	plan.Hosts[name] = cadir.RoleHosts{Names: hosts.Names, SANURIs: hosts.URIs, Units: hosts.Units, Issuers: hosts.Issuers}
	return nil
}

// AWSDescribed returns what the configuration describes: the trust anchor alone, if it describes no roles. A role that
// cannot be built stops only itself: bad has the errors of AWSWanted.
func (c *CA) AWSDescribed(ctx context.Context, a cadir.AccountSettings) (_ *awsplan.Wanted, bad []error, _ error) {
	if len(a.Roles) == 0 {
		anchor, err := c.AWSAnchor(ctx, a)
		return anchor, nil, err
	}
	plan, err := c.planAWS(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	plan.Wanted.KeepRoles = len(plan.Bad) > 0
	return plan.Wanted, plan.Bad, nil
}

// AWSAnchor returns the trust anchor alone, as AWSWanted does.
func (c *CA) AWSAnchor(ctx context.Context, a cadir.AccountSettings) (*awsplan.Wanted, error) {
	a = a.Complete()
	anchor, err := c.wantedAnchor(ctx, a.Name)
	if err != nil {
		return nil, err
	}
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, err
	}
	return &awsplan.Wanted{Owners: owners, Anchor: *anchor, Tags: a.Tags, OnlyAnchor: true}, nil
}

// owners returns the CA by the keys of all roots that it has had, the oldest one first.
func (c *CA) owners(ctx context.Context) (all []awsplan.Owner, err error) {
	roots, err := c.Service.Roots(ctx)
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, issuance.ErrNoAuthority
	}
	slices.SortStableFunc(roots, func(a, b ledger.Authority) int { return a.Certificate.NotBefore.Compare(b.Certificate.NotBefore) })
	for _, root := range roots {
		all = append(all, awsplan.OwnerOf(root.Certificate))
	}
	return all, nil
}

func (c *CA) wantedAnchor(ctx context.Context, name string) (*awsplan.Anchor, error) {
	anchors, err := c.Service.Anchors(ctx, "")
	if err != nil {
		return nil, err
	}
	if _, err := issuance.AnchorPEM(anchors...); err != nil {
		return nil, err
	}
	wanted := &awsplan.Anchor{Name: name}
	var lifetime time.Duration
	for _, a := range anchors {
		wanted.Certificates = append(wanted.Certificates, a.Certificate)
		lifetime = max(lifetime, lifetimeOf(a.Certificate))
	}
	wanted.Notifications = awsplan.Notifications(c.shortestLifetime(), lifetime)
	return wanted, nil
}

func lifetimeOf(cert *x509.Certificate) time.Duration { return cert.NotAfter.Sub(cert.NotBefore) }

// shortestLifetime returns the shortest one that a profile gives by default.
func (c *CA) shortestLifetime() time.Duration {
	profiles := slices.Collect(maps.Values(c.Settings.ProfileConfigs()))
	if len(profiles) == 0 {
		profiles = []ca.ProfileConfig{ca.DefaultProfileConfig()}
	}
	shortest := time.Duration(0)
	for _, p := range profiles {
		if d := time.Duration(p.Complete().Lifetime.Default); shortest == 0 || d < shortest {
			shortest = d
		}
	}
	return shortest
}

func (c *CA) wantedRole(ctx context.Context, name string, settings *cadir.RoleSettings, notes *report.Notes) (*awsplan.Role, error) {
	issuers, err := c.issuerNames(ctx, settings.Issuers)
	if err != nil {
		return nil, err
	}
	narrowed, about := awsadmin.Trust{Hosts: awsadmin.HostsOf(*settings, issuers)}.Narrow(c.Settings.ProfileConfigs())
	*notes = append(*notes, about...)
	settings.Units, settings.SANURIs = narrowed.Hosts.Units, narrowed.Hosts.URIs
	role := &awsplan.Role{Name: name, For: narrowed.Hosts.String(), Inline: map[string]string{}}
	role.Trust = func(anchor string) (string, error) {
		trust := narrowed
		trust.Anchor = anchor
		text, err := trust.Policy()
		return string(text), err
	}
	if _, err := role.Trust(anyAnchor); err != nil {
		return nil, err
	}
	if err := c.addPolicies(role, settings.Policies); err != nil {
		return nil, err
	}
	if len(settings.Policies) == 0 {
		notes.Warn("the role %s has no policies: hosts that get it may do nothing until it has; give --policy, or policies: under aws: roles: %s:", name, name)
	}
	return role, nil
}

// anyAnchor stands for a trust anchor where only the rest of a trust policy matters: what cannot be written in one is
// refused before AWS is asked anything.
const anyAnchor = "arn:aws:rolesanywhere:us-east-1:000000000000:trust-anchor/00000000-0000-0000-0000-000000000000"

// issuerNames returns the common names of authorities.
func (c *CA) issuerNames(ctx context.Context, authorities []string) (names []string, err error) {
	for _, name := range authorities {
		path, err := c.Service.Path(ctx, name)
		if err != nil {
			return nil, err
		}
		names = append(names, path[0].Certificate.Subject.CommonName)
	}
	return names, nil
}

// addPolicies gives a role policies: ARNs, and files whose names without their ends are those of the policies. Two files
// with one name are an error: AWS would have one of the policies, and the other one could be a Deny.
func (c *CA) addPolicies(role *awsplan.Role, policies []string) error {
	files := map[string]string{} // by the names of the policies
	for _, p := range policies {
		if cadir.IsPolicyARN(p) {
			role.Attached = append(role.Attached, p)
			continue
		}
		path := p
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.folder.Dir, path)
		}
		name := policyName(path)
		if name == "" {
			return fmt.Errorf("the policy in %s has no name, which is that of the file without its end: rename the file", path)
		}
		if first, ok := files[name]; ok {
			return fmt.Errorf("%s and %s are both policies of the role %s with the name %s, which is that of the file without its end: rename one of the files", first, path, role.Name, name)
		}
		document, err := readPermissions(path)
		if err != nil {
			return err
		}
		files[name], role.Inline[name] = path, document
	}
	return nil
}

// policyName returns the name of the policy in a file; empty: it has none.
func policyName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	name = regexp.MustCompile(`[^A-Za-z0-9_+=,.@-]`).ReplaceAllString(name, "-") // IAM API Reference, PutRolePolicy, PolicyName
	return name[:min(len(name), 128)]
}

// readPermissions reads what a role may do from a file, and returns it with characters as IAM accepts them.
func readPermissions(path string) (string, error) {
	text, err := safefile.Read(path, awsadmin.MaxPermissions*4)
	if err != nil {
		return "", err
	}
	if err := awsadmin.CheckPermissions(path, text); err != nil {
		return "", err
	}
	document := awsplan.EscapeAbove(string(text), awsplan.MaxDocumentRune)
	return document, awsadmin.CheckPermissions(path, []byte(document))
}
