package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var oidExtensionRequest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14} // RFC 2985, 5.4.2

// parsePKCS10 parses a CertificationRequest (RFC 2986, 4.2). crypto/x509 would refuse the whole
// request for one string of the subject or one alternative name, neither of which may be needed,
// and for missing attributes.
func parsePKCS10(der []byte) (*x509.CertificateRequest, error) {
	in := cryptobyte.String(der)
	var outer, element, info, algorithm cryptobyte.String
	csr := &x509.CertificateRequest{Raw: der}
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return nil, unreadable("outer form")
	}
	csr.RawTBSCertificateRequest = element
	if !element.ReadASN1(&info, cbasn1.SEQUENCE) {
		return nil, unreadable("outer form")
	}
	if err := readInfo(csr, info); err != nil {
		return nil, err
	}
	var signature asn1.BitString
	if !outer.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) || !outer.ReadASN1BitString(&signature) || !outer.Empty() {
		return nil, unreadable("signature")
	}
	csr.RawSignatureAlgorithm, csr.Signature = algorithm, signature.RightAlign()
	csr.SignatureAlgorithm = signatureOf(algorithm).algorithm
	return csr, nil
}

// unreadable returns the error for a malformed part of a request.
func unreadable(part string) error {
	return fmt.Errorf("the certificate request cannot be read: its %s is damaged", part)
}

// readInfo parses a CertificationRequestInfo (RFC 2986, 4.1). A version other than 0 is ignored:
// there is no other version, and programs that write one mean 0.
func readInfo(csr *x509.CertificateRequest, info cryptobyte.String) error {
	var subject, key, attributes cryptobyte.String
	var present bool
	if !info.ReadASN1Integer(&csr.Version) {
		return unreadable("version")
	}
	if !info.ReadASN1Element(&subject, cbasn1.SEQUENCE) {
		return unreadable("subject")
	}
	csr.RawSubject = subject
	name, err := readName(subject)
	if err != nil {
		return unreadable("subject")
	}
	readable := name.readable()
	csr.Subject.FillFromRDNSequence(&readable)
	if !info.ReadASN1Element(&key, cbasn1.SEQUENCE) {
		return unreadable("key")
	}
	csr.RawSubjectPublicKeyInfo = key
	if err := readKey(csr); err != nil {
		return err
	}
	tag := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !info.ReadOptionalASN1(&attributes, &present, tag) || !info.Empty() {
		return unreadable("list of attributes")
	}
	if csr.Extensions, err = readExtensions(attributes); err != nil {
		return err
	}
	fillNames(csr)
	return nil
}

// readExtensions returns the requested extensions. Other attributes are skipped.
func readExtensions(attributes cryptobyte.String) ([]pkix.Extension, error) {
	var all []pkix.Extension
	for !attributes.Empty() {
		var attribute, values, list cryptobyte.String
		var oid asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if !attributes.ReadAnyASN1(&attribute, &tag) {
			return nil, unreadable("list of attributes")
		}
		if !attribute.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidExtensionRequest) {
			continue
		}
		if !attribute.ReadASN1(&values, cbasn1.SET) {
			return nil, unreadable("list of extensions")
		}
		for !values.Empty() {
			if !values.ReadASN1(&list, cbasn1.SEQUENCE) {
				return nil, unreadable("list of extensions")
			}
			more, err := readExtensionList(list)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, checkDistinct(all)
}

// readExtensionList parses the members of an Extensions (RFC 5280, 4.1).
func readExtensionList(list cryptobyte.String) ([]pkix.Extension, error) {
	var all []pkix.Extension
	for !list.Empty() {
		var in, value cryptobyte.String
		var e pkix.Extension
		if !list.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1ObjectIdentifier(&e.Id) ||
			in.PeekASN1Tag(cbasn1.BOOLEAN) && !in.ReadASN1Boolean(&e.Critical) ||
			!in.ReadASN1(&value, cbasn1.OCTET_STRING) || !in.Empty() {
			return nil, unreadable("list of extensions")
		}
		e.Value = value
		all = append(all, e)
	}
	return all, nil
}

// checkDistinct fails when an extension is requested twice: which of the two is meant is unknown
// (RFC 5280, 4.2).
func checkDistinct(extensions []pkix.Extension) error {
	seen := map[string]bool{}
	for _, e := range extensions {
		if seen[e.Id.String()] {
			return fmt.Errorf("the certificate request asks for the extension %s twice", extensionName(e.Id))
		}
		seen[e.Id.String()] = true
	}
	return nil
}
