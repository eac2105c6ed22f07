package awsplan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Down returns the steps that remove what is of a CA, and nothing else: profiles first, so that hosts get no sessions
// any more, then roles, trust anchors, and revocation lists at the end. A trust anchor that stays keeps its list, and no
// trust anchor is without its list at any time: revoked hosts would get sessions again. planned are the policies that
// each role has by the plan, ARNs or names; what it has besides is in More. Once the steps are done, there are none.
func Down(owners []Owner, planned map[string][]string, f *Found) *Plan {
	p := &remover{planner: planner{w: &Wanted{Owners: owners}, f: f, plan: &Plan{}}}
	going := p.sortAnchors()
	for _, found := range f.Profiles {
		if p.owns(KindProfile, found.Tags) {
			p.add(Step{Kind: KindProfile, Name: found.Name, ARN: found.ARN, Text: fmt.Sprintf("delete the profile %s, %s", found.Name, found.ARN), Change: DeleteProfile{found.ARN}})
		}
	}
	for i := range f.Roles {
		if p.mayRemoveRole(&f.Roles[i]) {
			p.removeRole(&f.Roles[i], planned[f.Roles[i].Name])
		}
	}
	for _, found := range going {
		p.add(Step{Kind: KindAnchor, Name: found.Name, ARN: found.ARN, Text: fmt.Sprintf("delete the trust anchor %s, %s", found.Name, found.ARN), Change: DeleteAnchor{found.ARN}})
	}
	for i := range f.CRLs {
		p.removeCRL(&f.CRLs[i])
	}
	return p.plan
}

// remover is a plan of what is removed.
type remover struct {
	planner
	stay []string // ARNs of the trust anchors that are there and stay
}

// owns reports whether the tag is that of an object of a kind of this CA, whatever its name is.
func (p *remover) owns(kind Kind, tags map[string]string) bool {
	return slices.ContainsFunc(p.w.Owners, func(o Owner) bool { return strings.HasPrefix(tags[TagKey], o.Tag(kind, "")) })
}

// sortAnchors returns the trust anchors that are deleted, and keeps the ARNs of the others.
func (p *remover) sortAnchors() (going []*FoundAnchor) {
	for i := range p.f.Anchors {
		found := &p.f.Anchors[i]
		err := p.checkCertificates(found)
		if p.owns(KindAnchor, found.Tags) && err == nil {
			going = append(going, found)
			continue
		}
		p.stay = append(p.stay, found.ARN)
		if p.owns(KindAnchor, found.Tags) {
			p.note("%v: it stays as it is", err)
		}
	}
	return going
}

// removeCRL plans the end of a list whose trust anchor is deleted before, or is gone. Without its list, another trust
// anchor would give sessions to revoked hosts again.
func (p *remover) removeCRL(found *FoundCRL) {
	if !p.owns(KindCRL, found.Tags) {
		return
	}
	if found.Anchor == "" || slices.Contains(p.stay, found.Anchor) {
		p.note("the revocation list %s, %s, stays, since its trust anchor stays, %s: without the list, revoked hosts would get sessions by it again", found.Name, found.ARN, cmp.Or(found.Anchor, "which AWS does not name"))
		return
	}
	p.add(Step{Kind: KindCRL, Name: found.Name, ARN: found.ARN, Text: fmt.Sprintf("delete the revocation list %s, %s", found.Name, found.ARN), Change: DeleteCRL{found.ARN}})
}

// mayRemoveRole refuses a role of somebody else, and one that hosts still get by another trust anchor: roles are of the
// whole account, and trust anchors of a region.
func (p *remover) mayRemoveRole(found *FoundRole) bool {
	if relationOf(p.w.Owners, found.Tags, KindRole, found.Name) != own {
		p.note("%s is not this CA's role by its tag %s: it stays as it is", found.ARN, TagKey)
		return false
	}
	for _, anchor := range anchorsIn(found.Trust) {
		if !p.gone(anchor) {
			p.note("%s stays as it is, since its trust policy gives it to hosts by %s, which is not deleted", found.ARN, anchor)
			return false
		}
	}
	return true
}

// gone reports whether a trust anchor that a trust policy names is there no more once the plan is done. A pattern may
// be that of any.
func (p *remover) gone(anchor string) bool {
	here := "arn:" + p.f.Partition + ":rolesanywhere:" + p.f.Region + ":" + p.f.Account + ":trust-anchor/"
	return strings.HasPrefix(anchor, here) && !strings.ContainsAny(anchor, "*?$") && !slices.Contains(p.stay, anchor)
}

// removeRole plans the end of a role, which must have no policies then.
func (p *remover) removeRole(found *FoundRole, planned []string) {
	step := func(change Change, format string, args ...any) {
		p.add(Step{Kind: KindRole, Name: found.Name, ARN: found.ARN, Text: fmt.Sprintf(format, args...), Change: change})
	}
	for _, policy := range found.Attached {
		p.beyond(found, policy, planned)
		step(DetachPolicy{found.Name, policy}, "detach the policy %s from the role %s", policy, found.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(found.Inline)) {
		p.beyond(found, name, planned)
		step(DeletePolicy{found.Name, name}, "delete the policy %s of the role %s", name, found.Name)
	}
	step(DeleteRole{found.Name}, "delete the role %s, %s", found.Name, found.ARN)
}

func (p *remover) beyond(found *FoundRole, policy string, planned []string) {
	if !slices.Contains(planned, policy) {
		p.plan.More = append(p.plan.More, More{found.ARN, policy})
	}
}

// DeleteProfile deletes a profile.
type DeleteProfile struct{ ARN string }

// DetachPolicy detaches a managed policy, which stays.
type DetachPolicy struct{ Role, ARN string }

// DeletePolicy deletes a policy of the role itself.
type DeletePolicy struct{ Role, Policy string }

// DeleteRole deletes a role, which must have no policies.
type DeleteRole struct{ Role string }

// DeleteCRL deletes a revocation list.
type DeleteCRL struct{ ARN string }

// DeleteAnchor deletes a trust anchor.
type DeleteAnchor struct{ ARN string }

func (c DeleteProfile) what() string { return c.ARN }
func (c DetachPolicy) what() string  { return c.ARN }
func (c DeletePolicy) what() string  { return c.Policy }
func (DeleteRole) what() string      { return "" }
func (c DeleteCRL) what() string     { return c.ARN }
func (c DeleteAnchor) what() string  { return c.ARN }
