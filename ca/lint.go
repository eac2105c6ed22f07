package ca

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Severity says what a finding means for the certificate.
type Severity int

// The severities.
const (
	Warning Severity = iota + 1 // works today or in some cases; can be allowed by name
	Error                       // CreateTrustAnchor or CreateSession refuses the certificate, or its path is not valid
)

// String returns "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("severity %d", int(s))
}

// Finding is a rule that a certificate breaks.
type Finding struct {
	Rule     string // kebab-case name, by which a warning is allowed: "ext-key-usage"
	Severity Severity
	Text     string // the rule, with the value that breaks it
	Source   string // where the rule stands
}

// LintError reports that a certificate is not issued or not taken, and why.
type LintError struct {
	Subject  string    // of the certificate, RFC 2253
	Findings []Finding // at least one, errors first
}

// Error states the first finding and the number of the others.
func (e *LintError) Error() string {
	if len(e.Findings) == 0 {
		return fmt.Sprintf("the certificate %q breaks a rule", e.Subject)
	}
	first := e.Findings[0]
	text := fmt.Sprintf("the certificate %q breaks the rule %s: %s", e.Subject, first.Rule, first.Text)
	if n := len(e.Findings) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// Lint holds a certificate against what IAM Roles Anywhere accepts and what RFC 5280 asks
// of it, and returns what it breaks, in the order of the rules. issuers are the certificates
// above it, from its own issuer to the root; without them, nothing that concerns a path is
// looked at. An issuer itself is not linted.
//
// By what the certificate is, it is held against the rules for an anchor (its own issuer,
// and none given), an intermediate (another CA) or a leaf.
// Signatures are not verified, so that the preview of a certificate can be linted. Lint has
// no state and is safe for concurrent use.
func Lint(cert *x509.Certificate, issuers []*x509.Certificate) []Finding {
	return newSubject(cert, issuers).lint()
}

// LintAt is [Lint] for a certificate that is used now: it and those above it must be in date.
func LintAt(cert *x509.Certificate, issuers []*x509.Certificate, now time.Time) []Finding {
	s := newSubject(cert, issuers)
	s.now = now
	return s.lint()
}

func (s *subject) lint() []Finding {
	kinds := s.kind
	if s.foreign {
		kinds |= foreign
	}
	var findings []Finding
	for r := range rules() {
		if r.kinds&kinds == 0 || r.extensions && s.Version != 3 {
			continue
		}
		for _, text := range r.check(s) {
			findings = append(findings, Finding{Rule: r.name, Severity: r.severity, Text: text, Source: r.source})
		}
	}
	return findings
}

// Refuse returns a *LintError when findings hold an error, or a warning that allowed does
// not name; otherwise nil. Whether a warning is to stop anything is for the caller to say,
// by the findings that it gives.
func Refuse(cert *x509.Certificate, findings []Finding, allowed []string) error {
	stops := slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		return f.Severity == Warning && slices.Contains(allowed, f.Rule)
	})
	if len(stops) == 0 {
		return nil
	}
	slices.SortStableFunc(stops, func(a, b Finding) int { return int(b.Severity - a.Severity) })
	return &LintError{Subject: cert.Subject.String(), Findings: stops}
}

// CheckAllowed holds a list of rules to be allowed against the rules there are: each name
// must be one of a warning. It is for configurations, which are checked before use.
func CheckAllowed(names []string) error {
	if len(names) == 0 {
		return nil
	}
	table := slices.Collect(rules())
	for _, name := range names {
		i := slices.IndexFunc(table, func(r rule) bool { return r.name == name })
		if i < 0 {
			return fmt.Errorf("there is no lint rule %q", name)
		}
		if table[i].severity == Error {
			return fmt.Errorf("the lint rule %q is an error; only warnings can be allowed", name)
		}
	}
	return nil
}

// Allowable returns the names of the lint rules that can be allowed: those of warnings.
func Allowable() []string {
	var names []string
	for r := range rules() {
		if r.severity == Warning {
			names = append(names, r.name)
		}
	}
	return names
}

// kind is what a certificate is meant as; rules name several by a sum.
type kind int

const (
	anchor kind = 1 << iota
	intermediate
	leaf
	foreign // besides: another program made it, and it is about to be taken in

	authority = anchor | intermediate
	all       = authority | leaf
)

// subject is a certificate under examination.
type subject struct {
	*x509.Certificate
	issuers []*x509.Certificate
	kind    kind
	foreign bool
	now     time.Time // zero: what is in date is not looked at
	tags    []Tag     // that it brings about
	names   altNames
}

func newSubject(cert *x509.Certificate, issuers []*x509.Certificate) *subject {
	s := &subject{Certificate: cert, issuers: issuers, kind: leaf}
	switch {
	case isSelfIssued(cert) && len(issuers) == 0:
		s.kind = anchor
	case cert.IsCA:
		s.kind = intermediate
	}
	s.tags, s.names = tagsOf(cert, s.kind), alternativeNames(cert)
	return s
}

// isSelfIssued: RFC 5280, 3.2. A root is, and so is a certificate that a CA gives to its own
// new key.
func isSelfIssued(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, cert.RawIssuer) }

// rule is one line of what a certificate must be.
type rule struct {
	name       string
	severity   Severity
	kinds      kind
	extensions bool   // looks at extensions, which only version 3 has: one finding, version, is enough
	source     string // where it stands
	check      func(*subject) []string
}

// Where the rules stand.
const (
	trustModel       = "IAM Roles Anywhere User Guide, \"Trust model\""
	attributeMapping = "IAM Roles Anywhere User Guide, \"Certificate attribute mapping\""
	signingProcess   = "IAM Roles Anywhere User Guide, \"Signing process\""
	stsTags          = "AWS STS API Reference, Tag"
)

// rules is the table. Its order is the order of findings.
func rules() iter.Seq[rule] {
	return func(yield func(rule) bool) {
		for _, group := range [...]func() []rule{formRules, keyRules, usageRules, nameRules, tagRules, sizeRules, pathRules, foreignRules} {
			for _, r := range group() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// broken is a finding's text, alone.
func broken(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
