package ca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AuthorityConfig is the content of a CA certificate.
type AuthorityConfig struct {
	Subject       pkix.Name     // the whole name; sessions carry it as x509Issuer/*
	Lifetime      time.Duration // from now; cut at the end of the issuer's own
	MaxPathLen    int           // how many CA certificates may follow below it; -1: as many as its issuer allows
	Constraints   NameConstraints
	CRLURLs       []string // URLs of the issuer's CRL, http or https; none: no CRL distribution point
	AllowWarnings []string // lint warnings that are not errors
	Host, Why     string   // for the record
	Once          bool     // as in Issued

	old *x509.Certificate // whose subject and key identifier are copied byte by byte
}

// ConfigOf returns a configuration from which a CA certificate could have been made: to make
// another one like it, with the same names.
func ConfigOf(cert *x509.Certificate) (AuthorityConfig, error) {
	constraints, err := constraintsOf(cert)
	if err != nil {
		return AuthorityConfig{}, err
	}
	c := AuthorityConfig{
		Subject:     cert.Subject,
		Lifetime:    lifetimeOf(cert),
		MaxPathLen:  -1,
		Constraints: constraints,
		CRLURLs:     cert.CRLDistributionPoints,
		old:         cert,
	}
	if limit, ok := pathLength(cert); ok {
		c.MaxPathLen = limit
	}
	return c, nil
}

// PrepareRoot prepares a self-signed root for a key, valid from five minutes before now, with the
// extensions that CreateTrustAnchor requires: CA true, keyCertSign, and cRLSign for revocation. A
// lint finding, other than a warning that c allows, is a *LintError.
//
// Source: IAM Roles Anywhere User Guide, "Trust model"; RFC 5280, 4.2.1.
func PrepareRoot(key crypto.Signer, c AuthorityConfig, now time.Time) (*Prepared, error) {
	template, err := c.template(nil, now)
	if err != nil {
		return nil, err
	}
	return c.draft(template, key.Public(), now).prepare(key, nil)
}

// PrepareCA prepares the certificate of an intermediate CA below this one. Its path length is never
// more than its issuer allows, and name constraints can only narrow those above. The caller must
// have verified that the requester has the private key, with CheckCSR. If this CA is not valid at
// now, the error is a *ValidityError; lint findings are a *LintError, as for a root.
func (a *Authority) PrepareCA(public crypto.PublicKey, c AuthorityConfig, now time.Time) (*Prepared, error) {
	if err := a.checkRoom(&c); err != nil {
		return nil, err
	}
	if err := a.distinct(public, c.Subject.String()); err != nil {
		return nil, err
	}
	template, err := c.template(a.path(), now)
	if err != nil {
		return nil, err
	}
	return c.draft(template, public, now).prepare(a.key, a.path())
}

// checkRoom compares the requested path length with what the path allows, and sets it if it was
// left open.
func (a *Authority) checkRoom(c *AuthorityConfig) error {
	if a.room == 0 {
		return &PathLengthError{Issuer: a.cert.Subject.String()}
	}
	if a.room > 0 && c.MaxPathLen > a.room-1 {
		return fmt.Errorf("the path length %d is more than the CA %q leaves: %d at most", c.MaxPathLen, a.cert.Subject, a.room-1)
	}
	if a.room > 0 && c.MaxPathLen == -1 {
		c.MaxPathLen = a.room - 1
	}
	return nil
}

// distinct refuses a certificate with the same key or the same name as one above it: verifiers tell
// certificates of a path apart by these.
func (a *Authority) distinct(public crypto.PublicKey, subject string) error {
	for _, c := range a.path() {
		if SameKey(c.PublicKey, public) {
			return fmt.Errorf("the key for %q is the key of the CA %q itself", subject, c.Subject)
		}
		if subject == c.Subject.String() {
			return nameError("the subject %q is that of a CA above it; give another name", subject)
		}
	}
	return nil
}

// template returns the certificate that the configuration describes; path is above it.
func (c *AuthorityConfig) template(path []*x509.Certificate, now time.Time) (*x509.Certificate, error) {
	switch {
	case c.Lifetime < time.Second:
		return nil, fmt.Errorf("the lifetime of the CA must be a second or longer, not %v", c.Lifetime)
	case c.MaxPathLen < -1:
		return nil, fmt.Errorf("the path length %d is negative; -1 sets no limit", c.MaxPathLen)
	}
	if strings.TrimSpace(c.Subject.CommonName) == "" {
		return nil, errors.New("the name of the CA must not be empty")
	}
	if err := CheckAllowed(c.AllowWarnings); err != nil {
		return nil, err
	}
	if err := checkCRLURLs(c.CRLURLs); err != nil {
		return nil, err
	}
	if err := c.Constraints.check(path); err != nil {
		return nil, err
	}
	notBefore, notAfter, err := within(path, c.Lifetime, now)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               c.Subject,
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLen:            c.MaxPathLen,
		MaxPathLenZero:        c.MaxPathLen == 0,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		CRLDistributionPoints: c.CRLURLs,
	}
	c.Constraints.addTo(template)
	if err := c.Constraints.fillDirectories(template); err != nil {
		return nil, err
	}
	if c.old != nil && c.old.Subject.String() == c.Subject.String() {
		template.RawSubject = c.old.RawSubject
	}
	return template, nil
}

func (c *AuthorityConfig) draft(template *x509.Certificate, public crypto.PublicKey, now time.Time) draft {
	if c.old != nil && SameKey(c.old.PublicKey, public) {
		template.SubjectKeyId = c.old.SubjectKeyId // certificates below name it
	}
	return draft{
		template: template, public: public, allowed: c.AllowWarnings,
		record: Issued{Host: c.Host, Why: c.Why, At: now, Once: c.Once},
	}
}

// PathLengthError reports that an authority, or one above it, may have no CA below.
type PathLengthError struct{ Issuer string }

func (e *PathLengthError) Error() string {
	return fmt.Sprintf("the path length of %q or of a CA above it allows no further CA below", e.Issuer)
}
