package cadir

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/hostfiles"
	"kedge/signer"
	"kedge/signer/keyfile"
)

// ParseCertificates reads the certificates of a file that was given to a command, at least
// one. They may be in a PKCS #12 file, too, unless that is encrypted.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	certs, err := ca.ParseCertificates(data)
	if !errors.Is(err, ca.ErrPKCS12) {
		return certs, err
	}
	certs, err = keyfile.ParseCertificates(data, nil)
	switch {
	case errors.Is(err, keyfile.ErrPasswordRequired):
		return nil, errors.New("encrypted; take the certificates out of it: openssl pkcs12 -in FILE -nokeys")
	case err != nil:
		return nil, ca.ErrPKCS12
	}
	return certs, nil
}

// ReadCertificate reads the first certificate of a file, as ParseCertificates does.
func ReadCertificate(path string) (*x509.Certificate, error) {
	data, err := signer.File(path).Read()
	if err != nil {
		return nil, err
	}
	certs, err := ParseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs[0], nil
}

// WriteCertificate writes the NAME.pem of an authority, or replaces it when the authority got
// another certificate.
func (f Folder) WriteCertificate(authority string, cert *x509.Certificate) error {
	return atomicfile.Write(f.CertificatePath(authority), hostfiles.CertificatePEM(cert), 0o644)
}

// CheckCertificate compares NAME.pem with the certificate that the ledger has. A file that is not
// there, or holds an earlier certificate of the same key, is written again, which is warned of:
// the ledger comes first when a CA is made or renewed, and a crash can come between.
func (f Folder) CheckCertificate(authority string, cert *x509.Certificate) (warning string, err error) {
	path := f.CertificatePath(authority)
	data, err := signer.File(path).Read()
	if errors.Is(err, fs.ErrNotExist) {
		if err := atomicfile.Create(path, hostfiles.CertificatePEM(cert), 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		return path + " was missing, and was written again from the ledger", nil
	}
	if err != nil {
		return "", err
	}
	certs, err := ParseCertificates(data)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	case certs[0].Equal(cert):
		return "", nil
	case !ca.SameKey(certs[0].PublicKey, cert.PublicKey):
		return "", fmt.Errorf("%s is not the certificate that the ledger has of the authority %q", path, authority)
	}
	return path + " was an older certificate, and was written again from the ledger", f.WriteCertificate(authority, cert)
}
