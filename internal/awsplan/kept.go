package awsplan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kept is what was built before, as the CA's folder has it. It can be in another account or region.
type Kept struct {
	Anchor, Profile string              // ARNs; empty: none
	Roles           map[string]string   // ARNs, by the names
	Policies        map[string][]string // that the roles were given, ARNs or names, by the names of the roles
	Untried         []string            // ARNs of roles of which no session was made
}

// Drift returns what differs in an account from what was built there, for people. Roles that are wanted are left to
// Compare; of the others the hosts are not known, but the trust anchor by which they come is.
func (k *Kept) Drift(w *Wanted, f *Found) (needs []string) {
	if w.OnlyAnchor && k.Profile != "" && f.isHere(k.Profile) && f.profile(k.Profile) == nil {
		needs = append(needs, fmt.Sprintf("the profile %s is not in the account any more, and hosts get no sessions by it: run kedge-ca aws up again", k.Profile))
	}
	for _, name := range slices.Sorted(maps.Keys(k.Roles)) {
		described := slices.ContainsFunc(w.Roles, func(r Role) bool { return r.Name == name })
		if !described && accountOf(k.Roles[name]) == f.Account {
			needs = append(needs, k.roleDrift(name, w.Owners, f)...)
		}
	}
	for _, arn := range k.Untried {
		if accountOf(arn) == f.Account {
			needs = append(needs, fmt.Sprintf("no session of the role %s was made yet, and kedge-ca serve gives it to no host: run kedge-ca aws up again", arn))
		}
	}
	return needs
}

// roleDrift is Drift for one role.
func (k *Kept) roleDrift(name string, owners []Owner, f *Found) (needs []string) {
	need := func(format string, args ...any) { needs = append(needs, fmt.Sprintf(format, args...)) }
	arn, found := k.Roles[name], f.Role(name)
	switch {
	case found == nil:
		need("the role %s is not in the account any more: run kedge-ca aws up again as it was built, or remove it from aws.yaml", arn)
		return needs
	case found.ARN != arn:
		need("the role %s has the ARN %s, and aws.yaml has %s", name, found.ARN, arn)
	case relationOf(owners, found.Tags, KindRole, name) != own:
		need("%s is not this CA's role by its tag %s, and aws.yaml has it", arn, TagKey)
	}
	has := slices.Concat(found.Attached, slices.Sorted(maps.Keys(found.Inline)))
	for _, policy := range k.Policies[name] {
		if !slices.Contains(has, policy) {
			need("%s has the policy %s no more, which kedge-ca aws up has given it", arn, policy)
		}
	}
	for _, policy := range has {
		if !slices.Contains(k.Policies[name], policy) {
			need("%s, which is not planned", More{arn, policy})
		}
	}
	if !f.isHere(k.Anchor) {
		return needs
	}
	if anchors := slices.Compact(anchorsIn(found.Trust)); !slices.Equal(anchors, []string{k.Anchor}) {
		need("the trust policy of %s is not for hosts by the trust anchor %s alone, but for: %s", arn, k.Anchor, orNothing(anchors))
	}
	if profile := f.profile(k.Profile); profile != nil && !slices.Contains(profile.Roles, arn) {
		need("the profile %s does not list %s: hosts do not get the role by it", profile.ARN, arn)
	}
	return needs
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "no trust anchor"
	}
	return strings.Join(list, " and ")
}

// profile returns the profile with an ARN; nil: it was not found.
func (f *Found) profile(arn string) *FoundProfile {
	for i := range f.Profiles {
		if f.Profiles[i].ARN == arn {
			return &f.Profiles[i]
		}
	}
	return nil
}

// isHere reports whether an ARN of IAM Roles Anywhere is of the account and region that were read.
func (f *Found) isHere(arn string) bool {
	return strings.HasPrefix(arn, "arn:"+f.Partition+":rolesanywhere:"+f.Region+":"+f.Account+":")
}

// accountOf returns the account in an ARN.
func accountOf(arn string) string {
	parts := append(strings.SplitN(arn, ":", 6), make([]string, 5)...)
	return parts[4]
}
