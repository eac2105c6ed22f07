package awsup

import (
	"fmt"
	"strings"

	"kedge/internal/awsplan"
)

// Status is what of a CA is in an account.
type Status struct {
	Account string   `json:"account"`
	Region  string   `json:"region"`
	Caller  string   `json:"caller"` // ARN
	Objects []Object `json:"objects"`
	Needs   []string `json:"needs,omitempty"` // what differs from what is described
	Notes   []string `json:"notes,omitempty"`
}

// Object is an object of a CA.
type Object struct {
	Kind    awsplan.Kind `json:"kind"`
	Name    string       `json:"name"`
	ARN     string       `json:"arn"`
	Details []string     `json:"details,omitempty"`
}

// NewStatus returns what of the owners was found, and what a plan would change of it. needs are what a person has to do
// besides.
func NewStatus(owners []awsplan.Owner, found *awsplan.Found, caller *Caller, plan *awsplan.Plan, needs []string) *Status {
	s := &Status{Account: found.Account, Region: found.Region, Caller: caller.ARN, Objects: []Object{}, Notes: plan.Notes}
	for i := range found.Anchors {
		a := &found.Anchors[i]
		s.add(owners, a.Tags, Object{awsplan.KindAnchor, a.Name, a.ARN, append(disabled(a.Enabled), a.Lines()...)})
	}
	for _, p := range found.Profiles {
		s.add(owners, p.Tags, Object{awsplan.KindProfile, p.Name, p.ARN, append(disabled(p.Enabled), p.Lines()...)})
	}
	for i := range found.Roles {
		r := &found.Roles[i]
		s.add(owners, r.Tags, Object{awsplan.KindRole, r.Name, r.ARN, r.Lines()})
	}
	for _, c := range found.CRLs {
		s.add(owners, c.Tags, Object{awsplan.KindCRL, c.Name, c.ARN, nil})
	}
	for _, step := range plan.Steps {
		s.Needs = append(s.Needs, step.Text)
	}
	for _, more := range plan.More {
		s.Needs = append(s.Needs, more.String()+", which is not planned")
	}
	s.Needs = append(s.Needs, needs...)
	return s
}

func (s *Status) add(owners []awsplan.Owner, tags map[string]string, o Object) {
	if awsplan.Owns(owners, tags) {
		s.Objects = append(s.Objects, o)
	}
}

func disabled(enabled bool) []string {
	if enabled {
		return nil
	}
	return []string{"it is disabled: hosts get no sessions by it"}
}

// String returns the status as text.
func (s *Status) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s, %s, as %s\n", s.Account, s.Region, s.Caller)
	if len(s.Objects) == 0 {
		b.WriteString("nothing carries the tag of this CA\n")
	}
	for _, o := range s.Objects {
		fmt.Fprintf(&b, "%s %s  %s\n", o.Kind, o.Name, o.ARN)
		for _, line := range o.Details {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	for _, need := range s.Needs {
		fmt.Fprintf(&b, "to do: %s\n", need)
	}
	for _, note := range s.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}
