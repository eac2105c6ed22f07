package ca

import (
	"bytes"
	"crypto/x509"
	"fmt"
)

// pathRules are about a certificate and its issuers.
func pathRules() []rule {
	return []rule{
		{"issuer", Error, intermediate | leaf | server, false, "RFC 5280, 6.1.3", checkIssuer},
		{"path-length", Error, intermediate | leaf | server, false, "RFC 5280, 4.2.1.9", checkPathLength},
		{"name-constraints", Error, intermediate | leaf | server, true, "RFC 5280, 4.2.1.10", checkNamesPermitted},
		{"name-constraints-directory", Warning, authority, true, "Go, crypto/x509, Certificate.UnhandledCriticalExtensions", checkDirectoryConstraints},
		{"subject-key-id", Warning, authority, true, "RFC 5280, 4.2.1.2", checkSubjectKeyID},
		{"authority-key-id", Warning, intermediate | leaf | server, true, "RFC 5280, 4.2.1.1", checkAuthorityKeyID},
		{"outlives-issuer", Warning, intermediate | leaf | server, false, "RFC 5280, 6.1.3", checkOutlives},
		{ruleInDate, Error, all, false, "RFC 5280, 6.1.3", checkInDate},
	}
}

func checkIssuer(s *subject) []string {
	below := s.Certificate
	for _, issuer := range s.issuers {
		if !bytes.Equal(below.RawIssuer, issuer.RawSubject) {
			return broken("needs a path in order: %q is issued by %q, but the next certificate is %q", below.Subject, below.Issuer, issuer.Subject)
		}
		if !issuer.IsCA || issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
			return broken("is below %q, which is not a CA that may sign certificates", issuer.Subject)
		}
		below = issuer
	}
	return nil
}

// checkPathLength counts as RFC 5280, 4.2.1.9 does: the intermediates in between, without
// self-issued ones and without the last certificate of the path.
func checkPathLength(s *subject) []string {
	below := 0
	if s.kind == intermediate {
		below = 1
	}
	for _, issuer := range s.issuers {
		if limit := issuer.MaxPathLen; issuer.BasicConstraintsValid && (limit > 0 || limit == 0 && issuer.MaxPathLenZero) && below > limit {
			return broken("has %d CA certificates between a leaf and %q, whose path length allows %d", below, issuer.Subject, limit)
		}
		if !isSelfIssued(issuer) {
			below++
		}
	}
	return nil
}

// checkNamesPermitted: constraints apply to the directory names of a CA too, unless it is
// self-issued (RFC 5280, 6.1.3, b and c). Its other names are not checked: no host uses them.
func checkNamesPermitted(s *subject) []string {
	var err error
	if s.kind != intermediate {
		err = checkConstraints(s.issuers, constrained(s.Certificate))
	}
	if err == nil && (s.kind != intermediate || !isSelfIssued(s.Certificate)) {
		err = checkDirectories(s.issuers, directoriesOf(s.Certificate))
	}
	if err != nil {
		return broken("has a name that a CA above it does not allow: %v", err)
	}
	return nil
}

// checkDirectoryConstraints: this package and openssl apply them; whether the service does is not
// documented.
func checkDirectoryConstraints(s *subject) []string {
	n, err := constraintsOf(s.Certificate)
	if err == nil && !n.directories.empty() && n.directories.critical {
		return broken("has critical name constraints on directory names, which programs in Go do not know and refuse")
	}
	return nil
}

func checkSubjectKeyID(s *subject) []string {
	if len(s.SubjectKeyId) == 0 {
		return broken("lacks the subject key identifier, by which a CRL names its CA")
	}
	return nil
}

func checkAuthorityKeyID(s *subject) []string {
	if len(s.AuthorityKeyId) == 0 {
		return broken("lacks the authority key identifier, by which its issuer is found")
	}
	if len(s.issuers) == 0 || len(s.issuers[0].SubjectKeyId) == 0 {
		return nil
	}
	if want := s.issuers[0].SubjectKeyId; !bytes.Equal(s.AuthorityKeyId, want) {
		return broken("has the authority key identifier %x; that of its issuer is %x", s.AuthorityKeyId, want)
	}
	return nil
}

// checkOutlives compares with the earliest notAfter of the whole path. A certificate that begins
// before its issuer is no fault: a root that was renewed with its own key has older leaves.
func checkOutlives(s *subject) []string {
	for i, issuer := range s.issuers {
		if !s.NotAfter.After(issuer.NotAfter) {
			continue
		}
		what := "its issuer"
		if i > 0 {
			what = "the CA above it,"
		}
		return broken("ends at %s, after %s %q, which ends at %s", rfc3339(s.NotAfter), what, issuer.Subject, rfc3339(issuer.NotAfter))
	}
	return nil
}

const ruleInDate = "in-date"

// checkInDate reports each certificate of the path that is not valid at now, the subject first.
func checkInDate(s *subject) []string {
	if s.now.IsZero() || s.NotAfter.Before(s.NotBefore) { // another finding reports the latter
		return nil
	}
	var texts []string
	for i, c := range append([]*x509.Certificate{s.Certificate}, s.issuers...) {
		text := ""
		switch {
		case s.now.After(c.NotAfter):
			text = "ended at " + rfc3339(c.NotAfter)
		case s.now.Before(c.NotBefore):
			text = "is not valid before " + rfc3339(c.NotBefore)
		default:
			continue
		}
		if i > 0 {
			text = fmt.Sprintf("is below %q, which %s", c.Subject, text)
		}
		texts = append(texts, text)
	}
	return texts
}
