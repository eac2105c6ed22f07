package awsplan

import (
	"fmt"
	"strings"
)

// Reason is why an object stands in the way.
type Reason string

// The reasons.
const (
	Foreign    Reason = "foreign"     // it has no tag of this CA
	OtherCA    Reason = "other CA"    // its tag is that of another CA
	Misplaced  Reason = "misplaced"   // its tag is that of another object
	Twice      Reason = "twice"       // there are two with the tag of one object
	OtherCerts Reason = "other certs" // a trust anchor with the tag has certificates of another CA
	AliasTaken Reason = "alias taken" // something else has the alias
	OtherPath  Reason = "other path"  // a role has a path that cannot be changed
)

// ConflictError reports objects that are there and stand in the way of the plan. Nothing is done then.
type ConflictError struct {
	Reason Reason
	Kind   Kind
	Name   string   // that is wanted
	ARNs   []string // of what is there
	Detail string
}

func (e *ConflictError) Error() string {
	arns := strings.Join(e.ARNs, " and ")
	switch e.Reason {
	case Foreign:
		return fmt.Sprintf("the name of the %s %s is taken: %s is not of this CA, since it has no tag %s", e.Kind, e.Name, arns, TagKey)
	case OtherCA:
		return fmt.Sprintf("the name of the %s %s is taken: %s is of another CA by its tag %s", e.Kind, e.Name, arns, TagKey)
	case Misplaced:
		return fmt.Sprintf("%s has the tag %s of another object of this CA than the %s %s: somebody has copied the tag, or renamed the object", arns, TagKey, e.Kind, e.Name)
	case Twice:
		return fmt.Sprintf("there are two that are the %s %s of this CA by their tag %s: %s", e.Kind, e.Name, TagKey, arns)
	case OtherCerts:
		return fmt.Sprintf("%s has the tag %s of this CA's trust anchor, but %s", arns, TagKey, e.Detail)
	case AliasTaken:
		return fmt.Sprintf("the alias %s of the %s is taken: %s has it, and is not this CA's", e.Name, e.Kind, arns)
	case OtherPath:
		return fmt.Sprintf("%s is this CA's role %s, but %s", arns, e.Name, e.Detail)
	}
	return fmt.Sprintf("%s is in the way of the %s %s", arns, e.Kind, e.Name)
}

// More is what a role has beyond the plan.
type More struct {
	Role   string `json:"role"`   // ARN
	Policy string `json:"policy"` // ARN of a managed policy, or the name of one of the role itself
}

func (m More) String() string { return m.Role + " has the policy " + m.Policy }

// MoreError reports roles of the CA that may do more than is planned. To go on with them would give hosts these
// rights, so a person has to agree.
type MoreError struct{ All []More }

func (e *MoreError) Error() string { return "hosts would get more than is planned: " + join(e.All) }

// LossError reports policies of roles that are to be deleted, which aws up has not given them as far as is known: what
// others have made would be lost, so a person has to agree.
type LossError struct{ All []More }

func (e *LossError) Error() string {
	return "roles have policies that neither aws.yaml nor the configuration of this CA names: " + join(e.All)
}

func join(more []More) string {
	var all []string
	for _, m := range more {
		all = append(all, m.String())
	}
	return strings.Join(all, "; ")
}

// DisabledError reports a trust anchor or a profile that somebody has disabled. To enable it gives hosts sessions
// again, so a person has to agree: it may be an emergency.
type DisabledError struct{ ARNs []string }

func (e *DisabledError) Error() string {
	return "somebody has disabled " + strings.Join(e.ARNs, " and ") + ", and hosts would get sessions by it again"
}

// Unattended returns why the steps of New are not to be done unless a person agrees: a *DisabledError, a *MoreError,
// or nil.
func (p *Plan) Unattended() error {
	var disabled []string
	for _, step := range p.Steps {
		switch step.Change.(type) {
		case EnableAnchor, EnableProfile:
			disabled = append(disabled, step.ARN)
		}
	}
	switch {
	case len(disabled) > 0:
		return &DisabledError{disabled}
	case len(p.More) > 0:
		return &MoreError{p.More}
	}
	return nil
}
