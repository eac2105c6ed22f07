package emulator

import (
	"fmt"
	"strconv"
	"strings"

	"kedge/internal/emulator/policy"
)

// Words for the decisions of package policy: statement by statement, condition by condition, with the
// value that was there.

// decision is what policies decide about one action. It has JSON tags for the control interface and
// "simulate --json".
type decision struct {
	Action    string               `json:"action"`
	Resource  string               `json:"resource"`
	Principal string               `json:"principal"`
	Outcome   policy.Outcome       `json:"outcome"`
	Policies  []policy.LayerResult `json:"policies"`
	Context   map[string][]string  `json:"context"` // the condition keys of the request, in lower case
}

// decisions are the [wire.Reasons] of a refusal.
type decisions []decision

// newDecision returns a decision about a request, without its policies.
func newDecision(request policy.Request, outcome policy.Outcome) decision {
	return decision{
		Action: request.Action, Resource: request.Resource, Principal: request.Principal.String(),
		Outcome: outcome, Context: request.Context.All(),
	}
}

// trustDecision returns what a trust policy decides.
func trustDecision(a policy.ActionResult) decision {
	d := newDecision(a.Request, a.Result.Outcome)
	d.Policies = []policy.LayerResult{{Layer: policy.TrustLayer, Outcome: a.Result.Outcome, Results: []policy.Result{a.Result}}}
	return d
}

// callerDecision returns what the policies of a caller decide.
func callerDecision(request policy.Request, made policy.Decision) decision {
	d := newDecision(request, made.Outcome)
	d.Policies = made.Layers
	return d
}

// trustDecisions returns what a trust policy decides about every action.
func trustDecisions(actions []policy.ActionResult) decisions {
	all := make(decisions, len(actions))
	for i, a := range actions {
		all[i] = trustDecision(a)
	}
	return all
}

// refusedActions returns the decisions about those actions that are not allowed.
func refusedActions(actions []policy.ActionResult) decisions {
	var refused decisions
	for _, a := range actions {
		if a.Result.Outcome != policy.Allowed {
			refused = append(refused, trustDecision(a))
		}
	}
	return refused
}

// Lines returns the decisions for people.
func (all decisions) Lines() []string {
	var lines []string
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%s: %s", d.Action, d.Outcome))
		for _, l := range d.Policies {
			lines = append(lines, explainLayer(l)...)
		}
	}
	return lines
}

// explainLayer returns the lines for a layer. Of a trust policy there is one, and the action's line has its outcome.
func explainLayer(l policy.LayerResult) []string {
	var lines []string
	if l.Layer != policy.TrustLayer {
		lines = append(lines, fmt.Sprintf("  %s: %s", l.Layer, l.Outcome))
	}
	for i, r := range l.Results {
		if l.Layer != policy.TrustLayer {
			lines = append(lines, fmt.Sprintf("  policy %d: %s", i+1, r.Outcome))
		}
		for _, s := range r.Statements {
			lines = append(lines, explainStatement(s)...)
		}
	}
	return lines
}

func explainStatement(s policy.StatementResult) []string {
	title := "statement " + strconv.Itoa(s.Index+1)
	if s.Sid != "" {
		title += " " + strconv.Quote(s.Sid)
	}
	lines := []string{fmt.Sprintf("  %s, %s: %s", title, s.Effect, either(s.Applies, "applies", "does not apply"))}
	for _, e := range s.Elements {
		lines = append(lines, fmt.Sprintf("    %s: %s %s; the request has %s", either(e.Matched, "matches", "does not match"), e.Element, quoted(e.Policy), strconv.Quote(e.Request)))
	}
	for _, c := range s.Conditions {
		lines = append(lines, "    "+explainCondition(c))
	}
	return lines
}

func explainCondition(c policy.ConditionResult) string {
	line := fmt.Sprintf("%s: %s %s %s", either(c.Met, "met", "not met"), c.Operator, c.Key, quoted(c.Policy))
	if c.Expanded != nil {
		line += ", which is " + quoted(c.Expanded)
	}
	if c.Request == nil {
		line += "; the request has no such key"
	} else {
		line += "; the request has " + quoted(c.Request)
	}
	switch c.Reason {
	case policy.Several:
		line += ", and several values want ForAllValues or ForAnyValue"
	case policy.Unresolved:
		line += ", and a variable has no value"
	}
	return line
}

// either returns one of two words.
func either[B ~bool](which B, yes, no string) string {
	if which {
		return yes
	}
	return no
}

func quoted(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = strconv.Quote(v)
	}
	if len(all) == 1 {
		return all[0]
	}
	return "[" + strings.Join(all, ", ") + "]"
}
