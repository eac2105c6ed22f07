package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Request is what a leaf is to say.
type Request struct {
	CommonName string           // becomes sourceIdentity and the tag x509Subject/CN
	Public     crypto.PublicKey // RSA, EC or ML-DSA
	Lifetime   time.Duration    // from now; cut at the end of the CA's own
}

// Issue signs a leaf that CreateSession accepts: version 3, CA false, digitalSignature,
// clientAuth, a random serial, valid from five minutes ago for the lifetime asked for. A
// request that breaks a rule of the service is refused with a *RuleError, one outside the
// CA's own validity with a *ValidityError.
//
// Source: IAM Roles Anywhere User Guide, "Trust model". clientAuth is not asked for there,
// but by several consoles.
func (a *Authority) Issue(r Request, now time.Time) (*x509.Certificate, error) {
	if err := checkName("name", r.CommonName); err != nil {
		return nil, err
	}
	if r.Lifetime <= 0 {
		return nil, errors.New("the lifetime of a leaf must be longer than nothing")
	}
	if now.Before(a.cert.NotBefore) || now.After(a.cert.NotAfter) {
		return nil, &ValidityError{Subject: a.cert.Subject.String(), NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, Now: now}
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: r.CommonName},
		NotBefore:             latest(now.Add(-backdate), a.cert.NotBefore),
		NotAfter:              earliest(now.Add(r.Lifetime), a.cert.NotAfter),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	return sign(template, a.cert, r.Public, a.key)
}

// ValidityError says that the CA certificate has expired or is not valid yet, so that
// nothing it signs would be trusted.
type ValidityError struct {
	Subject             string
	NotBefore, NotAfter time.Time
	Now                 time.Time // what the clock said
}

func (e *ValidityError) Error() string {
	return fmt.Sprintf("the CA certificate %q is valid from %s to %s; it is %s now", e.Subject,
		e.NotBefore.UTC().Format(time.RFC3339), e.NotAfter.UTC().Format(time.RFC3339), e.Now.UTC().Format(time.RFC3339))
}

// newSerial returns 128 random bits as a positive number: RFC 5280, 4.1.2.2 allows 20
// bytes, and the CA/Browser Forum asks for 64 random bits at least.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	return serial.Add(serial, big.NewInt(1)), nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
