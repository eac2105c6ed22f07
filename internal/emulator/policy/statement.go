package policy

import "strings"

// statement reads one statement (IAMG reference_policies_grammar).
func (p *parser) statement() (Statement, error) {
	var s Statement
	err := p.object(func(name string) (err error) {
		switch name {
		case "Sid":
			s.Sid, err = p.text()
		case "Effect":
			s.Effect, err = p.effect()
		case "Principal", "NotPrincipal":
			err = p.element(&s.Principal, name, p.principals)
		case "Action", "NotAction":
			err = p.element(&s.Action, name, p.texts)
		case "Resource", "NotResource":
			err = p.element(&s.Resource, name, p.texts)
		case "Condition":
			s.Conditions, err = p.conditions()
		default:
			err = p.syntax("a statement has no element %q", name)
		}
		return err
	})
	s.where = string(p.in.StackPointer())
	if err == nil && s.Effect == "" {
		err = p.syntax("the statement has no Effect")
	}
	return s, err
}

// element reads an element of which a statement has one form only (IAMG reference_policies_elements:
// Action and NotAction, and the other pairs, exclude each other).
func (p *parser) element(e *Element, name string, values func() ([]string, error)) error {
	if e.Present() {
		return p.syntax("a statement has %s or %s, not both", e.Name, name)
	}
	e.Name = name
	var err error
	e.Values, err = values()
	return err
}

// effect reads Allow or Deny. That another case has another text is a field report.
func (p *parser) effect() (Effect, error) {
	s, err := p.text()
	switch {
	case err != nil:
		return "", err
	case s == string(Allow) || s == string(Deny):
		return Effect(s), nil
	case strings.EqualFold(s, string(Allow)) || strings.EqualFold(s, string(Deny)):
		return "", malformed(textLegacy, string(p.in.StackPointer()), "Effect is Allow or Deny, in this case of letters")
	}
	return "", p.syntax("Effect is Allow or Deny")
}

// principals reads "*" or a map of types to names. The values keep the type: "AWS:111122223333". The
// guide calls {"AWS": "*"} equivalent to "*" (IAMG reference_policies_elements_principal, "All principals").
func (p *parser) principals() ([]string, error) {
	if p.in.PeekKind() == '"' {
		s, err := p.text()
		if err == nil && s != "*" {
			err = p.syntax(`a principal is "*", or an object such as {"Service": …}`)
		}
		return []string{s}, err
	}
	var all []string
	err := p.object(func(kind string) error {
		switch kind {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return p.syntax("no kind of principals is called %q", kind)
		}
		names, err := p.texts()
		for _, name := range names {
			if kind == "AWS" && name == "*" {
				all = append(all, "*")
				continue
			}
			all = append(all, kind+":"+name)
		}
		return err
	})
	return all, err
}

// conditions reads a condition block: {operator: {key: value or values}}.
func (p *parser) conditions() ([]Condition, error) {
	var all []Condition
	err := p.object(func(name string) error {
		operator, ok := operatorNamed(name)
		if !ok {
			return p.syntax("no condition operator is called %q", name)
		}
		return p.object(func(key string) error {
			values, err := p.conditionValues()
			all = append(all, newCondition(operator, key, values))
			return err
		})
	})
	return all, err
}

// conditionValues reads strings, numbers and booleans (IAMG reference_policies_grammar, condition_value).
func (p *parser) conditionValues() ([]string, error) {
	values := []string{}
	err := p.oneOrMore(func() error {
		switch p.in.PeekKind() {
		case '"', '0', 't', 'f':
		default:
			return p.unexpected("a string, a number or a boolean")
		}
		token, err := p.in.ReadToken()
		values = append(values, token.String())
		return err
	})
	return values, err
}
