package keyfile

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"unicode"
)

const derSequence = 0x30

// isBinaryDER reports whether the data begins as a SEQUENCE with a long length, which no text does.
func isBinaryDER(data []byte) bool {
	return len(data) > 1 && data[0] == derSequence && data[1]&0x80 != 0
}

// isText reports whether there is no control character but white space: a key in DER has some, the
// tags of its members.
func isText(data []byte) bool {
	return !bytes.ContainsFunc(data, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

// der reads one key, one PKCS#12 file, or certificates one after another.
func (p *parser) der(data []byte) error {
	if isPKCS12(data) {
		return p.pkcs12(data)
	}
	for rest := data; len(rest) > 0; {
		element, next, err := split(rest)
		if err != nil && len(rest) < len(data) {
			return fmt.Errorf("%d bytes of something else follow the DER data", len(rest))
		}
		if err != nil {
			return err
		}
		if err := p.element(element.FullBytes, len(next)); err != nil {
			return err
		}
		rest = next
	}
	return nil
}

func (p *parser) element(der []byte, following int) error {
	kind, err := shape(der)
	if err != nil {
		return err
	}
	switch kind {
	case shapeCertificate:
		return p.addCertificate(der)
	case shapePKCS1, shapeSEC1, shapePKCS8, shapeEncrypted:
		if following > 0 {
			return fmt.Errorf("%d bytes of something else follow the private key", following)
		}
		return p.addKey(func() (crypto.Signer, error) { return parseKey(der, p.password) })
	}
	p.pass(string(kind))
	return nil
}

// derShape is what a DER element is, told from the tags of its first members. Those that are
// not read here are their own description.
type derShape string

const (
	shapeCertificate derShape = "a certificate"
	shapePKCS1       derShape = "a PKCS#1 private key"
	shapeSEC1        derShape = "a SEC 1 private key"
	shapePKCS8       derShape = "a PKCS#8 private key"
	shapeEncrypted   derShape = "an encrypted private key"
	shapePKCS12      derShape = "a PKCS#12 file"
	shapePKCS7       derShape = derShape(pkcs7Advice)
	shapePublicKey   derShape = "a public key"
	shapeRequest     derShape = "a certificate request"
	shapeCRL         derShape = "a revocation list"
	shapeUnknown     derShape = "DER of an unknown kind"
)

// shape looks at the tags only: what it names may still be malformed.
func shape(der []byte) (derShape, error) {
	outer, rest, err := split(der)
	if err != nil {
		return "", err
	}
	if len(rest) > 0 {
		return "", fmt.Errorf("%d bytes follow the DER data", len(rest))
	}
	first, rest, err := split(outer.Bytes)
	if err != nil {
		return shapeUnknown, nil
	}
	second, _, err := split(rest)
	if err != nil {
		return shapeUnknown, nil
	}
	switch [2]int{first.Tag, second.Tag} {
	case [2]int{asn1.TagInteger, asn1.TagInteger}:
		return shapePKCS1OrPublic(rest), nil
	case [2]int{asn1.TagInteger, asn1.TagOctetString}:
		return shapeSEC1, nil
	case [2]int{asn1.TagInteger, asn1.TagSequence}:
		return shapePKCS8OrPKCS12(first), nil
	case [2]int{asn1.TagSequence, asn1.TagOctetString}:
		return shapeEncrypted, nil
	case [2]int{asn1.TagSequence, asn1.TagBitString}:
		return shapePublicKey, nil
	case [2]int{asn1.TagOID, 0}:
		return shapePKCS7, nil
	case [2]int{asn1.TagSequence, asn1.TagSequence}:
		return shapeSigned(first), nil
	}
	return shapeUnknown, nil
}

// shapePKCS1OrPublic counts integers: RSAPublicKey (RFC 8017 A.1.1) has two, the private key nine.
func shapePKCS1OrPublic(fromSecond []byte) derShape {
	if _, rest, err := split(fromSecond); err != nil || len(rest) == 0 {
		return shapePublicKey
	}
	return shapePKCS1
}

// shapePKCS8OrPKCS12 tells them by the version: 0 or 1 (RFC 5958 2), and 3 (RFC 7292 4).
func shapePKCS8OrPKCS12(version asn1.RawValue) derShape {
	if len(version.Bytes) == 1 && version.Bytes[0] == 3 {
		return shapePKCS12
	}
	return shapePKCS8
}

// shapeSigned tells certificates, requests and lists by what is signed: a certificate begins
// with version [0] or has a serial before two sequences and a validity; a request has
// version 0, a name and a key; a list has an algorithm and a name, behind version 1 or none.
func shapeSigned(tbs asn1.RawValue) derShape {
	first, rest, err := split(tbs.Bytes)
	if err != nil {
		return shapeUnknown
	}
	if first.Class == asn1.ClassContextSpecific && first.Tag == 0 {
		return shapeCertificate
	}
	if first.Tag == asn1.TagSequence {
		return shapeCRL
	}
	var third asn1.RawValue
	if _, rest, err = split(rest); err == nil {
		third, rest, err = split(rest)
	}
	if err != nil {
		return shapeUnknown
	}
	if third.Class == asn1.ClassContextSpecific || hasBitString(third) {
		return shapeRequest
	}
	if fourth, _, err := split(rest); err == nil && fourth.Tag == asn1.TagSequence {
		return shapeCertificate // version 1; the rules of the service refuse it by name
	}
	return shapeCRL
}

// hasBitString reports whether a sequence ends as SubjectPublicKeyInfo does.
func hasBitString(sequence asn1.RawValue) bool {
	_, rest, err := split(sequence.Bytes)
	if err != nil {
		return false
	}
	second, _, err := split(rest)
	return err == nil && second.Tag == asn1.TagBitString
}

// split takes the first element off.
func split(der []byte) (first asn1.RawValue, rest []byte, err error) {
	rest, err = asn1.Unmarshal(der, &first)
	if err != nil {
		return first, nil, fmt.Errorf("damaged DER: %w", err)
	}
	return first, rest, nil
}
