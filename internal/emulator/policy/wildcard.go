package policy

import "strings"

// class is what one element of a pattern stands for.
type class byte

const (
	literal   class = iota
	one             // "?": any character
	many            // "*": any characters, none too
	oneInside       // "?" in an ARN: any character but a colon
	inside          // "*" in an ARN: any characters but colons
)

// glyph is one element of a pattern.
type glyph struct {
	class class
	r     rune
}

// pattern is a value of a policy whose "*" and "?" are wildcards, and whose variables are replaced:
// what they stand for is literal (ours; a tag with an asterisk in it would otherwise be a wildcard).
type pattern []glyph

// newPattern reads the wildcards of a text without variables.
func newPattern(s string) pattern {
	p := make(pattern, 0, len(s))
	for _, r := range s {
		p = append(p, glyphOf(r))
	}
	return p
}

func glyphOf(r rune) glyph {
	switch r {
	case '*':
		return glyph{class: many}
	case '?':
		return glyph{class: one}
	}
	return glyph{r: r}
}

// match reports whether the pattern stands for the whole of s. It goes back to the last "*" only, so
// that it takes no more steps than the product of the lengths.
func (p pattern) match(s []rune) bool {
	at, i := 0, 0         // in p and in s
	star, resume := -1, 0 // the last "*", and where in s it was left
	for i < len(s) {
		switch {
		case at < len(p) && p[at].class == many:
			star, resume = at, i
			at++
		case at < len(p) && (p[at].class == one || p[at].class == literal && p[at].r == s[i]):
			at++
			i++
		case star >= 0:
			resume++
			at, i = star+1, resume
		default:
			return false
		}
	}
	for at < len(p) && p[at].class == many {
		at++
	}
	return at == len(p)
}

// split cuts a pattern at its colons, into at most n parts.
func (p pattern) split(n int) []pattern {
	var parts []pattern
	start := 0
	for i, g := range p {
		if len(parts) < n-1 && g.class == literal && g.r == ':' {
			parts = append(parts, p[start:i])
			start = i + 1
		}
	}
	return append(parts, p[start:])
}

const arnParts = 6 // arn:partition:service:region:account:resource

// matchARN compares by the six parts of an ARN, each with its own wildcards (IAMG
// reference_policies_elements_condition_operators, "ARN condition operators"). What has fewer parts
// matches nothing (ours).
func (p pattern) matchARN(s string) bool {
	parts, values := p.split(arnParts), strings.SplitN(s, ":", arnParts)
	if len(parts) != arnParts || len(values) != arnParts {
		return false
	}
	for i := range parts {
		if !parts[i].match([]rune(values[i])) {
			return false
		}
	}
	return true
}

// matchResource compares a Resource element. Wildcards stand for characters of one part of the ARN; a
// "*" at the end of a part reaches beyond the colon (IAMG reference_policies_elements_resource).
func (p pattern) matchResource(s string) bool {
	return p.inARN().matchClasses([]rune(s))
}

// inARN narrows the wildcards that stand for no colon. The sixth part may have colons in it.
func (p pattern) inARN() pattern {
	narrow, colons := make(pattern, len(p)), 0
	for i, g := range p {
		last := i+1 == len(p) || p[i+1] == glyph{r: ':'}
		switch {
		case g == glyph{r: ':'}:
			colons++
		case colons >= arnParts-1:
		case g.class == many && !last:
			g.class = inside
		case g.class == one:
			g.class = oneInside
		}
		narrow[i] = g
	}
	return narrow
}

// matchClasses is match for patterns with all classes. It keeps the set of places in the pattern that
// are reached, and so takes the product of the lengths in steps.
func (p pattern) matchClasses(s []rune) bool {
	reached := p.skipStars(make([]bool, len(p)+1), 0)
	for _, r := range s {
		next := make([]bool, len(p)+1)
		for at, ok := range reached[:len(p)] {
			if !ok {
				continue
			}
			switch g := p[at]; {
			case g.class == many, g.class == inside && r != ':':
				next = p.skipStars(next, at)
			case g.class == one, g.class == oneInside && r != ':', g.class == literal && g.r == r:
				next = p.skipStars(next, at+1)
			}
		}
		reached = next
	}
	return reached[len(p)]
}

// skipStars adds a place, and those behind "*" there, which may stand for nothing.
func (p pattern) skipStars(reached []bool, at int) []bool {
	for ; at < len(p) && !reached[at] && (p[at].class == many || p[at].class == inside); at++ {
		reached[at] = true
	}
	reached[at] = true
	return reached
}
