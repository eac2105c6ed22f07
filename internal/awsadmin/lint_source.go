package awsadmin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kedge/internal/emulator/policy"
)

const (
	sourceARN     = "aws:SourceArn"
	sourceAccount = "aws:SourceAccount"
)

// ofSource returns the conditions of a statement on the trust anchor.
func (s *linted) ofSource(one statementOf) (all []conditionOf) {
	for _, c := range conditionsOf([]statementOf{one}) {
		if c.has(sourceARN, sourceAccount) {
			all = append(all, c)
		}
	}
	return all
}

// assuming returns the statements that allow sts:AssumeRole: without that action, nobody gets the role by
// the others.
func (s *linted) assuming() []statementOf {
	return slices.DeleteFunc(s.allowing(), func(one statementOf) bool { return !one.assume })
}

// checkSourceMissing: the confused deputy. Each account can have the service assume a role that names it.
func checkSourceMissing(s *linted) (texts []string) {
	for _, one := range s.assuming() {
		if len(s.ofSource(one)) == 0 {
			texts = append(texts, fmt.Sprintf("%s names no trust anchor: whoever registers a CA in any account gets the role; add ArnEquals aws:SourceArn", one))
		}
	}
	return texts
}

// checkSourceOpen: a condition on the trust anchor that those of a stranger meet, too.
func checkSourceOpen(s *linted) (texts []string) {
	for _, one := range s.assuming() {
		if conditions := s.ofSource(one); s.isOpen(conditions) {
			texts = append(texts, fmt.Sprintf("%s takes the trust anchors of other accounts, too: %s", one, describe(conditions)))
		}
	}
	return texts
}

// isOpen reports whether trust anchors of accounts that nobody means meet conditions.
func (s *linted) isOpen(conditions []conditionOf) bool {
	return len(conditions) > 0 && slices.ContainsFunc(s.strangers(conditions), func(c policy.Context) bool { return allMet(conditions, c) })
}

// strangers returns contexts of sessions by trust anchors of accounts that nobody means: in each partition, in
// the regions of the CA's trust anchors, and as near to the values of the conditions as their wildcards allow.
func (s *linted) strangers(conditions []conditionOf) (all []policy.Context) {
	near := []string{strangerAt("aws", "us-east-1"), strangerAt("aws-cn", "cn-north-1"), strangerAt("aws-us-gov", "us-gov-west-1")}
	near = append(near, s.Anchors...)
	var accounts []string
	for _, c := range conditions {
		for _, value := range c.Values {
			switch {
			case c.has(sourceARN):
				near = append(near, value)
			case hasWildcard(value):
				accounts = append(accounts, expand(value))
			}
		}
	}
	for _, value := range near {
		for _, strange := range s.strangeAccounts(conditions) {
			arn := nearest(value, strange)
			all = append(all, contextOf(arn))
			for _, account := range accounts {
				all = append(all, policy.NewContext(map[string][]string{sourceARN: {arn}, sourceAccount: {account}}))
			}
		}
	}
	return all
}

// strangeAccounts returns accounts with each first digit that neither the CA nor a condition has: a condition
// can exclude some accounts.
func (s *linted) strangeAccounts(conditions []conditionOf) (all []string) {
	named := accountsOf(conditions)
	for _, anchor := range s.Anchors {
		named = append(named, accountIn(anchor))
	}
	for digit := range 10 {
		if account := strings.Repeat(strconv.Itoa(digit), len(strangeAccount)); !slices.Contains(named, account) {
			all = append(all, account)
		}
	}
	return all
}

// accountsOf returns the accounts that conditions name, without wildcards.
func accountsOf(conditions []conditionOf) (all []string) {
	for _, c := range conditions {
		for _, value := range c.Values {
			if c.has(sourceARN) {
				value = accountIn(value)
			}
			if value != "" && !hasWildcard(value) {
				all = append(all, value)
			}
		}
	}
	return all
}

const (
	strangeAccount = "000000000000"
	strangeAnchor  = "trust-anchor/00000000-0000-4000-8000-000000000000"
)

func strangerAt(partition, region string) string {
	return "arn:" + partition + ":rolesanywhere:" + region + ":" + strangeAccount + ":" + strangeAnchor
}

// nearest returns the ARN of another trust anchor that is as a value: where that fixes the account or the
// trust anchor, it is another one.
func nearest(value, account string) string {
	parts := strings.SplitN(value, ":", 6)
	standard := strings.SplitN(strangerAt("aws", "us-east-1"), ":", 6)
	standard[4] = account
	for i := range standard {
		switch {
		case i >= len(parts) || parts[i] == "*":
		case hasWildcard(parts[i]):
			standard[i] = expand(parts[i])
		case i < 4:
			standard[i] = parts[i]
		}
	}
	return strings.Join(standard, ":")
}

// checkSourceAccount: the trust anchors of other CAs in the account meet the condition, too. Names mean
// nothing there. Unless they are known, the accounts of this CA are those that the condition names.
func checkSourceAccount(s *linted) (texts []string) {
	for _, one := range s.assuming() {
		conditions := s.ofSource(one)
		if len(conditions) == 0 || s.isOpen(conditions) {
			continue
		}
		if slices.ContainsFunc(s.neighbours(conditions), func(c policy.Context) bool { return allMet(conditions, c) }) {
			texts = append(texts, fmt.Sprintf("%s takes each trust anchor of the account: a host of the same name of any other CA there gets the role; add ArnEquals aws:SourceArn %s", one, s.ownAnchor()))
		}
	}
	return texts
}

// ownAnchor names the trust anchors of the CA in advice.
func (s *linted) ownAnchor() string {
	if len(s.Anchors) == 0 {
		return "with the ARN of the CA's trust anchor"
	}
	return strings.Join(s.Anchors, ", ")
}

// neighbours returns contexts of sessions by other trust anchors of the CA's accounts, as near to the values of
// the conditions as their wildcards allow.
func (s *linted) neighbours(conditions []conditionOf) (all []policy.Context) {
	near := append([]string{strangerAt("aws", "us-east-1")}, s.Anchors...)
	var accounts []string
	for _, anchor := range s.Anchors {
		accounts = append(accounts, accountIn(anchor))
	}
	if len(accounts) == 0 {
		accounts = accountsOf(conditions)
	}
	for _, c := range conditions {
		if c.has(sourceARN) {
			near = append(near, c.Values...)
		}
	}
	for _, value := range near {
		for _, account := range accounts {
			if arn := nearest(value, account); !slices.Contains(s.Anchors, arn) {
				all = append(all, contextOf(arn))
			}
		}
	}
	return all
}

func hasWildcard(text string) bool { return strings.ContainsAny(text, "*?") }

// expand replaces wildcards by what they stand for.
func expand(text string) string { return strings.NewReplacer("*", "0", "?", "0").Replace(text) }

// contextOf returns the condition keys that a trust anchor gives.
func contextOf(anchor string) policy.Context {
	return policy.NewContext(map[string][]string{sourceARN: {anchor}, sourceAccount: {accountIn(anchor)}})
}

// accountIn returns the account of an ARN.
func accountIn(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

func allMet(conditions []conditionOf, context policy.Context) bool {
	return !slices.ContainsFunc(conditions, func(c conditionOf) bool { return !evaluate(c.Condition, context).Met })
}

// describe writes conditions in one line.
func describe(conditions []conditionOf) string {
	texts := make([]string, len(conditions))
	for i, c := range conditions {
		texts[i] = c.Operator.Name + " " + c.Key + " " + strings.Join(c.Values, ", ")
	}
	return strings.Join(texts, "; ")
}

// checkSourceForeign: a trust anchor that is none of this CA's. Names mean nothing there. Unless the CA's
// own are known, nothing is reported.
func checkSourceForeign(s *linted) (texts []string) {
	for _, one := range s.assuming() {
		for _, c := range s.ofSource(one) {
			for _, value := range c.Values {
				if !s.isOwn(c, value) && !isAlias(value) {
					texts = append(texts, fmt.Sprintf("%s: %s is none of this CA, whose trust anchor is %s", c, value, strings.Join(s.Anchors, ", ")))
				}
			}
		}
	}
	return texts
}

// isOwn reports whether a value stands for one of the CA's trust anchors, by the condition that has it.
func (s *linted) isOwn(c conditionOf, value string) bool {
	return len(s.Anchors) == 0 || slices.ContainsFunc(s.Anchors, func(anchor string) bool { return c.met(value, contextOf(anchor)) })
}

func isAlias(value string) bool { return strings.Contains(value, ":alias/") }

// checkSourceAlias: the key has the ARN of the trust anchor itself, so that the condition is never met.
func checkSourceAlias(s *linted) (texts []string) {
	for _, c := range conditionsOf(s.statements) {
		for _, value := range c.Values {
			if c.has(sourceARN) && isAlias(value) {
				texts = append(texts, fmt.Sprintf("%s: %s is an alias, and never matches: take the ARN of the trust anchor", c, value))
			}
		}
	}
	return texts
}
