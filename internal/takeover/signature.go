package takeover

import (
	"crypto/x509"
	"errors"
)

// checkSignature verifies a signature with the CA's key. It does not apply the rules for issuers,
// since the CA's certificate may have been different before; it accepts SHA-1, since only the CA
// could have made what its own database lists.
func checkSignature(issuer *x509.Certificate, algorithm x509.SignatureAlgorithm, signed, signature []byte) error {
	err := issuer.CheckSignature(algorithm, signed, signature)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[x509.InsecureAlgorithmError](err); ok || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
		return errors.New("its signature is of an algorithm that is broken or not known, so that it cannot be checked")
	}
	return errors.New("not signed with the key of this CA")
}
