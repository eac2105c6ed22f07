package ca

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"kedge/internal/pemread"
)

// ErrPKCS12 is returned for a PKCS #12 file, which this package does not read: it can be encrypted.
var ErrPKCS12 = errors.New("it is a PKCS #12 file; take the certificates out of it: openssl pkcs12 -in FILE -nokeys")

// ParseCertificates parses certificates, at least one, in their order, in any encoding that
// internal/pemread accepts: PEM, bare base64 or DER, in UTF-8 or UTF-16. Private keys and other
// blocks are skipped. The caller bounds the size of data.
//
// If there is no certificate, the error names the content: ErrPKCS12, an *OtherKindError, or one that
// wraps a *pemread.Error if it is none of the formats. If some certificates cannot be read,
// the error is an *UnreadableError, and the others are returned with it.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	isKey := func(label string) bool { return strings.HasSuffix(label, "PRIVATE KEY") }
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: max(len(data), 1), Skip: isKey})
	if err != nil {
		return nil, fmt.Errorf("there is no certificate: %w", err)
	}
	var certs []*x509.Certificate
	unreadable := &UnreadableError{}
	for _, b := range blocks {
		if b.Kind != pemread.Certificate {
			continue
		}
		unreadable.all++
		cert, err := x509.ParseCertificate(b.DER)
		if err != nil {
			unreadable.bad = append(unreadable.bad, unread{unreadable.all, certificateFault(b.DER)})
			continue
		}
		certs = append(certs, cert)
	}
	switch {
	case unreadable.all == 0:
		return nil, noCertificate(blocks[0])
	case unreadable.bad != nil:
		return certs, unreadable
	}
	return certs, nil
}

// OtherKindError reports that data contains something else than what it is read for.
type OtherKindError struct {
	Wanted, Found string // with an article, as in "a certificate request"
	text          string
}

func (e *OtherKindError) Error() string { return e.text }

// UnreadableError reports that certificates among others cannot be read.
type UnreadableError struct {
	all int
	bad []unread
}

// unread is a certificate that cannot be read.
type unread struct {
	number int // from 1
	fault  string
}

func (e *UnreadableError) Error() string {
	if e.all == 1 {
		return "the certificate cannot be read: " + e.bad[0].fault
	}
	var texts []string
	for _, b := range e.bad {
		texts = append(texts, fmt.Sprintf("certificate %d in it cannot be read: %s", b.number, b.fault))
	}
	return strings.Join(texts, "; ")
}

// noCertificate describes what data holds instead of a certificate.
func noCertificate(b pemread.Block) error {
	text := fmt.Sprintf("there is %s, not a certificate", b)
	switch b.Kind {
	case pemread.PKCS12:
		return ErrPKCS12
	case pemread.PKCS7:
		return errors.New("it is a PKCS #7 bundle; take the certificates out of it: openssl pkcs7 -print_certs -in FILE, with -inform DER if it is binary")
	case pemread.Unknown:
		if b.Label == "" {
			text = "it is DER of an unknown kind, or a damaged certificate"
		}
	}
	return &OtherKindError{"a certificate", b.Kind.String(), text}
}

// ParseCertificate parses one certificate in DER. The error names the fault as far as it can be
// found; it contains no text of crypto/x509.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be read: %s", certificateFault(der))
	}
	return cert, nil
}

// certificateFault finds what crypto/x509 refuses, in the order of a TBSCertificate (RFC 5280,
// 4.1).
func certificateFault(der cryptobyte.String) string {
	var outer, tbs cryptobyte.String
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !der.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return "it is cut short or damaged"
	}
	if fault := versionFault(&tbs); fault != "" {
		return fault
	}
	var issuer, subject, key cryptobyte.String
	if !tbs.SkipASN1(cbasn1.SEQUENCE) {
		return "its signature algorithm is damaged"
	}
	if !tbs.ReadASN1Element(&issuer, cbasn1.SEQUENCE) || !tbs.SkipASN1(cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&subject, cbasn1.SEQUENCE) {
		return "its names or its validity are damaged"
	}
	for i, name := range []cryptobyte.String{issuer, subject} {
		if fault := nameFault(name); fault != "" {
			return "its " + []string{"issuer", "subject"}[i] + " " + fault
		}
	}
	if !tbs.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return "its key is damaged"
	}
	if k, ok := readKeyInfo(key); !ok {
		return "its key is damaged"
	} else if err := k.unfit(); err != nil {
		return err.Error()
	}
	if _, err := x509.ParsePKIXPublicKey(key); err != nil {
		return "its key is damaged"
	}
	return "its validity, one of its extensions or its signature is damaged, or written as RFC 5280 does not allow"
}

func versionFault(tbs *cryptobyte.String) string {
	version := cbasn1.Tag(0).ContextSpecific().Constructed()
	var number, serial cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&number, &present, version) {
		return "its version is damaged"
	}
	if n := 0; present && (!number.ReadASN1Integer(&n) || n < 0 || n > 2) {
		return "its version is not one of 1, 2 and 3"
	}
	if !tbs.ReadASN1(&serial, cbasn1.INTEGER) || len(serial) == 0 {
		return "its serial number is damaged"
	}
	if serial[0]&0x80 != 0 {
		return "its serial number is negative"
	}
	return ""
}

// nameFault names the first attribute that crypto/x509 cannot parse.
func nameFault(der []byte) string {
	name, err := readName(der)
	if err != nil {
		return "is damaged"
	}
	for _, a := range name {
		if a.problem != "" {
			return fmt.Sprintf("has the attribute %s, which %s", a.name(), a.problem)
		}
	}
	return ""
}
