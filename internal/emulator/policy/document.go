package policy

import "strings"

// The versions of the policy language (IAMG reference_policies_elements_version).
const (
	version2008 = "2008-10-17" // also that of a document without Version; it has no variables
	version2012 = "2012-10-17"
)

// Document is a policy document. [Parse] makes it.
type Document struct {
	Version    string // "2008-10-17" where the document has none
	ID         string
	Statements []Statement
}

// Effect is what a statement does to the requests that it applies to.
type Effect string

// The effects. Their case counts (IAMG reference_policies_elements_effect).
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one statement of a document.
type Statement struct {
	Sid        string
	Effect     Effect
	Principal  Element // Principal or NotPrincipal; absent except in trust policies
	Action     Element // Action or NotAction
	Resource   Element // Resource or NotResource; absent in trust policies
	Conditions []Condition

	where string // a JSON pointer to it
}

// Element is an element that a statement has in one of two forms, such as Action and NotAction.
type Element struct {
	Name   string   // "NotAction"; empty if the statement has neither
	Values []string // of principals with their type: "Service:rolesanywhere.amazonaws.com", or "*"
}

// Present reports whether the statement has the element.
func (e Element) Present() bool { return e.Name != "" }

// Negated reports whether the element names the exceptions.
func (e Element) Negated() bool { return strings.HasPrefix(e.Name, "Not") }

// Condition is one key of a condition block, with its operator: all of a statement's must be met
// (IAMG reference_policies_condition-logic-multiple-context-keys-or-values).
type Condition struct {
	Operator Operator
	Key      string   // as the document spells it; its case does not count
	Values   []string // numbers and booleans in the form that the document has

	lower string // the key, as a Context has it
}

func newCondition(o Operator, key string, values []string) Condition {
	return Condition{o, key, values, strings.ToLower(key)}
}
