package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"time"
)

// maxSerial is the maximum length of a serial number in bytes (RFC 5280, 4.1.2.2).
const maxSerial = 20

// formRules are about the fields of every certificate. Faults that crypto/x509 refuses need no
// rule: a duplicate extension, a negative serial number.
func formRules() []rule {
	return []rule{
		{"version", Error, all | server, false, trustModel, checkVersion},
		{"serial", Error, all | server, false, "RFC 5280, 4.1.2.2", checkSerial},
		{"digest", Error, all | server, false, trustModel, checkDigest},
		{"validity", Error, all | server, false, "RFC 5280, 4.1.2.5", checkValidity},
		{"critical-extension", Error, all | server, true, "RFC 5280, 4.2", checkCritical},
	}
}

func checkVersion(s *subject) []string {
	if s.Version != 3 {
		return broken("has X.509 version %d; it must be version 3", s.Version)
	}
	return nil
}

func checkSerial(s *subject) []string {
	if s.SerialNumber.Sign() <= 0 {
		return broken("has the serial number %v; it must be positive", s.SerialNumber)
	}
	if n := derSize(s.SerialNumber); n > maxSerial {
		return broken("has a serial number of %d bytes, %x; at most %d are allowed", n, s.SerialNumber, maxSerial)
	}
	return nil
}

// derSize returns the length of a non-negative number as an INTEGER: its highest bit is a sign.
func derSize(n *big.Int) int { return n.BitLen()/8 + 1 }

func checkDigest(s *subject) []string {
	switch a := s.SignatureAlgorithm; a {
	case x509.UnknownSignatureAlgorithm:
		return broken("is signed with the algorithm %s; it must be RSA, ECDSA or ML-DSA, with SHA-256 or stronger", signatureOID(s.Raw))
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return broken("is signed with %s; it must be RSA, ECDSA or ML-DSA, with SHA-256 or stronger", a)
	}
	return nil
}

// signatureOID returns the signature algorithm that crypto/x509 does not know (RFC 5280, 4.1).
func signatureOID(der []byte) string {
	var cert struct {
		TBS, Algorithm, Signature asn1.RawValue
	}
	var algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &cert); err != nil {
		return "(unreadable)"
	}
	if _, err := asn1.Unmarshal(cert.Algorithm.FullBytes, &algorithm); err != nil {
		return "(unreadable)"
	}
	return algorithm.OID.String()
}

func checkValidity(s *subject) []string {
	if s.NotAfter.Before(s.NotBefore) {
		return broken("ends at %s, before it begins at %s", rfc3339(s.NotAfter), rfc3339(s.NotBefore))
	}
	return nil
}

func checkCritical(s *subject) []string {
	var texts []string
	for _, oid := range s.UnhandledCriticalExtensions {
		if oid.Equal(oidNameConstraints) { // this package supports more kinds than crypto/x509
			if _, err := constraintsOf(s.Certificate); err != nil {
				texts = append(texts, "has critical name constraints that cannot be checked here; a verifier that cannot check them must refuse the certificates: "+err.Error())
			}
			continue
		}
		texts = append(texts, "has the critical extension "+oid.String()+", which is not known; a verifier that does not know it must refuse the certificate")
	}
	return texts
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
