package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
)

// Sign signs with SHA-256 whatever the key, as CreateSession wants it: a key that can do
// only other digests is of no use. What hardware signs is verified before anybody gets it.
func Sign(request x509.CertificateRequest, key crypto.Signer) ([]byte, error) {
	switch key.Public().(type) {
	case *ecdsa.PublicKey:
		request.SignatureAlgorithm = x509.ECDSAWithSHA256
	case *rsa.PublicKey:
		request.SignatureAlgorithm = x509.SHA256WithRSA
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &request, key)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	return der, made.CheckSignature()
}
