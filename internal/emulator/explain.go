package emulator

import (
	"fmt"
	"strconv"
	"strings"

	"kedge/internal/emulator/policy"
)

// Words for the decisions of package policy: statement by statement, condition by condition, with the
// value that was there.

// explainActions returns the lines for every action.
func explainActions(actions []policy.ActionResult) []string {
	var lines []string
	for _, a := range actions {
		lines = append(lines, fmt.Sprintf("%s: %s", a.Request.Action, a.Result.Outcome))
		for _, s := range a.Result.Statements {
			lines = append(lines, explainStatement(s)...)
		}
	}
	return lines
}

// explainRefusal returns the lines for those actions that are not allowed.
func explainRefusal(actions []policy.ActionResult) []string {
	var refused []policy.ActionResult
	for _, a := range actions {
		if a.Result.Outcome != policy.Allowed {
			refused = append(refused, a)
		}
	}
	return explainActions(refused)
}

// explainDecision returns the lines for what limits a caller, policy by policy.
func explainDecision(d policy.Decision) []string {
	var lines []string
	for _, l := range d.Layers {
		lines = append(lines, fmt.Sprintf("%s: %s", l.Layer, l.Outcome))
		for i, r := range l.Results {
			lines = append(lines, fmt.Sprintf("  policy %d: %s", i+1, r.Outcome))
			for _, s := range r.Statements {
				lines = append(lines, explainStatement(s)...)
			}
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
