package ca

import (
	"crypto/x509"
	"slices"
)

// lintServer is Lint for the certificate of an enrollment server, which the service is to refuse.
func lintServer(cert *x509.Certificate, issuers []*x509.Certificate) []Finding {
	s := newSubject(cert, issuers)
	s.kind = server
	return s.lint()
}

// serverRules are about the certificate of an enrollment server.
func serverRules() []rule {
	return []rule{
		{"server-subject", Error, server, false, trustModel, checkServerSubject},
		{"server-names", Error, server, false, "RFC 5280, 4.2.1.6", checkServerNames},
		{"server-ext-key-usage", Error, server, false, "RFC 5280, 4.2.1.12", checkServerUsage},
		{"server-issuer-ext-key-usage", Error, server, false, "openssl-verification-options(1), -purpose; Go, x509.VerifyOptions, KeyUsages", checkServerIssuers},
	}
}

// checkServerSubject: the empty subject is what makes CreateSession refuse the certificate.
func checkServerSubject(s *subject) []string {
	if len(s.RawSubject) > emptyName {
		return broken("has the subject %q; that of a server must be empty, so that it is no identity at AWS", s.Subject)
	}
	return nil
}

func checkServerNames(s *subject) []string {
	switch {
	case len(s.DNSNames)+len(s.IPAddresses) == 0:
		return broken("has neither a DNS name nor an IP address, by which hosts know a server")
	case !s.critical(oidSubjectAltName):
		return broken("has alternative names that are not critical; without a subject they must be")
	}
	return nil
}

func checkServerUsage(s *subject) []string {
	if !slices.Equal(s.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || len(s.UnknownExtKeyUsage) > 0 {
		return broken("must have the extended key usage serverAuth and no other")
	}
	return nil
}

func checkServerIssuers(s *subject) []string {
	for _, issuer := range s.issuers {
		if !allowsServer(issuer) {
			return broken("is below %q, whose extended key usages lack serverAuth, so that it does not serve as a server's", issuer.Subject)
		}
	}
	return nil
}
