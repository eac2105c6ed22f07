package ca

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"iter"
	"slices"
	"time"
)

// Severity is what a finding means for the certificate.
type Severity int

// The severities.
const (
	Warning Severity = iota + 1 // the certificate works today, or in some cases; can be allowed by name
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
	Rule     string // kebab-case name, by which a warning can be allowed: "ext-key-usage"
	Severity Severity
	Text     string // the rule, with the value that breaks it
	Source   string // the document that has the rule
}

// LintError reports why a certificate is not issued or not accepted.
type LintError struct {
	Subject  string    // of the certificate, RFC 2253; its alternative names if that is empty
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

// Lint checks a certificate against what IAM Roles Anywhere accepts and RFC 5280 requires, and
// returns the broken rules, in the order of the rules. issuers are the certificates above it, from
// its own issuer to the root; without them, nothing that concerns a path is checked. The issuers
// are not linted.
//
// The rules depend on the certificate: those for an anchor (self-issued, without issuers), an
// intermediate (another CA) or a leaf. Signatures are not verified, so that the preview of a
// certificate can be linted. Lint has no state and is safe for concurrent use.
func Lint(cert *x509.Certificate, issuers []*x509.Certificate) []Finding {
	return newSubject(cert, issuers).lint()
}

// LintAt is [Lint] for a certificate in use: it and those above it must be valid at now.
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
		findings = append(findings, r.findings(s)...)
	}
	return findings
}

func (r rule) findings(s *subject) (all []Finding) {
	for _, text := range r.check(s) {
		all = append(all, Finding{Rule: r.name, Severity: r.severity, Text: text, Source: r.source})
	}
	return all
}

// Refuse returns a *LintError if findings contain an error, or a warning that is not in allowed;
// otherwise nil. A caller for which warnings are no errors leaves them out of findings.
func Refuse(cert *x509.Certificate, findings []Finding, allowed []string) error {
	stops := slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		return f.Severity == Warning && slices.Contains(allowed, f.Rule)
	})
	if len(stops) == 0 {
		return nil
	}
	slices.SortStableFunc(stops, func(a, b Finding) int { return int(b.Severity - a.Severity) })
	return &LintError{Subject: namesOf(cert), Findings: stops}
}

// CheckAllowed checks that each name is one of a lint rule for a warning. It is for configurations,
// which are checked before use.
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

// kind is the kind of a certificate; rules combine several by adding them.
type kind int

const (
	anchor kind = 1 << iota
	intermediate
	leaf
	foreign // in addition: another program issued it, and it is being imported
	server  // an enrollment server's, by PrepareServer; Lint takes it for a leaf

	authority = anchor | intermediate
	all       = authority | leaf
)

// subject is a certificate being linted.
type subject struct {
	*x509.Certificate
	issuers []*x509.Certificate
	kind    kind
	foreign bool
	now     time.Time // zero: validity is not checked
	tags    []Tag     // of sessions with it
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

// rule is a lint rule.
type rule struct {
	name       string
	severity   Severity
	kinds      kind
	extensions bool   // needs extensions, which only version 3 has; without them only the rule version applies
	source     string // the document that has it
	check      func(*subject) []string
}

// The documents that have the rules.
const (
	trustModel       = "IAM Roles Anywhere User Guide, \"Trust model\""
	attributeMapping = "IAM Roles Anywhere User Guide, \"Certificate attribute mapping\""
	signingProcess   = "IAM Roles Anywhere User Guide, \"Signing process\""
	stsTags          = "AWS STS API Reference, Tag"
)

// rules yields all rules, in the order of findings.
func rules() iter.Seq[rule] {
	return func(yield func(rule) bool) {
		for _, group := range [...]func() []rule{formRules, keyRules, usageRules, nameRules, tagRules, sizeRules, pathRules, foreignRules, serverRules} {
			for _, r := range group() {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// broken returns a single finding's text.
func broken(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
