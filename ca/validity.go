package ca

import (
	"crypto/x509"
	"fmt"
	"time"
)

// backdate is how far notBefore lies in the past, in case a host's clock is behind.
const backdate = 5 * time.Minute

// ValidityError reports that a CA certificate has expired or is not valid yet, so that nothing
// below it would be trusted.
type ValidityError struct {
	Subject             string
	NotBefore, NotAfter time.Time
	Now                 time.Time // what the clock said
}

// Error states the subject, its validity and the time, in UTC.
func (e *ValidityError) Error() string {
	return fmt.Sprintf("the CA certificate %q is valid from %s to %s; it is %s now", e.Subject,
		rfc3339(e.NotBefore), rfc3339(e.NotAfter), rfc3339(e.Now))
}

// within sets the validity of a certificate below path: from five minutes ago for a
// lifetime, but never outside what a certificate of the path has. Each of them must be in
// date, or a *ValidityError tells which is not.
func within(path []*x509.Certificate, lifetime time.Duration, now time.Time) (notBefore, notAfter time.Time, err error) {
	notBefore, notAfter = now.Add(-backdate), now.Add(lifetime)
	for _, c := range path {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return notBefore, notAfter, &ValidityError{Subject: c.Subject.String(), NotBefore: c.NotBefore, NotAfter: c.NotAfter, Now: now}
		}
		if notBefore.Before(c.NotBefore) {
			notBefore = c.NotBefore
		}
		if notAfter.After(c.NotAfter) {
			notAfter = c.NotAfter
		}
	}
	return notBefore, notAfter, nil
}
