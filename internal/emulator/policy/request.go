package policy

import (
	"slices"
	"strings"
)

// Request is what a decision is about: the principal, the action, the resource and the condition keys.
type Request struct {
	Principal Principal
	Action    string // "sts:AssumeRole"; its case does not count
	Resource  string // an ARN, or "*" for actions that have none
	Context   Context
}

// Principal is the caller: a service, or a user or session with an ARN.
type Principal struct {
	Service string // "rolesanywhere.amazonaws.com"; empty for all others
	ARN     string // arn:aws:iam::ACCOUNT:user/NAME, or arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
	Role    string // of a session: the ARN of its role
}

func (p Principal) String() string {
	if p.Service != "" {
		return p.Service
	}
	return p.ARN
}

// account returns the account of a user or session.
func (p Principal) account() string { return accountIn(p.ARN) }

// accountIn returns the account of an ARN.
func accountIn(arn string) string {
	if parts := strings.SplitN(arn, ":", arnParts); len(parts) == arnParts {
		return parts[4]
	}
	return ""
}

// Context has the condition keys of a request, and their values. Their names ignore case, also that
// of a tag in aws:PrincipalTag/NAME (IAMG reference_policies_elements_condition). The zero Context has
// no keys.
type Context struct {
	values map[string][]string
}

// NewContext returns a Context with these keys.
func NewContext(keys map[string][]string) Context {
	var c Context
	for key, values := range keys {
		c.Set(key, values...)
	}
	return c
}

// Set gives a key its values. A key without values is absent (IAMG
// reference_policies_elements_condition_operators, "Null": a key that exists has a value).
func (c *Context) Set(key string, values ...string) {
	if len(values) == 0 {
		return
	}
	if c.values == nil {
		c.values = make(map[string][]string, 32)
	}
	c.values[strings.ToLower(key)] = values
}

// Values returns the values of a key, nil if it is absent. They are not to be changed.
func (c *Context) Values(key string) []string {
	return c.values[strings.ToLower(key)]
}

// All returns the keys, in lower case, with their values. They are not to be changed.
func (c *Context) All() map[string][]string { return c.values }

// without returns a Context without the keys that begin so, in lower case.
func (c *Context) without(prefixes ...string) Context {
	rest := Context{make(map[string][]string, len(c.values))}
	for key, values := range c.values {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			rest.values[key] = values
		}
	}
	return rest
}
