package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// usageRules are about what the certificate may be used for.
func usageRules() []rule {
	return []rule{
		{"ca-flag", Error, authority, true, trustModel, checkCAFlag},
		{"ca-flag-critical", Warning, authority, true, "RFC 5280, 4.2.1.9", checkCAFlagCritical},
		{"key-usage-digital-signature", Error, leaf, true, trustModel, checkDigitalSignature},
		{"key-usage-cert-sign", Error, authority, true, trustModel, checkCertSign},
		{"key-usage-cert-sign-leaf", Error, leaf, true, "RFC 5280, 4.2.1.9", checkNoCertSign},
		{"key-usage-crl-sign", Warning, authority, true, "RFC 5280, 4.2.1.3", checkCRLSign},
		{"key-usage-critical", Warning, all, true, "RFC 5280, 4.2.1.3", checkKeyUsageCritical},
		{"ext-key-usage", Warning, leaf, true, "RFC 5280, 4.2.1.12", checkExtKeyUsage},
		{ruleCAExtKeyUsage, Error, authority, true, "openssl-verification-options(1), -purpose; Go, x509.VerifyOptions, KeyUsages", checkCAExtKeyUsage},
		{ruleIssuerExtKeyUsage, Error, intermediate | leaf, false, "openssl-verification-options(1), -purpose; Go, x509.VerifyOptions, KeyUsages", checkIssuerExtKeyUsage},
	}
}

// checkCAFlag finds the fault for which CreateTrustAnchor answers "Incorrect basic constraints for
// CA certificate".
func checkCAFlag(s *subject) []string {
	if !s.IsCA {
		return broken("is self-signed without the CA flag; a trust anchor needs basic constraints with CA true")
	}
	return nil
}

func checkCAFlagCritical(s *subject) []string {
	if s.IsCA && !s.critical(oidBasicConstraints) {
		return broken("has basic constraints that are not critical; in a CA certificate they must be")
	}
	return nil
}

func checkDigitalSignature(s *subject) []string {
	if s.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return broken("lacks the key usage digitalSignature, by which CreateSession knows a leaf")
	}
	return nil
}

func checkCertSign(s *subject) []string {
	if s.KeyUsage&x509.KeyUsageCertSign == 0 {
		return broken("lacks the key usage keyCertSign, which a CA needs")
	}
	return nil
}

func checkNoCertSign(s *subject) []string {
	if s.KeyUsage&x509.KeyUsageCertSign != 0 {
		return broken("has the key usage keyCertSign without the CA flag; one must not be there without the other")
	}
	return nil
}

func checkCRLSign(s *subject) []string {
	if s.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return broken("lacks the key usage cRLSign, so that no CRL of this CA is taken and nothing can be revoked")
	}
	return nil
}

func checkKeyUsageCritical(s *subject) []string {
	if s.KeyUsage != 0 && !s.critical(oidKeyUsage) {
		return broken("has a key usage that is not critical; it should be")
	}
	return nil
}

// The rules about the extended key usages of a CA. They do not affect what it may revoke.
const (
	ruleCAExtKeyUsage     = "ca-ext-key-usage"
	ruleIssuerExtKeyUsage = "issuer-ext-key-usage"
)

// checkExtKeyUsage: the guide does not require clientAuth, but several consoles do.
func checkExtKeyUsage(s *subject) []string {
	if !namesClientAuth(s.Certificate) {
		return broken("lacks the extended key usage clientAuth, which several tools ask for")
	}
	return nil
}

// checkCAExtKeyUsage: RFC 5280, 4.2.1.12 does not define the extension for a CA certificate, but
// path verifiers apply it to everything below, as CAs intend.
func checkCAExtKeyUsage(s *subject) []string {
	if excludesClientAuth(s.Certificate) {
		return broken("has extended key usages without clientAuth, so that no certificate below it serves as a client's")
	}
	return nil
}

func checkIssuerExtKeyUsage(s *subject) []string {
	for _, issuer := range s.issuers {
		if excludesClientAuth(issuer) {
			return broken("is below %q, whose extended key usages lack clientAuth, so that it does not serve as a client's", issuer.Subject)
		}
	}
	return nil
}

// excludesClientAuth reports whether a CA certificate has extended key usages, and not that of
// clients.
func excludesClientAuth(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !namesClientAuth(c)
}

func namesClientAuth(c *x509.Certificate) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

var (
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
)

// critical reports whether the extension is present and critical.
func (s *subject) critical(oid asn1.ObjectIdentifier) bool {
	for _, ext := range s.Extensions {
		if ext.Id.Equal(oid) {
			return ext.Critical
		}
	}
	return false
}
