package awsplan

import (
	"fmt"
	"slices"
	"strings"
)

// Plan is how an account becomes what is wanted.
type Plan struct {
	Steps []Step
	// More is what roles have beyond the plan. No step removes it.
	More  []More
	Notes []string // what a person should know besides

	// Anchor and Profile are the ARNs of what is there; empty: it is to be created.
	Anchor, Profile string
	Roles           []string // ARNs, also of those that are to be created
}

// Step is one change of the account: one call.
type Step struct {
	Kind   Kind
	Name   string   // of the object
	ARN    string   // empty: it is to be created
	Text   string   // what is done, for people
	Diff   []string // lines that begin with "+", "-" or a space; none for what is new
	Change Change
}

// ID tells a step from others of a plan, and is the same in a later plan.
func (s *Step) ID() string {
	return fmt.Sprintf("%s %s: %T %s", s.Kind, s.Name, s.Change, s.Change.what())
}

// New returns the plan. If something stands in its way, the error is a *ConflictError or a *NoPolicyError; otherwise it
// is one of the trust policy of a role.
func New(w *Wanted, f *Found) (*Plan, error) {
	plan, errs := Compare(w, f)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return plan, nil
}

// Compare is New for people to read: what stands in the way of an object stops only that. Without the trust anchor
// there is nothing to compare roles with.
func Compare(w *Wanted, f *Found) (*Plan, []error) {
	p := &planner{w: w, f: f, plan: &Plan{}}
	anchor, err := p.anchor()
	if err != nil {
		return p.plan, []error{err}
	}
	if w.OnlyAnchor {
		return p.plan, nil
	}
	var errs []error
	for i := range w.Roles {
		if err := p.role(&w.Roles[i], anchor); err != nil {
			errs, p.partly = append(errs, err), true
		}
	}
	if err := p.profile(); err != nil {
		errs = append(errs, err)
	}
	if lacking := w.lacking(f); len(lacking) > 0 {
		errs = append(errs, &NoPolicyError{Account: f.Account, All: lacking})
	}
	return p.plan, errs
}

// planner is a plan that is being made.
type planner struct {
	w      *Wanted
	f      *Found
	plan   *Plan
	partly bool // a role could not be planned
}

func (p *planner) add(s Step) { p.plan.Steps = append(p.plan.Steps, s) }

func (p *planner) note(format string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(format, args...))
}

// tagged is an object with tags.
type tagged struct {
	arn, name string
	tags      map[string]string
	alias     string
}

// one returns the index of the object of this CA among those of a kind; -1: there is none. What has the name and is of
// somebody else is noted: names of trust anchors and profiles need not be unique.
func (p *planner) one(kind Kind, name string, all []tagged) (int, error) {
	found := -1
	for i, t := range all {
		switch relationOf(p.w.Owners, t.tags, kind, name) {
		case own:
			if found >= 0 {
				return 0, &ConflictError{Reason: Twice, Kind: kind, Name: name, ARNs: []string{all[found].arn, t.arn}}
			}
			found = i
		case misplaced:
			if strings.HasPrefix(t.tags[TagKey], string(p.ownerOf(t.tags))+"/"+strings.ReplaceAll(string(kind), " ", "-")+"/") {
				p.note("%s is another %s of this CA, %s: it stays as it is", t.arn, kind, t.name)
				continue
			}
			return 0, &ConflictError{Reason: Misplaced, Kind: kind, Name: name, ARNs: []string{t.arn}}
		case untagged, otherCA:
			if t.name == name {
				p.note("%s has the name %s as well, and is not of this CA: it stays as it is", t.arn, name)
			}
		}
	}
	return found, p.checkAlias(kind, all, found)
}

// ownerOf returns the owner whose hash a tag has.
func (p *planner) ownerOf(tags map[string]string) Owner {
	hash, _, _ := strings.Cut(tags[TagKey], "/")
	return Owner(hash)
}

// missingTags returns those of Wanted.Tags that an object does not have.
func (p *planner) missingTags(has map[string]string) map[string]string {
	missing := map[string]string{}
	for key, value := range p.w.Tags {
		if has[key] != value {
			missing[key] = value
		}
	}
	return missing
}

// retag plans the tags that an object lacks.
func (p *planner) retag(kind Kind, t tagged) {
	missing := p.missingTags(t.tags)
	if len(missing) == 0 {
		return
	}
	p.add(Step{
		Kind: kind, Name: t.name, ARN: t.arn, Text: fmt.Sprintf("tag the %s %s with %s", kind, t.name, strings.Join(sortedPairs(missing), ", ")),
		Change: SetTags{Kind: kind, ID: t.id(kind), Tags: missing},
	})
}

// id returns how the service names the object in a call for its tags.
func (t tagged) id(kind Kind) string {
	if kind == KindRole {
		return t.name
	}
	return t.arn
}

func sortedPairs(m map[string]string) (pairs []string) {
	for key, value := range m {
		pairs = append(pairs, key+"="+value)
	}
	slices.Sort(pairs)
	return pairs
}
