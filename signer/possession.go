package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The credential scope of a possession. No region and no service of AWS has these names, so that a
// signature made for one is never good for the other.
const (
	possessionRegion  = "ca"
	possessionService = "kedge-ca"
)

// Possession is what the holder of a certificate signs with its key to show an enrollment server that
// it has the key: to renew the certificate, for instance. The signature travels in the body of the
// request, beside the certificate.
type Possession struct {
	Path     string            // of the request, such as "/v1/renew": a signature is good for that alone
	Audience [sha256.Size]byte // SHA-256 of the SubjectPublicKeyInfo of the CA's root: no other CA takes it
	Leaf     *x509.Certificate // whose key signs
	Body     []byte            // what is asked for; empty when there is nothing besides
	At       time.Time         // when it was signed, to the second
}

// PossessionError reports a signature that does not show possession of the certificate's key.
type PossessionError struct {
	Subject string // of the certificate
	Reason  string
}

func (e *PossessionError) Error() string {
	return fmt.Sprintf("the signature does not show that its sender has the key of %q: %s", e.Subject, e.Reason)
}

// Sign returns the signature of key over p: raw bytes, for ECDSA in ASN.1 DER. The error is a
// *KeyMismatchError if key is not that of the certificate, or a *SignError.
func (p Possession) Sign(key crypto.Signer) ([]byte, error) {
	algorithm, err := algorithmFor(key.Public())
	if err != nil {
		return nil, err
	}
	leaf := located{Certificate: p.Leaf}
	if !samePublic(key.Public(), p.Leaf.PublicKey) {
		return nil, &KeyMismatchError{Key: KeyKind(key.Public()), Subject: name(leaf), CertKey: CertKeyKind(p.Leaf)}
	}
	signature, err := algorithm.sign(key, p.message(algorithm))
	if err != nil {
		return nil, &SignError{Subject: name(leaf), Err: err}
	}
	return signature, nil
}

// Verify checks that the key in the certificate made the signature over p. The error is a
// *PossessionError. Whether the certificate is trusted, and whether the time is near, is not checked.
func (p Possession) Verify(signature []byte) error {
	algorithm, err := algorithmFor(p.Leaf.PublicKey)
	if err != nil {
		return p.refuse(err.Error())
	}
	if !verifies(p.Leaf.PublicKey, p.message(algorithm), signature) {
		return p.refuse("it was not made by that key over this request")
	}
	return nil
}

func (p Possession) refuse(reason string) error {
	return &PossessionError{Subject: name(located{Certificate: p.Leaf}), Reason: reason}
}

// message is the string to sign of a POST to Path whose host is the audience and whose only headers
// are the date and the certificate.
func (p Possession) message(algorithm Algorithm) []byte {
	headers := http.Header{}
	headers.Set("X-Amz-Date", p.At.UTC().Format(dateTime))
	headers.Set("X-Amz-X509", base64.StdEncoding.EncodeToString(p.Leaf.Raw))
	r := Request{Method: http.MethodPost, URL: &url.URL{Host: hex.EncodeToString(p.Audience[:]), Path: p.Path}, Body: p.Body}
	canonical, _ := canonicalRequest(r, headers)
	scope := strings.Join([]string{p.At.UTC().Format(dateOnly), possessionRegion, possessionService, terminator}, "/")
	return []byte(stringToSign(algorithm, p.At, scope, canonical))
}

// verifies reports whether signature is that of the public key over message, made as [Algorithm.sign]
// makes it.
func verifies(public crypto.PublicKey, message, signature []byte) bool {
	digest := sha256.Sum256(message)
	switch public := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, digest[:], signature)
	case *mldsa.PublicKey:
		return mldsa.Verify(public, message, signature, nil) == nil
	}
	return false
}
