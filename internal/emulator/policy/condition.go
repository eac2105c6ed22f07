package policy

import "slices"

// Reason is what decided about a condition.
type Reason string

// The reasons.
const (
	Compared   Reason = "compared"   // the values of the request with those of the policy
	Absent     Reason = "absent"     // the request has no such key
	Existence  Reason = "existence"  // Null asks whether the key is there
	Several    Reason = "several"    // the request has several values, and the operator no set qualifier
	Unresolved Reason = "unresolved" // a variable of the policy has no value, and no other value matches
)

// ConditionResult is one condition with what the request had for it.
type ConditionResult struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Policy   []string `json:"policy"`            // as the document has them
	Expanded []string `json:"expanded,omitzero"` // with the variables replaced; nil if there are none
	Request  []string `json:"request,omitzero"`  // nil: the key is absent
	Met      bool     `json:"met"`
	Reason   Reason   `json:"reason"`
}

// evaluate compares a condition with a request.
func (c Condition) evaluate(e expander) ConditionResult {
	r := ConditionResult{Operator: c.Operator.Name, Key: c.Key, Policy: c.Values, Request: e.context.values[c.lower]}
	switch {
	case c.Operator.compare == null:
		r.Reason, r.Met = Existence, existenceIs(r.Request, c.Values)
	case isEmpty(r.Request, c.Operator.set):
		r.Reason, r.Met = Absent, c.Operator.metByAbsence()
	case c.Operator.set == noSet && len(r.Request) > 1:
		// IAMG reference_policies_condition-single-vs-multi-valued-context-keys: such keys "require a
		// condition set operator". That without one the condition is not met, negated or not, is ours.
		r.Reason = Several
	default:
		c.compare(e, &r)
	}
	return r
}

// existenceIs: Null is met by "true" when the key is absent, and by "false" when it is there (IAMG
// reference_policies_elements_condition_operators, "Null").
func existenceIs(request, policy []string) bool {
	return slices.ContainsFunc(policy, func(v string) bool {
		return matchBool(v, "true") && len(request) == 0 || matchBool(v, "false") && len(request) > 0
	})
}

// isEmpty reports whether there is nothing to compare. To the set qualifiers an empty string is no
// value either (IAMG reference_policies_condition-single-vs-multi-valued-context-keys: "a null data
// set, such as an empty string").
func isEmpty(request []string, set setQualifier) bool {
	if set == noSet {
		return len(request) == 0
	}
	return !slices.ContainsFunc(request, func(v string) bool { return v != "" })
}

// metByAbsence: IfExists and ForAllValues are met by a key that is absent, ForAnyValue is not, other
// operators are if they are negated (IAMG reference_policies_elements_condition_operators, and
// reference_policies_condition-single-vs-multi-valued-context-keys). That IfExists counts before
// ForAnyValue is ours.
func (o Operator) metByAbsence() bool {
	switch {
	case o.ifExists, o.set == forAllValues:
		return true
	case o.set == forAnyValue:
		return false
	}
	return o.negated
}

// compare decides by the values. One value of the policy is enough; for a negated operator there must
// be none (IAMG reference_policies_condition-logic-multiple-context-keys-or-values: OR, and NOR).
//
// Of several values of the request ForAllValues wants all to be so, ForAnyValue one.
//
// A value with a variable that cannot be resolved matches nothing. Where that would meet a negated
// operator, the condition is not met: such a statement is invalid (IAMG reference_policies_variables,
// "Principal key values"; that a value which does match counts before it is ours).
func (c Condition) compare(e expander, r *ConditionResult) {
	policy := c.expanded(e, r)
	unresolved := slices.ContainsFunc(policy, func(v value) bool { return !v.resolved })
	met := func(request string) bool {
		for _, v := range policy {
			if v.resolved && c.Operator.compare.matches(request, v) {
				return !c.Operator.negated
			}
		}
		if unresolved {
			r.Reason = Unresolved
		}
		return c.Operator.negated && !unresolved
	}
	r.Reason = Compared
	if c.Operator.set == forAllValues {
		r.Met = !slices.ContainsFunc(r.Request, func(v string) bool { return !met(v) })
	} else {
		r.Met = slices.ContainsFunc(r.Request, met)
	}
	if r.Met {
		r.Reason = Compared
	}
}

// expanded returns the values of the policy with their variables replaced, and notes them if there are any.
func (c Condition) expanded(e expander, r *ConditionResult) []value {
	if !c.Operator.hasVariables() {
		e.version = version2008 // variables are text to these operators
	}
	values := make([]value, len(c.Values))
	changed := false
	for i, s := range c.Values {
		values[i] = e.expand(s)
		changed = changed || values[i].text != s
	}
	if changed {
		for _, v := range values {
			r.Expanded = append(r.Expanded, v.text)
		}
	}
	return values
}
