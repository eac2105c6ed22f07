package ca

import (
	"crypto/x509"
	"fmt"
	"time"
)

// backdate is the time by which notBefore is in the past, for hosts whose clock is slow.
const backdate = 5 * time.Minute

// ValidityError reports that a CA certificate has expired or is not valid yet, so that no
// certificate below it would be trusted.
type ValidityError struct {
	Subject             string
	NotBefore, NotAfter time.Time
	Now                 time.Time // the time of the check
}

// Error states the subject, its validity and the time, in UTC.
func (e *ValidityError) Error() string {
	return fmt.Sprintf("the CA certificate %q is valid from %s to %s; it is %s now", e.Subject,
		rfc3339(e.NotBefore), rfc3339(e.NotAfter), rfc3339(e.Now))
}

// within returns the validity of a certificate below path: from five minutes ago for a lifetime,
// but never outside the validity of a certificate of the path. If one of those is not valid at now,
// the error is a *ValidityError.
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
