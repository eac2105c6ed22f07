package awsadmin

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kedge/ca"
	"kedge/internal/emulator/policy"
	"kedge/internal/report"
)

// Session is a session that a host asks for, as the trust policy of a role has to allow it.
type Session struct {
	Anchor         string   // ARN of the trust anchor, never that of an alias (G, "Resource aliases")
	Tags           []ca.Tag // by the default attribute mapping
	SourceIdentity string
	Name           string // of the session; by default the serial number in hexadecimal
}

// SessionOf returns the session that a certificate gives by a trust anchor.
func SessionOf(cert *x509.Certificate, anchor string) Session {
	return Session{Anchor: anchor, Tags: ca.SessionTags(cert), SourceIdentity: ca.SourceIdentity(cert), Name: ca.SerialHex(cert)}
}

// Refusal is why a trust policy does not allow some of the actions of CreateSession.
type Refusal struct {
	Actions  []string // "sts:TagSession"
	Why      string   // in one line
	Unmapped []string // tags of the certificate that the policy compares and the profile does not map: "x509Subject/CN"
}

// String returns the refusal in one line: "sts:TagSession: no statement allows it".
func (r Refusal) String() string { return strings.Join(r.Actions, ", ") + ": " + r.Why }

// Decide evaluates a trust policy for a session, as IAM does. It returns why each action is not allowed, those with
// one reason together; none: the session gets the role.
func (l Linter) Decide(t *TrustDocument, s Session) (all []Refusal) {
	for _, action := range l.decide(t.Document, s).Actions {
		if action.Result.Outcome == policy.Allowed {
			continue
		}
		why, unmapped := l.why(action.Result, s)
		i := slices.IndexFunc(all, func(r Refusal) bool { return r.Why == why })
		if i < 0 {
			i, all = len(all), append(all, Refusal{Why: why, Unmapped: unmapped})
		}
		all[i].Actions = append(all[i].Actions, action.Request.Action)
	}
	return all
}

// decide evaluates a trust policy for a session with the tags that the profile maps.
func (l Linter) decide(trust *policy.Document, s Session) policy.TrustDecision {
	session := policy.CertificateSession{
		TrustAnchor: s.Anchor, Account: accountIn(s.Anchor), Tags: l.mapping().tags(s.Tags),
		SourceIdentity: s.SourceIdentity, SessionName: s.Name, Now: l.Now,
	}
	return session.Authorize(trust)
}

func (l Linter) mapping() *Mapping {
	if l.Profile == nil {
		return DefaultMapping()
	}
	return l.Profile
}

// why returns what keeps a policy from allowing an action: the statement that denies it or, of those that would allow
// it, the conditions that are not met of the one with the fewest. Of tags it returns those that are not mapped as well.
func (l Linter) why(r policy.Result, session Session) (text string, unmapped []string) {
	if r.Outcome == policy.ExplicitDeny {
		i := slices.IndexFunc(r.Statements, func(s policy.StatementResult) bool { return s.Applies && s.Effect == policy.Deny })
		return nameOf(r.Statements[i]) + " denies it", nil
	}
	service, nearest := false, (*policy.StatementResult)(nil)
	for i := range r.Statements {
		s := &r.Statements[i]
		if s.Effect != policy.Allow || s.Match == policy.NotNamed {
			continue
		}
		service = true
		if hasAction(*s) && (nearest == nil || unmet(s) < unmet(nearest)) {
			nearest = s
		}
	}
	switch {
	case !service:
		return "no statement is for " + policy.RolesAnywhere, nil
	case nearest == nil:
		return "no statement allows it", nil
	}
	return l.describe(nearest, session)
}

// unmet counts the conditions that are not met.
func unmet(s *policy.StatementResult) (n int) {
	for _, c := range s.Conditions {
		if !c.Met {
			n++
		}
	}
	return n
}

// describe describes the conditions of a statement that are not met: at least one, since it does not apply.
func (l Linter) describe(s *policy.StatementResult, session Session) (text string, unmapped []string) {
	var all []string
	for _, c := range s.Conditions {
		if c.Met {
			continue
		}
		has := "none"
		if len(c.Request) > 0 {
			has = quoted(c.Request, " and ")
		} else if tag, ok := session.tagIn(c.Key); ok && !l.mapping().Maps(tag) {
			has, unmapped = "none, since the profile does not map it", append(unmapped, tag)
		}
		all = append(all, fmt.Sprintf("%s of %s wants %s, and the session has %s", c.Operator, c.Key, quoted(c.Policy, " or "), has))
	}
	return nameOf(*s) + ": " + strings.Join(all, "; "), unmapped
}

// tagIn returns the tag of the certificate that a key is about. The case of keys does not count.
func (s Session) tagIn(key string) (tag string, ok bool) {
	i := slices.IndexFunc(s.Tags, func(t ca.Tag) bool { return strings.EqualFold("aws:PrincipalTag/"+t.Key, key) })
	if i < 0 {
		return "", false
	}
	return s.Tags[i].Key, true
}

// nameOf names a statement as findings do.
func nameOf(s policy.StatementResult) string {
	return statementOf{&policy.Statement{Sid: s.Sid}, s.Index, false}.String()
}

// quoted lists the first few values.
func quoted(values []string, or string) string {
	all := make([]string, 0, len(values))
	for _, v := range values {
		all = append(all, strconv.Quote(v))
	}
	if len(all) > report.MaxNamed {
		return report.FirstOf(all, report.MaxNamed, len(all))
	}
	return strings.Join(all, or)
}
