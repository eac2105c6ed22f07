package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
)

// textLabel begins every text that a CA signs. Certificates and CRLs are DER, which begins with 0x30:
// a signature of a text is never one of a certificate.
const textLabel = "kedge "

// SignText signs a text that is no certificate, such as the description of an archived part of the
// ledger. The text must begin with "kedge " and the name of its format. The signature is as in a
// certificate of the same key: ECDSA in ASN.1, RSA by PKCS #1 v1.5, or Ed25519. It has been verified.
func (a *Authority) SignText(text []byte) ([]byte, error) {
	if !isText(text) {
		return nil, errors.New("sign a text: it does not begin with the name of its format")
	}
	algorithm, hash, err := textAlgorithm(a.cert)
	if err != nil {
		return nil, err
	}
	digest := text
	if hash != 0 {
		h := hash.New()
		h.Write(text)
		digest = h.Sum(nil)
	}
	signature, err := a.key.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("sign a text with the key of %q: %w", a.cert.Subject, err)
	}
	if err := a.cert.CheckSignature(algorithm, text, signature); err != nil {
		return nil, fmt.Errorf("a signature of the key of %q does not verify: it is another's, or its key store is faulty", a.cert.Subject)
	}
	return signature, nil
}

// CheckText checks a signature of [Authority.SignText] with the certificate of the CA.
func CheckText(cert *x509.Certificate, text, signature []byte) error {
	if !isText(text) {
		return errors.New("the text does not begin with the name of its format")
	}
	algorithm, _, err := textAlgorithm(cert)
	if err == nil {
		err = cert.CheckSignature(algorithm, text, signature)
	}
	return err
}

func isText(text []byte) bool { return strings.HasPrefix(string(text), textLabel) }

// textAlgorithm returns the algorithm of the signatures of a CA's key.
func textAlgorithm(cert *x509.Certificate) (x509.SignatureAlgorithm, crypto.Hash, error) {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA, crypto.SHA256, nil
	case ed25519.PublicKey:
		return x509.PureEd25519, 0, nil
	case *ecdsa.PublicKey:
		switch bits := key.Curve.Params().BitSize; {
		case bits <= 256:
			return x509.ECDSAWithSHA256, crypto.SHA256, nil
		case bits <= 384:
			return x509.ECDSAWithSHA384, crypto.SHA384, nil
		}
		return x509.ECDSAWithSHA512, crypto.SHA512, nil
	}
	return 0, 0, fmt.Errorf("the CA %q has a key of an unknown kind", cert.Subject)
}
