package awsplan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// profile plans the profile, which lists the roles.
func (p *planner) profile() error {
	w := &p.w.Profile
	all := make([]tagged, len(p.f.Profiles))
	for i, found := range p.f.Profiles {
		all[i] = tagged{found.ARN, found.Name, found.Tags, found.Alias}
	}
	at, err := p.one(KindProfile, w.Name, all)
	if err != nil {
		return err
	}
	if at < 0 {
		p.add(Step{
			Kind: KindProfile, Name: w.Name, Text: "create the profile " + w.Name, Diff: diffLines(nil, slices.Concat(aliasLines(p.w.Alias), []string{"sessions of " + duration(w.Duration)}, p.plan.Roles)),
			Change: CreateProfile{Profile: *w, Alias: p.w.Alias, Roles: p.plan.Roles, Tags: p.w.TagsOf(KindProfile, w.Name)},
		})
		return nil
	}
	found := &p.f.Profiles[at]
	p.plan.Profile = found.ARN
	p.updateProfile(found)
	p.alias(KindProfile, all[at])
	p.retag(KindProfile, all[at])
	return nil
}

func (p *planner) updateProfile(found *FoundProfile) {
	w, roles := &p.w.Profile, p.rolesOf(found)
	had := profileLines(found.Name, found.Duration, found.Roles)
	want := profileLines(w.Name, w.Duration, roles)
	if !slices.Equal(had, want) {
		p.add(Step{
			Kind: KindProfile, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("update the profile %s", w.Name), Diff: diffLines(had, want),
			Change: UpdateProfile{ARN: found.ARN, Profile: *w, Roles: roles},
		})
	}
	if !found.Enabled {
		p.add(Step{
			Kind: KindProfile, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("enable the profile %s, by which hosts get its roles then", w.Name),
			Change: EnableProfile{ARN: found.ARN},
		})
	}
}

// rolesOf returns the roles that a profile should list.
func (p *planner) rolesOf(found *FoundProfile) []string {
	roles := slices.Clone(p.plan.Roles)
	for _, arn := range found.Roles {
		switch {
		case slices.Contains(roles, arn):
		case p.w.KeepRoles || p.partly:
			roles = append(roles, arn)
		default:
			p.note("%s is in the profile and not in the plan: the role stays, and hosts do not get it by this profile any more", arn)
		}
	}
	return roles
}

func profileLines(name string, d time.Duration, roles []string) []string {
	lines := []string{"name " + name, "sessions of " + duration(d)}
	return append(lines, slices.Sorted(slices.Values(roles))...)
}

// duration formats one without units that are zero.
func duration(d time.Duration) string {
	text := d.String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "" {
		return "0s"
	}
	return text
}
