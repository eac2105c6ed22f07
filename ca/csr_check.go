package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// CheckCSR fails when the key of a certificate request is unfit (CheckKey) or when the request is
// not signed with it, which would prove nothing. If the signature algorithm cannot be verified, or
// is too weak, the error names it.
func CheckCSR(csr *x509.CertificateRequest) error {
	if err := checkRequestKey(csr); err != nil { // first: verifying with some keys is expensive
		return fmt.Errorf("the key of the certificate request: %w", err)
	}
	switch csr.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return fmt.Errorf("the certificate request is signed with %s; the digest must be SHA-256 or stronger", csr.SignatureAlgorithm)
	}
	s := signatureOf(csr.RawSignatureAlgorithm)
	if s.algorithm == x509.UnknownSignatureAlgorithm && s.pss == nil {
		return fmt.Errorf("the certificate request is signed with %s, which cannot be verified here; make it with SHA-256, SHA-384 or SHA-512 (openssl req -sha256)", s.name)
	}
	if !s.fits(csr.PublicKey) {
		return fmt.Errorf("the certificate request says that it is signed with %s, and its key is one of %s", s.name, KeyType(csr.PublicKey))
	}
	if s.verify(csr) != nil { // x509's error adds nothing for users
		return errors.New("the certificate request is not signed with its own key: it was changed after it was signed, or holds a key of somebody else's")
	}
	return nil
}

// checkRequestKey is CheckKey, but also names keys that crypto/x509 does not know.
func checkRequestKey(csr *x509.CertificateRequest) error {
	if csr.PublicKey == nil {
		if k, ok := readKeyInfo(csr.RawSubjectPublicKeyInfo); ok {
			if err := k.unfit(); err != nil {
				return err
			}
		}
	}
	return CheckKey(csr.PublicKey)
}

// fits reports whether a key can make signatures of this algorithm.
func (s signature) fits(public crypto.PublicKey) bool {
	switch public.(type) {
	case *rsa.PublicKey:
		return s.pss != nil || s.algorithm == x509.SHA256WithRSA || s.algorithm == x509.SHA384WithRSA || s.algorithm == x509.SHA512WithRSA
	case *ecdsa.PublicKey:
		return s.algorithm == x509.ECDSAWithSHA256 || s.algorithm == x509.ECDSAWithSHA384 || s.algorithm == x509.ECDSAWithSHA512
	case *mldsa.PublicKey:
		return s.name == KeyType(public)
	}
	return false
}

func (s signature) verify(csr *x509.CertificateRequest) error {
	key, ok := csr.PublicKey.(*rsa.PublicKey)
	if s.pss == nil || !ok {
		return csr.CheckSignature()
	}
	h := s.pss.hash.New()
	h.Write(csr.RawTBSCertificateRequest)
	return rsa.VerifyPSS(key, s.pss.hash, h.Sum(nil), csr.Signature, &rsa.PSSOptions{SaltLength: s.pss.salt, Hash: s.pss.hash})
}
