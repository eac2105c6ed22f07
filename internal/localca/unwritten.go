package localca

import (
	"crypto/x509"
	"fmt"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/hostfiles"
)

// UnwrittenError reports that a certificate was issued and recorded, and could not be written.
type UnwrittenError struct {
	Serial string
	Err    error
}

func (e *UnwrittenError) Error() string {
	return fmt.Sprintf("the certificate is issued, but not written: %v", e.Err)
}
func (e *UnwrittenError) Unwrap() error { return e.Err }

// WriteIssued writes a certificate that was issued, and what is to follow it, to a new file, if out
// names one. The error is an *UnwrittenError.
func WriteIssued(out string, certs ...*x509.Certificate) error {
	if out == "" {
		return nil
	}
	if err := atomicfile.Create(out, hostfiles.CertificatePEM(certs...), 0o644); err != nil {
		return &UnwrittenError{ca.SerialHex(certs[0]), err}
	}
	return nil
}
