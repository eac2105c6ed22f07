package ca

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/pemread"
)

// maxCSRSize bounds a certificate request: one with ML-DSA-87 and many names has 10 KB.
const maxCSRSize = 64 * 1024

const requestLabel = "CERTIFICATE REQUEST" // RFC 7468, 7

// ParseCSR parses a certificate request (PKCS #10, RFC 2986) of 64 KB at most, in any encoding that
// internal/pemread accepts: PEM, bare base64 or DER, in UTF-8 or UTF-16. A missing attributes field
// is accepted, since devices leave it out when it is empty.
//
// Nothing is verified: CheckCSR checks the key and the signature, CheckSubject the subject and
// Profile.FromCSR all of it. The fields for the subject and the alternative names contain what
// could be parsed. A key of an unknown type is nil.
//
// The error names the fault. It is an *OtherKindError if data contains something else, and wraps a
// *pemread.Error if it is none of the formats.
func ParseCSR(data []byte) (*x509.CertificateRequest, error) {
	if len(data) > maxCSRSize {
		return nil, fmt.Errorf("the certificate request has more than %d KB", maxCSRSize/1024)
	}
	isKey := func(label string) bool { return strings.HasSuffix(label, "PRIVATE KEY") }
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: maxCSRSize, Skip: isKey})
	if err != nil {
		return nil, fmt.Errorf("there is no certificate request: %w", err)
	}
	der, err := oneRequest(blocks)
	if err != nil {
		return nil, err
	}
	return parsePKCS10(der)
}

// ParseAuthorityCSR is ParseCSR for the request of an authority: the signature is verified, and the
// subject checked, since all of it is used.
func ParseAuthorityCSR(data []byte) (*x509.CertificateRequest, error) {
	csr, err := ParseCSR(data)
	if err == nil {
		err = cmp.Or(CheckCSR(csr), CheckSubject(csr))
	}
	if err != nil {
		return nil, err
	}
	return csr, nil
}

// oneRequest returns the only request among blocks. A key or a certificate beside it is skipped:
// some programs write both into one file.
func oneRequest(blocks []pemread.Block) ([]byte, error) {
	var der []byte
	for _, b := range blocks {
		if b.Kind != pemread.Request {
			continue
		}
		if der != nil {
			return nil, errors.New("there is more than one certificate request")
		}
		der = b.DER
	}
	if der != nil {
		return der, nil
	}
	first := blocks[0]
	isRequest := strings.HasSuffix(first.Label, requestLabel)
	switch {
	case first.Kind == pemread.PKCS7:
		return nil, errors.New("it is a PKCS #7 message, not a certificate request; make one of PKCS #10 (certreq: RequestType = PKCS10)")
	case isRequest && first.Kind == pemread.Unknown:
		return nil, errors.New("the certificate request cannot be read: it is damaged")
	case isRequest:
		return nil, fmt.Errorf("there is %s under the label %q", first.Kind, first.Label)
	case first.Label != "":
		return nil, &OtherKindError{"a certificate request", first.Kind.String(), fmt.Sprintf("there is a %q in the PEM data, not a %q", first.Label, requestLabel)}
	}
	return nil, &OtherKindError{"a certificate request", first.Kind.String(), fmt.Sprintf("it is %s, not a certificate request", first)}
}

// NewCSR creates a certificate request for a key, in DER, for another CA to sign.
func NewCSR(key crypto.Signer, subject pkix.Name) ([]byte, error) {
	if err := CheckKey(key.Public()); err != nil {
		return nil, err
	}
	if !isName(subject.CommonName) {
		return nil, fmt.Errorf("the common name %q cannot be in a certificate: it takes 1 to %d letters, digits, spaces and _.:/=+-@", subject.CommonName, maxCommonName)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate request for %q: %w", subject, err)
	}
	return der, nil
}
