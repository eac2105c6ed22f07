package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SubjectError reports that an attribute of a request's subject is invalid for its string type, so
// that its text is ambiguous.
type SubjectError struct {
	Attribute string // "common name", or the short name or object identifier of another
	problem   string
}

// Error names the attribute, its type and the character.
func (e *SubjectError) Error() string {
	return fmt.Sprintf("the %s in the subject of the certificate request %s", e.Attribute, e.problem)
}

// CheckSubject returns a *SubjectError when a part of the subject of a request is malformed: it is
// for callers that use the whole subject. Profile.FromCSR needs a readable common name only.
func CheckSubject(csr *x509.CertificateRequest) error {
	name, err := readName(csr.RawSubject)
	if err != nil {
		return err
	}
	for _, a := range name {
		if a.problem != "" {
			return a.err()
		}
	}
	return nil
}

// subjectName is a subject as it is in a request: its attributes in order.
type subjectName []subjectAttribute

type subjectAttribute struct {
	rdn     int // attributes with the same number belong to one RDN
	oid     asn1.ObjectIdentifier
	text    string
	problem string // why the text cannot be read; empty if it can be
}

func (a subjectAttribute) err() error { return &SubjectError{a.name(), a.problem} }

func (a subjectAttribute) name() string {
	names := map[string]string{
		"2.5.4.3": "common name", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
		"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.17": "postalCode", "2.5.4.42": "givenName",
		"1.2.840.113549.1.9.1": "emailAddress", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
	}
	if name, ok := names[a.oid.String()]; ok {
		return name
	}
	return a.oid.String()
}

// readName parses a Name (RFC 5280, 4.1.2.4). Only a broken structure is an error: a malformed
// string is recorded in its attribute.
func readName(der []byte) (subjectName, error) {
	in := cryptobyte.String(der)
	var name subjectName
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) {
		return nil, errors.New("the subject of the certificate request cannot be read")
	}
	for i := 0; !in.Empty(); i++ {
		var rdn cryptobyte.String
		if !in.ReadASN1(&rdn, cbasn1.SET) || rdn.Empty() {
			return nil, errors.New("the subject of the certificate request cannot be read")
		}
		for !rdn.Empty() {
			a := subjectAttribute{rdn: i}
			var attribute, value cryptobyte.String
			var tag cbasn1.Tag
			if !rdn.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&a.oid) ||
				!attribute.ReadAnyASN1(&value, &tag) || !attribute.Empty() {
				return nil, errors.New("the subject of the certificate request cannot be read")
			}
			a.text, a.problem = readString(tag, value)
			name = append(name, a)
		}
	}
	return name, nil
}

// readable returns the attributes that could be read.
func (n subjectName) readable() pkix.RDNSequence {
	var all pkix.RDNSequence
	last := -1
	for _, a := range n {
		if a.problem != "" {
			continue
		}
		attribute := pkix.AttributeTypeAndValue{Type: a.oid, Value: a.text}
		if a.rdn == last {
			all[len(all)-1] = append(all[len(all)-1], attribute)
			continue
		}
		last = a.rdn
		all = append(all, pkix.RelativeDistinguishedNameSET{attribute})
	}
	return all
}

// commonName returns the one common name, or none.
func (n subjectName) commonName() (string, error) {
	i := slices.IndexFunc(n, isCommonName)
	if i < 0 {
		return "", nil
	}
	if slices.ContainsFunc(n[i+1:], isCommonName) {
		return "", errors.New("the certificate request has more than one common name")
	}
	if n[i].problem != "" {
		return "", n[i].err()
	}
	return n[i].text, nil
}

func isCommonName(a subjectAttribute) bool { return a.oid.Equal(oidCommonName) }

// leftOut lists the attributes of a subject, other than the common name, that are not kept.
func (n subjectName) leftOut(kept []string) []string {
	var all []string
	for _, a := range n {
		if isCommonName(a) && a.problem == "" {
			continue
		}
		if a.problem != "" {
			all = append(all, fmt.Sprintf("the %s of the subject, which %s", a.name(), a.problem))
			continue
		}
		text := pkix.RDNSequence{{{Type: a.oid, Value: a.text}}}.String()
		if !slices.Contains(kept, text) {
			all = append(all, fmt.Sprintf("subject %q", text))
		}
	}
	return all
}

// readString decodes one of the string types of ASN.1 (X.680, 41), or returns what is wrong.
// TeletexString is read as Latin-1, as other programs do: T.61 is not used.
func readString(tag cbasn1.Tag, value []byte) (text, problem string) {
	switch tag {
	case cbasn1.UTF8String:
		return restricted("a UTF8String", string(value), func(rune) bool { return true })
	case cbasn1.PrintableString:
		return restricted("a PrintableString", string(value), isPrintable)
	case cbasn1.IA5String, cbasn1.Tag(26):
		return restricted("an IA5String", string(value), func(r rune) bool { return r < utf8.RuneSelf })
	case cbasn1.Tag(18):
		return restricted("a NumericString", string(value), func(r rune) bool { return '0' <= r && r <= '9' || r == ' ' })
	case cbasn1.T61String:
		return restricted("a TeletexString", latin1(value), func(r rune) bool { return r >= ' ' && (r < 0x7f || r > 0x9f) })
	case cbasn1.Tag(28):
		return wide("a UniversalString", value, 4)
	case cbasn1.Tag(30):
		return wide("a BMPString", value, 2)
	}
	return "", fmt.Sprintf("has the ASN.1 tag %d, which is not of a string", tag)
}

// restricted returns the text, or names the first character that the type cannot hold.
func restricted(kind, text string, allowed func(rune) bool) (string, string) {
	for i, r := range text {
		if bad := r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)); !bad && allowed(r) {
			continue
		}
		what := fmt.Sprintf("the character %q", r)
		if r >= utf8.RuneSelf && kind != "a TeletexString" { // which encoding was meant is unknown
			what = fmt.Sprintf("the byte 0x%02X (of %q in Latin-1", text[i], rune(text[i]))
			if r != utf8.RuneError {
				what += fmt.Sprintf(", of %q in UTF-8", r)
			}
			what += ")"
		}
		return "", fmt.Sprintf("is %s with %s at place %d, which it cannot hold", kind, what, utf8.RuneCountInString(text[:i])+1)
	}
	return text, ""
}

// isPrintable reports whether a PrintableString can hold a character (X.680, 41.4).
func isPrintable(r rune) bool {
	return r < utf8.RuneSelf && (isAlphanumeric(byte(r)) || strings.ContainsRune(" '()+,-./:=?", r))
}

func latin1(value []byte) string {
	runes := make([]rune, len(value))
	for i, b := range value {
		runes[i] = rune(b)
	}
	return string(runes)
}

// wide decodes characters of two bytes, or of four.
func wide(kind string, value []byte, size int) (string, string) {
	if len(value)%size != 0 {
		return "", fmt.Sprintf("is %s of %d bytes, which is not a multiple of %d", kind, len(value), size)
	}
	var runes []rune
	var units []uint16
	for ; len(value) > 0; value = value[size:] {
		if size == 2 {
			units = append(units, binary.BigEndian.Uint16(value))
			continue
		}
		runes = append(runes, rune(binary.BigEndian.Uint32(value)))
	}
	runes = append(runes, utf16.Decode(units)...)
	for i, r := range runes {
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			return "", fmt.Sprintf("is %s with something at place %d that is not a character", kind, i+1)
		}
	}
	return string(runes), ""
}
