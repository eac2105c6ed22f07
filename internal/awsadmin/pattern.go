package awsadmin

import (
	"fmt"
	"slices"
	"strings"
)

// pattern is a value in the syntax of profiles: * and ? stop at dots and slashes, ** does not.
type pattern struct {
	text   string
	parts  []string // literal text, "*", "**" and "?"
	narrow bool     // it has a wildcard that stops at dots and slashes
}

func parsePattern(text string) pattern {
	p := pattern{text: text}
	for rest := text; rest != ""; {
		n := strings.IndexAny(rest, "*?")
		switch {
		case n < 0:
			n = len(rest)
		case n > 0:
		case rest[0] == '?':
			n = 1
		default:
			n = len(rest) - len(strings.TrimLeft(rest, "*"))
		}
		part := rest[:n]
		if strings.HasPrefix(part, "**") {
			part = "**"
		}
		p.narrow = p.narrow || part == "*" || part == "?"
		p.parts, rest = append(p.parts, part), rest[n:]
	}
	return p
}

func (p pattern) hasWildcards() bool { return p.replace("") != p.text || p.text == "" }

// matchesAll reports whether there is nothing but wildcards. A value that is empty selects nothing
// either.
func (p pattern) matchesAll() bool { return strings.TrimSpace(p.literal()) == "" }

// literal returns the text between the wildcards.
func (p pattern) literal() string { return p.replace("") }

// iam returns the pattern with IAM's wildcards: its * crosses dots and slashes (IAMG
// reference_policies_elements_condition_operators, "String condition operators").
func (p pattern) iam() string { return p.fill("*", "?") }

// wide returns the pattern that matches all that IAM's would; empty where there is a ?, which IAM has too, for
// any one character: a run would match far more.
func (p pattern) wide() string {
	if slices.Contains(p.parts, "?") {
		return ""
	}
	return p.replace("**")
}

// replace writes the pattern with another text for its wildcards.
func (p pattern) replace(wildcard string) string { return p.fill(wildcard, wildcard) }

// fill writes the pattern with one text for each run of characters, and another for each ?.
func (p pattern) fill(run, one string) string {
	var b strings.Builder
	for _, part := range p.parts {
		switch part {
		case "?":
			part = one
		case "*", "**":
			part = run
		}
		b.WriteString(part)
	}
	return b.String()
}

// alsoMatched returns examples of names that a policy with IAM's wildcards would match, and the
// pattern does not.
func (p pattern) alsoMatched() []string { return []string{p.fill("a.b", "."), p.fill("a/b", "/")} }

// PatternError reports a pattern with a wildcard that stops at dots and slashes. IAM has none: the
// policy would give the role to more hosts than the pattern names.
type PatternError struct {
	Pattern string
	Wide    string   // the pattern that a policy can express; empty: none is near
	Also    []string // examples of names that IAM's wildcards would match, too
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("a policy cannot express %q: IAM's wildcards cross dots and slashes, so it would also give the role to %s", e.Pattern, strings.Join(e.Also, " and "))
}
