package awsplan

import (
	"fmt"
	"maps"
	"slices"
)

// role plans a role whose hosts come by a trust anchor.
func (p *planner) role(w *Role, anchor string) error {
	trust, err := w.Trust(anchor)
	if err != nil {
		return fmt.Errorf("role %s: %w", w.Name, err)
	}
	found := p.f.Role(w.Name)
	if found == nil {
		p.plan.Roles = append(p.plan.Roles, p.f.roleARN(w))
		p.add(Step{
			Kind: KindRole, Name: w.Name, Text: fmt.Sprintf("create the role %s for %s", w.Name, w.For), Diff: p.newLines(trust),
			Change: CreateRole{Role: *w, Document: trust, Tags: p.w.TagsOf(KindRole, w.Name)},
		})
		p.permissions(w, &FoundRole{})
		return nil
	}
	if err := p.checkRole(w, found); err != nil {
		return err
	}
	p.plan.Roles = append(p.plan.Roles, found.ARN)
	p.updateRole(w, found, trust)
	p.permissions(w, found)
	p.more(w, found)
	p.retag(KindRole, tagged{found.ARN, found.Name, found.Tags, ""})
	return nil
}

// checkRole refuses a role that is not this one of the CA. Names of roles are unique in an account.
func (p *planner) checkRole(w *Role, found *FoundRole) error {
	e := &ConflictError{Kind: KindRole, Name: w.Name, ARNs: []string{found.ARN}}
	switch relationOf(p.w.Owners, found.Tags, KindRole, w.Name) {
	case untagged:
		e.Reason = Foreign
	case otherCA:
		e.Reason = OtherCA
	case misplaced:
		e.Reason = Misplaced
	case own:
		if found.Path == w.Path {
			return nil
		}
		e.Reason, e.Detail = OtherPath, fmt.Sprintf("its path is %s and not %s: IAM cannot change that", found.Path, w.Path)
	}
	return e
}

func (p *planner) updateRole(w *Role, found *FoundRole, trust string) {
	step := func(change Change, diff []string, format string, args ...any) {
		p.add(Step{Kind: KindRole, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf(format, args...), Diff: diff, Change: change})
	}
	if !SameDocument(found.Trust, trust) {
		step(SetTrust{w.Name, trust}, diffLines(documentLines(found.Trust), p.documentLines(trust)), "replace the trust policy of the role %s, for %s", w.Name, w.For)
	}
	if found.MaxSession < w.MaxSession {
		step(SetMaxSession{w.Name, w.MaxSession}, nil, "let sessions of the role %s last up to %v, not %v", w.Name, w.MaxSession, found.MaxSession)
	}
	if w.Boundary != "" && found.Boundary != w.Boundary {
		diff := []string{"+ " + w.Boundary}
		if found.Boundary != "" {
			diff = []string{"- " + found.Boundary, "+ " + w.Boundary}
		}
		step(SetBoundary{w.Name, w.Boundary}, diff, "set the permissions boundary of the role %s", w.Name)
	}
}

// permissions plans the policies that a role lacks.
func (p *planner) permissions(w *Role, found *FoundRole) {
	for _, policy := range w.Attached {
		if !slices.Contains(found.Attached, policy) {
			p.add(Step{
				Kind: KindRole, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("attach the policy %s to the role %s", policy, w.Name),
				Change: AttachPolicy{w.Name, policy},
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Inline)) {
		document, has := found.Inline[name]
		if has && SameDocument(document, w.Inline[name]) {
			continue
		}
		s := Step{
			Kind: KindRole, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("write the policy %s of the role %s", name, w.Name),
			Diff: p.newLines(w.Inline[name]), Change: PutPolicy{w.Name, name, w.Inline[name]},
		}
		if has {
			s.Diff = diffLines(documentLines(document), documentLines(w.Inline[name]))
		}
		p.add(s)
	}
}

// more finds what a role has beyond the plan.
func (p *planner) more(w *Role, found *FoundRole) {
	for _, policy := range found.Attached {
		if !slices.Contains(w.Attached, policy) {
			p.plan.More = append(p.plan.More, More{found.ARN, policy})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found.Inline)) {
		if _, planned := w.Inline[name]; !planned {
			p.plan.More = append(p.plan.More, More{found.ARN, name})
		}
	}
}

// newLines returns a document as lines that are added.
func (p *planner) newLines(document string) (lines []string) {
	for _, line := range p.documentLines(document) {
		lines = append(lines, "+ "+line)
	}
	return lines
}

func (p *planner) documentLines(document string) []string { return documentLines(p.f.shown(document)) }
