package policy

// AssumeDecision is what a role's trust policy and a caller's own policies decide together.
type AssumeDecision struct {
	Outcome Outcome
	Trust   Result
	Match   PrincipalMatch // how the trust policy names the caller where it allows
	Caller  Decision
}

// Assume decides about sts:AssumeRole, or another action on a role, by a user or a session that has
// these policies. The trust policy must allow it, always (IAMG reference_policies_evaluation-logic:
// role trust policies "must explicitly allow access"). The caller's policies must as well, unless the
// role is of the same account and the trust policy names the caller: by its role, then only boundary
// and session policies limit it; by its own ARN, then only a deny does (IAMG
// reference_policies_evaluation-logic_policy-eval-basics, "Evaluating identity-based policies with
// resource-based policies").
func (p Policies) Assume(trust *Document, request *Request) AssumeDecision {
	d := AssumeDecision{Trust: trust.Evaluate(request), Caller: p.Authorize(request)}
	d.Match = d.Trust.allowedBy()
	own := d.Caller.Outcome
	if own == ImplicitDeny && request.Principal.account() == accountIn(request.Resource) {
		own = d.Caller.limitedTo(d.Match)
	}
	d.Outcome = strongest(d.Trust.Outcome, own, ImplicitDeny)
	return d
}

// allowedBy returns the most exact match of the statements that allow.
func (r Result) allowedBy() PrincipalMatch {
	var found []PrincipalMatch
	for _, s := range r.Statements {
		if s.Applies && s.Effect == Allow {
			found = append(found, s.Match)
		}
	}
	return mostExact(found)
}

// limitedTo returns what is left of an implicit deny for a caller that the role's policy names. That
// "*" counts as naming the role is ours.
func (d Decision) limitedTo(match PrincipalMatch) Outcome {
	switch match {
	case ByName:
		return Allowed
	case ByRole, Everyone:
		for _, l := range d.Layers {
			if l.Layer != IdentityLayer && l.Outcome != Allowed {
				return ImplicitDeny
			}
		}
		return Allowed
	}
	return ImplicitDeny
}
