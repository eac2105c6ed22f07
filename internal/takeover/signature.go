package takeover

import (
	"crypto/x509"
	"errors"
)

// checkSignature checks one with the CA's key. The rules for issuers are not applied, since a
// CA of today may have been of another form before; SHA-1 is taken, since nobody but the CA
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
