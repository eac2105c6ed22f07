package ca

import (
	"crypto/x509"
	"unicode/utf8"
)

// SourceIdentity returns what a session of the leaf has as sourceIdentity, by which
// CloudTrail knows it: "CN=" and the common name as long as that has 61 characters at most,
// the common name alone up to the 64 that STS takes, and "ID=" with the serial number in
// hexadecimal where there is no common name.
//
// Source: IAM Roles Anywhere User Guide, "Trust model"; the limits are field reports. What
// happens above 64 characters nobody has said; lint refuses such a name.
func SourceIdentity(cert *x509.Certificate) string {
	name := cert.Subject.CommonName
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > 64:
		return "ID=" + SerialHex(cert)
	case n > 61:
		return name
	}
	return "CN=" + name
}

// SerialHex returns the serial number in lower-case hexadecimal of even length: the default
// name of a session.
//
// Source: IAM Roles Anywhere User Guide, "CreateSession".
func SerialHex(cert *x509.Certificate) string {
	s := cert.SerialNumber.Text(16)
	if len(s)%2 != 0 {
		s = "0" + s
	}
	return s
}
