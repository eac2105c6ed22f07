package policy

import "strings"

// value is a value of a policy for one request: its variables are replaced.
type value struct {
	text     string  // for operators without wildcards
	pattern  pattern // for those with; nil where the text had no variables: see wildcards
	resolved bool    // false if a variable has no value and no default
}

// wildcards returns the pattern.
func (v value) wildcards() pattern {
	if v.pattern == nil {
		return newPattern(v.text)
	}
	return v.pattern
}

// like compares with a text, wildcards and all.
func (v value) like(s string) bool {
	if v.pattern == nil && !strings.ContainsAny(v.text, "*?") {
		return v.text == s
	}
	return v.wildcards().match([]rune(s))
}

// expander replaces variables.
type expander struct {
	version string
	context *Context
}

// expand replaces the variables of a value (IAMG reference_policies_variables): ${key}, ${key,
// 'default'}, and ${*}, ${?}, ${$} for these characters themselves. Documents of the older version
// have none, and "${" without an end is text (ours).
func (e expander) expand(s string) value {
	if e.version != version2012 || !strings.Contains(s, "${") {
		return value{text: s, resolved: true}
	}
	v := value{resolved: true, pattern: make(pattern, 0, len(s))}
	for {
		before, rest, found := strings.Cut(s, "${")
		variable, after, closed := cutVariable(rest)
		if !found || !closed {
			break
		}
		v.add(before, glyphOf)
		replaced, ok := e.value(variable)
		v.resolved = v.resolved && ok
		v.add(replaced, func(r rune) glyph { return glyph{r: r} })
		s = after
	}
	v.add(s, glyphOf)
	return v
}

// add appends text, each character as a function reads it.
func (v *value) add(s string, read func(rune) glyph) {
	v.text += s
	for _, r := range s {
		v.pattern = append(v.pattern, read(r))
	}
}

// cutVariable cuts what is in the braces from what follows. A brace in a quoted default is text.
func cutVariable(s string) (variable, after string, closed bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == '}' && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// value returns what a variable stands for. A key with several values is no variable (IAMG
// reference_policies_condition-single-vs-multi-valued-context-keys, "Key points").
func (e expander) value(variable string) (string, bool) {
	switch variable {
	case "*", "?", "$":
		return variable, true
	}
	key, fallback, _ := strings.Cut(variable, ", ")
	if values := e.context.Values(key); len(values) == 1 {
		return values[0], true
	}
	fallback, opens := strings.CutPrefix(fallback, "'")
	fallback, closes := strings.CutSuffix(fallback, "'")
	if opens && closes {
		return fallback, true
	}
	return "", false
}

// expandResource is expand for a Resource element: variables stand in the last part of the ARN only
// (IAMG reference_policies_variables, "Resource element"). Before it they are text (ours).
func (e expander) expandResource(s string) value {
	parts := strings.SplitN(s, ":", arnParts)
	if len(parts) < arnParts {
		return value{text: s, resolved: true}
	}
	head := s[:len(s)-len(parts[arnParts-1])]
	v := e.expand(parts[arnParts-1])
	return value{head + v.text, append(newPattern(head), v.wildcards()...), v.resolved}
}
