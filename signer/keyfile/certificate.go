package keyfile

import (
	"crypto/x509"
	"fmt"
)

// parseCertificate reads one certificate, with nothing behind it. Whether the service would
// take it is for the rules to say.
func parseCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err == nil {
		return cert, nil
	}
	if kind, shapeErr := shape(der); shapeErr == nil && kind != shapeCertificate {
		return nil, fmt.Errorf("%s under the label CERTIFICATE", kind)
	}
	return nil, fmt.Errorf("unreadable certificate: %w", err)
}
