package awsadmin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kedge/ca"
	"kedge/internal/emulator/policy"
)

// Linter checks trust policies of roles for hosts.
type Linter struct {
	Anchors []string  // ARNs of the trust anchors of the CA; none: not known
	Profile *Mapping  // of the profile at Roles Anywhere by which hosts get the role; nil: not known
	Now     time.Time // for policies that compare times
	// MaxLength is the most characters of a trust policy that the account takes; 0: DefaultTrustLength.
	MaxLength int
}

// Lint returns the rules that a trust policy breaks, in the order of the rules. Statements that are for others
// than IAM Roles Anywhere are checked for being open to everybody only.
//
// An error is a policy by which strangers can get the role, by which hosts that it names do not, or which allows
// more than hosts need. A warning is a policy that works as it is, and not as most people would read it.
func (l Linter) Lint(t *TrustDocument) (all []ca.Finding) {
	s := newLinted(l, t)
	for _, r := range trustRules() {
		for _, text := range r.check(s) {
			all = append(all, ca.Finding{Rule: r.name, Severity: r.severity, Text: text, Source: r.source})
		}
	}
	return all
}

// trustRule is a rule about trust policies.
type trustRule struct {
	name     string
	severity ca.Severity
	source   string // the document that has it
	check    func(*linted) []string
}

// The documents that have the rules.
const (
	trustModel       = "IAM Roles Anywhere User Guide, \"Trust model\""
	attributeMapping = "IAM Roles Anywhere User Guide, \"Certificate attribute mapping\""
	aliases          = "IAM Roles Anywhere User Guide, \"Resource aliases\""
	operators        = "IAM User Guide, \"Condition operators\""
	globalKeys       = "IAM User Guide, \"AWS global condition context keys\""
	principals       = "IAM User Guide, \"Principal\""
	notPrincipal     = "IAM User Guide, \"NotPrincipal\""
	notAction        = "IAM User Guide, \"NotAction\""
	stsActions       = "Service Authorization Reference, AWS STS"
	stsTags          = "AWS STS API Reference, Tag"
	quotas           = "IAM User Guide, \"IAM and STS quotas\""
	createSession    = "IAM Roles Anywhere User Guide, \"CreateSession\""
	evaluation       = "IAM User Guide, \"Policy evaluation logic\""
)

// trustRules returns all rules, in the order of findings.
func trustRules() []trustRule {
	return []trustRule{
		{"source-missing", ca.Error, trustModel, checkSourceMissing},
		{"source-open", ca.Error, trustModel, checkSourceOpen},
		{"source-foreign", ca.Error, trustModel, checkSourceForeign},
		{"source-alias", ca.Error, aliases, checkSourceAlias},
		{"action-missing", ca.Error, trustModel, checkActionMissing},
		{"tag-session", ca.Error, stsActions, checkTagSession},
		{"action-wildcard", ca.Error, stsActions, checkActionWildcard},
		{"not-action", ca.Error, notAction, checkNotAction},
		{"principal-any", ca.Error, principals, checkPrincipalAny},
		{"not-principal", ca.Error, notPrincipal, checkNotPrincipal},
		{"met-by-absence", ca.Error, operators, checkMetByAbsence},
		{"tag-unmapped", ca.Error, attributeMapping, checkUnmapped},
		{"tag-unknown", ca.Error, attributeMapping, checkUnknownTag},
		{"equals-wildcard", ca.Error, operators, checkEqualsWildcard},
		{"value-characters", ca.Error, stsTags, checkValueCharacters},
		{"source-account", ca.Warning, trustModel, checkSourceAccount},
		{"no-attribute", ca.Warning, trustModel, checkNoAttribute},
		{"leading-wildcard", ca.Warning, operators, checkLeadingWildcard},
		{"request-tag", ca.Warning, stsActions, checkRequestTag},
		{"source-ip", ca.Warning, globalKeys, checkSourceIP},
		{"source-identity-prefix", ca.Warning, trustModel, checkIdentityPrefix},
		{"policy-length", ca.Warning, quotas, checkLength},
		{"session-duration", ca.Warning, createSession, checkDuration},
	}
}

// linted is a trust policy that is checked.
type linted struct {
	Linter
	*TrustDocument
	statements []statementOf // those for IAM Roles Anywhere
}

// statementOf is a statement with its place.
type statementOf struct {
	*policy.Statement
	index  int  // from 0
	assume bool // it is about sts:AssumeRole
}

func newLinted(l Linter, t *TrustDocument) *linted {
	s := &linted{Linter: l, TrustDocument: t}
	request := policy.Request{Principal: policy.Principal{Service: policy.RolesAnywhere}, Action: policy.AssumeRole}
	for _, r := range t.Document.Evaluate(&request).Statements {
		if r.Match != policy.NotNamed {
			s.statements = append(s.statements, statementOf{&t.Document.Statements[r.Index], r.Index, hasAction(r)})
		}
	}
	return s
}

// hasAction reports whether a statement is about the action of the request.
func hasAction(r policy.StatementResult) bool {
	return slices.ContainsFunc(r.Elements, func(e policy.ElementResult) bool { return strings.HasSuffix(e.Element, "Action") && e.Matched })
}

// String names the statement in findings.
func (s statementOf) String() string {
	if s.Sid != "" {
		return fmt.Sprintf("statement %d (%s)", s.index+1, s.Sid)
	}
	return fmt.Sprintf("statement %d", s.index+1)
}

// allowing returns the statements that allow something to IAM Roles Anywhere.
func (s *linted) allowing() (all []statementOf) {
	for _, one := range s.statements {
		if one.Effect == policy.Allow {
			all = append(all, one)
		}
	}
	return all
}

// conditionOf is a condition with its statement.
type conditionOf struct {
	policy.Condition
	statement statementOf
}

// conditionsOf returns the conditions of statements.
func conditionsOf(statements []statementOf) (all []conditionOf) {
	for _, one := range statements {
		for _, c := range one.Conditions {
			all = append(all, conditionOf{c, one})
		}
	}
	return all
}

func (c conditionOf) String() string {
	return fmt.Sprintf("%s: %s of %s", c.statement, c.Operator.Name, c.Key)
}

// has reports whether the key is one of these, or begins with one that ends in a slash. The case of keys does
// not count.
func (c conditionOf) has(keys ...string) bool {
	key := strings.ToLower(c.Key)
	return slices.ContainsFunc(keys, func(k string) bool {
		k = strings.ToLower(k)
		return key == k || strings.HasSuffix(k, "/") && strings.HasPrefix(key, k)
	})
}

// isOfCertificate reports whether the key's values come from a certificate.
func (c conditionOf) isOfCertificate() bool {
	return c.has("aws:PrincipalTag/", "aws:RequestTag/", "aws:OriginIdentity/", "sts:SourceIdentity")
}

// compares reports whether the operator is one of these, whatever its qualifiers are.
func (c conditionOf) compares(operators ...string) bool {
	name := c.Operator.Name
	if _, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
	}
	return slices.Contains(operators, strings.TrimSuffix(name, "IfExists"))
}

// met reports whether the condition is met with one of its values alone, in a context.
func (c conditionOf) met(value string, context policy.Context) bool {
	one := c.Condition
	one.Values = []string{value}
	return evaluate(one, context).Met
}

// evaluate compares one condition.
func evaluate(c policy.Condition, context policy.Context) policy.ConditionResult {
	d := policy.Document{Version: "2012-10-17", Statements: []policy.Statement{{Effect: policy.Allow, Conditions: []policy.Condition{c}}}}
	return d.Evaluate(&policy.Request{Context: context}).Statements[0].Conditions[0]
}
