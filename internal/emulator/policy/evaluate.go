package policy

import (
	"slices"
	"strings"
)

// Outcome is what policies decide about a request.
type Outcome string

// The outcomes. What nothing allows is denied (IAMG reference_policies_evaluation-logic).
const (
	Allowed      Outcome = "allowed"
	ImplicitDeny Outcome = "implicit deny"
	ExplicitDeny Outcome = "explicit deny"
)

// Result is what one document decides, with each of its statements in its order. Results and what they have can be
// marshaled as JSON.
type Result struct {
	Outcome    Outcome           `json:"outcome"`
	Statements []StatementResult `json:"statements"`
}

// StatementResult is what became of a statement.
type StatementResult struct {
	Index      int               `json:"index"` // in the document, from 0
	Sid        string            `json:"sid,omitzero"`
	Effect     Effect            `json:"effect"`
	Applies    bool              `json:"applies"` // every element and condition matches
	Match      PrincipalMatch    `json:"principalMatch,omitzero"`
	Elements   []ElementResult   `json:"elements"` // of Principal, Action and Resource those that the statement has
	Conditions []ConditionResult `json:"conditions"`
}

// ElementResult is an element, compared with what the request has for it.
type ElementResult struct {
	Element string   `json:"element"` // "NotAction"
	Policy  []string `json:"policy"`  // as the document has them
	Request string   `json:"request"`
	Matched bool     `json:"matched"` // for the forms with Not: the request is none of the exceptions
}

// Evaluate compares every statement with a request. Statements are alternatives, and an explicit deny
// outweighs them (IAMG reference_policies_evaluation-logic).
func (d *Document) Evaluate(request *Request) Result {
	r := Result{Outcome: ImplicitDeny, Statements: make([]StatementResult, len(d.Statements))}
	e := expander{d.Version, &request.Context}
	for i := range d.Statements {
		s := d.Statements[i].evaluate(e, request)
		s.Index = i
		r.Statements[i] = s
		switch {
		case !s.Applies:
		case s.Effect == Deny:
			r.Outcome = ExplicitDeny
		case r.Outcome == ImplicitDeny:
			r.Outcome = Allowed
		}
	}
	return r
}

// evaluate compares one statement. All of its elements must match, and all of its conditions be met.
func (s *Statement) evaluate(e expander, request *Request) StatementResult {
	r := StatementResult{Sid: s.Sid, Effect: s.Effect, Applies: true, Elements: make([]ElementResult, 0, 2)}
	if s.Principal.Present() {
		r.Match = s.matchPrincipal(request.Principal)
		r.add(s.Principal, request.Principal.String(), r.Match != NotNamed)
	}
	r.add(s.Action, request.Action, s.Action.matches(func(v string) bool { return matchAction(v, request.Action) }))
	if s.Resource.Present() {
		r.add(s.Resource, request.Resource, s.matchResource(e, request.Resource))
	}
	if len(s.Conditions) > 0 {
		r.Conditions = make([]ConditionResult, 0, len(s.Conditions))
	}
	for _, c := range s.Conditions {
		met := c.evaluate(e)
		r.Applies = r.Applies && met.Met
		r.Conditions = append(r.Conditions, met)
	}
	return r
}

func (r *StatementResult) add(e Element, request string, matched bool) {
	r.Elements = append(r.Elements, ElementResult{e.Name, e.Values, request, matched})
	r.Applies = r.Applies && matched
}

// matches reports whether one value matches or, for the form with Not, none does (IAMG
// reference_policies_elements_notaction, reference_policies_elements_notresource).
func (e Element) matches(match func(string) bool) bool {
	return slices.ContainsFunc(e.Values, match) != e.Negated()
}

// matchAction compares without regard to case, with wildcards (IAMG reference_policies_elements_action).
// Actions have no variables.
func matchAction(policy, action string) bool {
	if strings.EqualFold(policy, action) {
		return true
	}
	return strings.ContainsAny(policy, "*?") && newPattern(strings.ToLower(policy)).match([]rune(strings.ToLower(action)))
}

// matchResource compares the Resource element. A variable without a value makes the statement invalid
// unless another value matches (IAMG reference_policies_variables), in the form with Not as well.
func (s *Statement) matchResource(e expander, resource string) bool {
	unresolved := false
	matched := s.Resource.matches(func(policy string) bool {
		v := e.expandResource(policy)
		unresolved = unresolved || !v.resolved
		return v.resolved && v.wildcards().matchResource(resource)
	})
	return matched && !(s.Resource.Negated() && unresolved)
}
