package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// keyInfo is a parsed SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
type keyInfo struct {
	algorithm  string // the object identifier
	parameters cryptobyte.String
	bits       asn1.BitString
}

func readKeyInfo(der cryptobyte.String) (k keyInfo, ok bool) {
	var algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&der, cbasn1.SEQUENCE) || !der.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !der.ReadASN1BitString(&k.bits) || !der.Empty() {
		return k, false
	}
	k.algorithm, k.parameters = oid.String(), algorithm
	return k, true
}

// Object identifiers of keys: RFC 3279, 2.3; RFC 4055, 1.2; RFC 5480, 2.1.1.
const (
	keyRSA = "1.2.840.113549.1.1.1"
	keyPSS = "1.2.840.113549.1.1.10"
	keyEC  = "1.2.840.10045.2.1"
)

// readKey sets the key of a request. A key that cannot be certified is left nil; checkKeyInfo names
// it.
func readKey(csr *x509.CertificateRequest) (err error) {
	k, ok := readKeyInfo(csr.RawSubjectPublicKeyInfo)
	if !ok {
		return unreadable("key")
	}
	if k.unfit() != nil {
		return nil
	}
	if k.algorithm == keyRSA && k.parameters.Empty() { // it must be NULL, but devices leave it out
		csr.PublicKey, err = x509.ParsePKCS1PublicKey(k.bits.RightAlign())
	} else {
		csr.PublicKey, err = x509.ParsePKIXPublicKey(csr.RawSubjectPublicKeyInfo)
	}
	switch bits := k.bits.RightAlign(); {
	case err == nil:
		return k.setAlgorithm(csr)
	case k.algorithm == keyEC && len(bits) > 0 && (bits[0] == 2 || bits[0] == 3):
		return errors.New("the key of the certificate request is a compressed point; make the request with the point uncompressed (openssl ec -conv_form uncompressed)")
	case k.algorithm == keyEC:
		return errors.New("the key of the certificate request is not a point of its curve")
	case k.algorithm == keyRSA:
		return errors.New("the certificate request cannot be read: its RSA key is damaged, or has a modulus or exponent that is not positive")
	}
	return unreadable("key")
}

func (k keyInfo) setAlgorithm(csr *x509.CertificateRequest) error {
	switch k.algorithm {
	case keyRSA:
		csr.PublicKeyAlgorithm = x509.RSA
	case keyEC:
		csr.PublicKeyAlgorithm = x509.ECDSA
	default:
		csr.PublicKeyAlgorithm = x509.MLDSA
	}
	return nil
}

// unfit returns an error that names the key's type if no certificate is issued for it.
func (k keyInfo) unfit() error {
	const others = "; take RSA, EC or ML-DSA"
	switch {
	case k.algorithm == keyRSA, isMLDSA(k.algorithm):
		return nil
	case k.algorithm == keyEC:
		return k.unfitCurve()
	case k.algorithm == keyPSS:
		return errors.New("an RSA key for RSASSA-PSS alone cannot make the signatures that IAM Roles Anywhere asks for; make an ordinary RSA key (openssl genpkey -algorithm RSA)")
	case k.algorithm == "1.2.840.113549.1.1.7":
		return errors.New("an RSA key for encryption with OAEP alone cannot sign; make an ordinary RSA key")
	}
	for _, known := range keyNames() {
		if k.algorithm == known[0] {
			return fmt.Errorf("%s key cannot be used, since IAM Roles Anywhere has no algorithm for it%s", known[1], others)
		}
	}
	return fmt.Errorf("a key of the unknown algorithm %s cannot be used%s", k.algorithm, others)
}

// isMLDSA reports whether an object identifier is one of RFC 9881, 2.
func isMLDSA(oid string) bool {
	return oid == "2.16.840.1.101.3.4.3.17" || oid == "2.16.840.1.101.3.4.3.18" || oid == "2.16.840.1.101.3.4.3.19"
}

// keyNames lists the known types of keys that cannot be used, with their articles: RFC 8410, 3; RFC
// 3279, 2.3; RFC 9814, 3.
func keyNames() [][2]string {
	names := [][2]string{
		{"1.3.101.110", "an X25519"}, {"1.3.101.111", "an X448"}, {"1.3.101.112", "an Ed25519"}, {"1.3.101.113", "an Ed448"},
		{"1.2.840.10040.4.1", "a DSA"}, {"1.2.840.113549.1.3.1", "a Diffie-Hellman"}, {"1.2.840.10046.2.1", "a Diffie-Hellman"},
		{"1.2.643.7.1.1.1.1", "a GOST"}, {"1.2.643.7.1.1.1.2", "a GOST"}, {"1.2.643.2.2.19", "a GOST"},
		{"1.3.132.1.12", "an ECDH"}, {"1.3.132.1.13", "an ECMQV"},
	}
	for i := 20; i <= 31; i++ {
		names = append(names, [2]string{fmt.Sprintf("2.16.840.1.101.3.4.3.%d", i), "an SLH-DSA"})
	}
	return names
}

// unfitCurve names a curve that crypto/x509 does not support. P-224, which it supports, is left to
// CheckKey.
func (k keyInfo) unfitCurve() error {
	const others = "take P-256, P-384 or P-521"
	parameters := k.parameters
	var oid asn1.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) {
		return errors.New("an EC key that spells its curve out in explicit parameters cannot be used; " + others + " by name (openssl: -pkeyopt ec_param_enc:named_curve)")
	}
	switch text := oid.String(); {
	case text == "1.2.840.10045.3.1.7", text == "1.3.132.0.33", text == "1.3.132.0.34", text == "1.3.132.0.35":
		return nil
	case text == "1.3.132.0.10":
		return errors.New("the curve secp256k1 cannot be used; " + others)
	case text == "1.2.840.10045.3.1.1":
		return errors.New("the curve P-192 cannot be used; " + others)
	case text == "1.2.156.10197.1.301":
		return errors.New("the curve SM2 cannot be used; " + others)
	case strings.HasPrefix(text, "1.3.36.3.3.2.8.1.1."):
		return errors.New("a curve of the Brainpool family cannot be used; " + others)
	default:
		return fmt.Errorf("the curve %s cannot be used; %s", text, others)
	}
}
