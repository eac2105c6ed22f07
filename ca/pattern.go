package ca

import (
	"errors"
	"slices"
	"strings"
)

// pattern matches names: * is any run of characters other than . and /, ** any run of characters, ?
// any one character other than . and /, and everything else is literal. A literal * or ? cannot be
// written, since no session tag can contain them.
type pattern struct {
	text   string
	tokens []rune
}

// Tokens that are not literal characters.
const (
	tokenOne   rune = -1 - iota // ?
	tokenLabel                  // *
	tokenAny                    // **
)

func parsePattern(text string) pattern {
	p := pattern{text: text}
	for _, r := range text {
		switch last := len(p.tokens) - 1; {
		case r == '?':
			r = tokenOne
		case r == '*' && last >= 0 && p.tokens[last] == tokenLabel:
			p.tokens[last] = tokenAny
			continue
		case r == '*' && last >= 0 && p.tokens[last] == tokenAny:
			continue
		case r == '*':
			r = tokenLabel
		}
		p.tokens = append(p.tokens, r)
	}
	return p
}

// match reports whether the whole name matches. It takes time proportional to the product of both
// lengths, whatever the pattern.
func (p pattern) match(name string) bool {
	at := make([]bool, len(p.tokens)+1) // at[i]: the name so far matches the first i tokens
	at[0] = true
	p.skipRuns(at)
	for _, r := range name {
		within := r != '.' && r != '/'
		before := at[0] // at[i] as it was before r
		at[0] = false
		for i, token := range p.tokens {
			was := at[i+1]
			switch token {
			case tokenOne:
				at[i+1] = before && within
			case tokenLabel:
				at[i+1] = was && within
			case tokenAny:
				// If at[i+1] is true it stays so: the run takes r as well.
			default:
				at[i+1] = before && token == r
			}
			before = was
		}
		p.skipRuns(at)
	}
	return at[len(p.tokens)]
}

// skipRuns lets each run be empty.
func (p pattern) skipRuns(at []bool) {
	for i, token := range p.tokens {
		if token == tokenLabel || token == tokenAny {
			at[i+1] = at[i+1] || at[i]
		}
	}
}

// example returns a name that matches: with a character for each * and ?, and with fill for each
// **.
func (p pattern) example(fill string) string {
	var b strings.Builder
	for _, token := range p.tokens {
		switch token {
		case tokenOne, tokenLabel:
			b.WriteByte('a')
		case tokenAny:
			b.WriteString(fill)
		default:
			b.WriteRune(token)
		}
	}
	return b.String()
}

// matchAny reports whether one of the patterns matches.
func matchAny(patterns []pattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool { return p.match(name) })
}

// MatchName reports whether a name matches a pattern in the syntax of a profile: * is any run of
// characters other than . and /, ** any run of characters, and ? one character other than . and /.
func MatchName(pattern, name string) bool { return parsePattern(pattern).match(name) }

// possible refuses a pattern that matches no name for which valid is true: it is a mistake.
func (p pattern) possible(valid func(string) bool) error {
	if p.text == "" {
		return errors.New("an empty pattern matches nothing")
	}
	for _, fill := range []string{"a", "", "a.a", "a:a", "a@a.a", "spiffe://a/a"} {
		if valid(p.example(fill)) {
			return nil
		}
	}
	return errors.New("it can match nothing")
}
