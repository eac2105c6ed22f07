package ca

import (
	"crypto/x509"
	"slices"
	"time"
)

// LintForeign lints a CA certificate that another program issued, before it is imported: a root
// without issuers, or an intermediate with those above it. Since it exists already, warnings are no
// errors; they are returned for the operator. A *LintError reports that hosts could not use what
// the CA issues, or that the service refuses the CA.
//
// It checks more than [Lint]: whether the certificate is valid at now, and what it cannot do. That
// a root has expired, or is not valid yet, is a warning, since its own key can renew it after the
// import.
func LintForeign(cert *x509.Certificate, issuers []*x509.Certificate, now time.Time) (warnings []Finding, err error) {
	s := newSubject(cert, issuers)
	s.now, s.foreign = now, true
	var fatal []Finding
	for _, f := range s.lint() {
		if f.Rule == ruleInDate && s.kind == anchor {
			f.Severity = Warning
		}
		if f.Severity == Error {
			fatal = append(fatal, f)
		} else {
			warnings = append(warnings, f)
		}
	}
	return slices.Clip(warnings), Refuse(cert, fatal, nil)
}

// foreignRules are about properties of imported certificates that are no faults, but that the
// operator should know.
func foreignRules() []rule {
	return []rule{
		{"no-authority-below", Warning, foreign, true, "RFC 5280, 4.2.1.9", checkNoneBelow},
	}
}

func checkNoneBelow(s *subject) []string {
	if limit, ok := pathLength(s.Certificate); ok && limit == 0 && s.kind == anchor {
		return broken("has the path length 0, so that there can be no intermediates below it")
	}
	return nil
}
