package ca

import (
	"crypto/x509"
	"slices"
	"time"
)

// LintForeign lints a CA certificate that another program made, before it is taken in: a root
// without issuers, or an intermediate with those above it. It is there already, so warnings
// stop nothing; they are returned for the operator to see, wherever the certificate comes in.
// A *LintError says that hosts could not use what the CA issues, or that the service refuses
// it.
//
// There is more to know of it than [Lint] finds: whether it is in date, and what it will not
// be able to do. That a root has ended, or is not valid yet, is a warning, since it can be
// renewed by its own key once it is taken in.
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

// foreignRules are about what another program made: no fault in itself, and no surprise later.
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
