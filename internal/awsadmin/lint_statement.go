package awsadmin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/internal/emulator/policy"
)

// needsIdentity reports whether the condition is not met where there is no source identity.
func (c conditionOf) needsIdentity() bool {
	return c.has("sts:SourceIdentity") && !evaluate(c.Condition, policy.Context{}).Met
}

// checkActionMissing: CreateSession needs each of the three actions, and each is authorized by itself.
func checkActionMissing(s *linted) (texts []string) {
	for _, action := range []string{policy.AssumeRole, policy.TagSession, policy.SetSourceIdentity} {
		request := policy.Request{Principal: policy.Principal{Service: policy.RolesAnywhere}, Action: action}
		if !slices.ContainsFunc(s.Document.Evaluate(&request).Statements, func(r policy.StatementResult) bool {
			return r.Effect == policy.Allow && r.Match != policy.NotNamed && hasAction(r)
		}) {
			texts = append(texts, fmt.Sprintf("no statement allows %s to %s: CreateSession is refused", action, policy.RolesAnywhere))
		}
	}
	return texts
}

// checkTagSession: sts:TagSession has no sts:SourceIdentity, so that each statement about it which wants one
// never applies. It can stand apart, since nobody gets the role without the other actions.
func checkTagSession(s *linted) []string {
	request := policy.Request{Principal: policy.Principal{Service: policy.RolesAnywhere}, Action: policy.TagSession}
	never := 0
	for _, r := range s.Document.Evaluate(&request).Statements {
		if r.Effect != policy.Allow || r.Match == policy.NotNamed || !hasAction(r) {
			continue
		}
		if !slices.ContainsFunc(conditionsOf([]statementOf{{Statement: &s.Document.Statements[r.Index]}}), conditionOf.needsIdentity) {
			return nil
		}
		never++
	}
	if never == 0 {
		return nil // it is missing
	}
	return []string{"sts:TagSession has no sts:SourceIdentity, so that no statement allows it, and CreateSession is refused: allow it in a statement without that condition"}
}

// checkActionWildcard: what AWS adds to STS would be allowed, too.
func checkActionWildcard(s *linted) (texts []string) {
	for _, one := range s.allowing() {
		for _, action := range one.Action.Values {
			if !one.Action.Negated() && strings.ContainsAny(action, "*?") {
				texts = append(texts, fmt.Sprintf("%s allows %s: list sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity", one, action))
			}
		}
	}
	return texts
}

func checkNotAction(s *linted) (texts []string) {
	for _, one := range s.allowing() {
		if one.Action.Negated() {
			texts = append(texts, fmt.Sprintf("%s allows all actions but %s: list sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity", one, strings.Join(one.Action.Values, ", ")))
		}
	}
	return texts
}

// checkPrincipalAny concerns each statement: with "*", all accounts and services can use the role.
func checkPrincipalAny(s *linted) (texts []string) {
	for _, one := range s.each(policy.Allow) {
		if !one.Principal.Negated() && slices.Contains(one.Principal.Values, "*") {
			texts = append(texts, fmt.Sprintf("%s is for the principal *, all accounts and services: name {\"Service\": %q}", one, policy.RolesAnywhere))
		}
	}
	return texts
}

// checkNotPrincipal concerns each statement: with Allow, all others than those named can use the role.
func checkNotPrincipal(s *linted) (texts []string) {
	for _, one := range s.each(policy.Allow) {
		if one.Principal.Negated() {
			texts = append(texts, fmt.Sprintf("%s is for all principals but those of NotPrincipal: name {\"Service\": %q}", one, policy.RolesAnywhere))
		}
	}
	return texts
}

// each returns all statements with an effect, of other principals too.
func (s *linted) each(effect policy.Effect) (all []statementOf) {
	for i := range s.Document.Statements {
		if one := &s.Document.Statements[i]; one.Effect == effect {
			all = append(all, statementOf{Statement: one, index: i})
		}
	}
	return all
}

// tellsHostsApart reports whether some hosts of one CA meet the condition and others do not. That an attribute
// is there, or who issued the certificate, is the same for all; so is what a pattern of wildcards alone matches.
func (c conditionOf) tellsHostsApart() bool {
	if !c.isOfCertificate() || c.compares("Null") || c.has("aws:PrincipalTag/x509Issuer/", "aws:RequestTag/x509Issuer/") {
		return false
	}
	return !c.compares("StringLike") || !slices.ContainsFunc(c.Values, c.isAny)
}

// isAny reports whether a pattern is of wildcards alone.
func (c conditionOf) isAny(pattern string) bool {
	if c.has("sts:SourceIdentity") {
		pattern = strings.TrimPrefix(strings.TrimPrefix(pattern, "CN="), "ID=")
	}
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == ""
}

// checkNoAttribute: each certificate of the CA gets the role.
func checkNoAttribute(s *linted) (texts []string) {
	for _, one := range s.assuming() {
		if !slices.ContainsFunc(conditionsOf([]statementOf{one}), conditionOf.tellsHostsApart) {
			texts = append(texts, fmt.Sprintf("%s has no condition that tells the hosts of a CA apart: each host of the trust anchor gets the role", one))
		}
	}
	return texts
}

// checkLength counts as IAM does.
func checkLength(s *linted) []string {
	n := policy.Trust.Size(s.Text)
	if n <= min(cmp.Or(s.MaxLength, DefaultTrustLength), MaxTrustLength) {
		return nil
	}
	return []string{fmt.Sprintf("the policy has %d characters: IAM takes %d, and up to %d where the quota was raised", n, DefaultTrustLength, MaxTrustLength)}
}

// checkDuration: CreateSession fails for a session that is longer than the role allows.
func checkDuration(s *linted) []string {
	if s.Profile == nil || s.MaxSession == 0 || s.Profile.Duration <= s.MaxSession {
		return nil
	}
	return []string{fmt.Sprintf("sessions of the role last %v at most, and the profile asks for %v: CreateSession is refused", ca.Duration(s.MaxSession), ca.Duration(s.Profile.Duration))}
}
