package ca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Revocation is one entry of a CRL.
type Revocation struct {
	Serial *big.Int  // positive, of a certificate that the CA issued
	At     time.Time // if later than the CRL's ThisUpdate, by another machine's clock, it is written as ThisUpdate
	Reason Reason
}

// CRLConfig is the content of a CRL besides its entries.
type CRLConfig struct {
	Number     *big.Int  // higher than those of all previous CRLs of this CA; at most 20 bytes
	ThisUpdate time.Time // within the validity of the CA certificate
	NextUpdate time.Time // the latest time of the next CRL
	BaseNumber *big.Int  // not nil: a delta CRL, relative to the CRL with this number
}

// CRL signs a list of revoked certificates: version 2, with CRL number and authority key
// identifier, and with BaseNumber the critical delta CRL indicator. Entries keep their order; an
// unspecified reason is left out, as RFC 5280, 5.3.1 recommends. It returns DER, whose signature
// has been verified.
//
// If the CA certificate lacks the key usage cRLSign, the error is a *CRLSignError; if ThisUpdate is
// outside its validity, a *ValidityError. A list larger than [MaxCRLSize] is no error, since it can
// serve others than Roles Anywhere: see [MeasureCRL]. Roles Anywhere accepts no delta CRLs.
//
// Source: RFC 5280, 5.1 to 5.3.
func (a *Authority) CRL(revoked []Revocation, c CRLConfig) ([]byte, error) {
	if err := a.checkCRL(c); err != nil {
		return nil, err
	}
	entries, err := crlEntries(revoked, c)
	if err != nil {
		return nil, err
	}
	template := &x509.RevocationList{
		Number: c.Number, ThisUpdate: c.ThisUpdate, NextUpdate: c.NextUpdate, RevokedCertificateEntries: entries,
	}
	if c.BaseNumber != nil {
		base, err := asn1.Marshal(c.BaseNumber)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = []pkix.Extension{{Id: oidDeltaCRLIndicator, Critical: true, Value: base}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign the CRL of %q: %w", a.cert.Subject, err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil || list.CheckSignatureFrom(a.cert) != nil {
		return nil, fmt.Errorf("the signature of the CRL of %q does not verify: its key is another's, or its key store is faulty", a.cert.Subject)
	}
	return der, nil
}

var oidDeltaCRLIndicator = asn1.ObjectIdentifier{2, 5, 29, 27} // RFC 5280, 5.2.4

// checkCRL checks everything but the entries.
func (a *Authority) checkCRL(c CRLConfig) error {
	switch {
	case a.cert.KeyUsage&x509.KeyUsageCRLSign == 0:
		return &CRLSignError{Subject: a.cert.Subject.String()}
	case len(a.cert.SubjectKeyId) == 0:
		return fmt.Errorf("the CA certificate %q lacks the subject key identifier, by which a CRL names its CA", a.cert.Subject)
	case !fitsNumber(c.Number):
		return fmt.Errorf("the CRL number is %v; it must be positive and at most %d bytes", c.Number, maxSerial)
	case c.BaseNumber != nil && (!fitsNumber(c.BaseNumber) || c.BaseNumber.Cmp(c.Number) >= 0):
		return fmt.Errorf("the delta CRL %v is based on %v; its base must be positive and have a lower number", c.Number, c.BaseNumber)
	case c.NextUpdate.Unix() <= c.ThisUpdate.Unix(): // times in a CRL have whole seconds
		return fmt.Errorf("the CRL is of %s, and its next update, %s, is not later", rfc3339(c.ThisUpdate), rfc3339(c.NextUpdate))
	case c.ThisUpdate.Before(a.cert.NotBefore) || c.ThisUpdate.After(a.cert.NotAfter):
		return &ValidityError{Subject: a.cert.Subject.String(), NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, Now: c.ThisUpdate}
	}
	return nil
}

// CRLSignError is returned when a CA certificate that another program issued lacks the key usage
// cRLSign. A root can renew itself with it: [Authority.PrepareRenewal].
type CRLSignError struct{ Subject string }

func (e *CRLSignError) Error() string {
	return fmt.Sprintf("the CA certificate %q lacks the key usage cRLSign; it cannot sign CRLs", e.Subject)
}

// fitsNumber: RFC 5280, 5.2.3.
func fitsNumber(n *big.Int) bool { return n != nil && n.Sign() > 0 && derSize(n) <= maxSerial }

func crlEntries(revoked []Revocation, c CRLConfig) ([]x509.RevocationListEntry, error) {
	entries := make([]x509.RevocationListEntry, len(revoked))
	seen := make(map[string]bool, len(revoked))
	for i, r := range revoked {
		if err := checkRevocation(r, c.BaseNumber != nil); err != nil {
			return nil, err
		}
		key := string(r.Serial.Bytes())
		if seen[key] {
			return nil, fmt.Errorf("the serial number %x is twice in the CRL", r.Serial)
		}
		seen[key] = true
		at := r.At
		if at.After(c.ThisUpdate) {
			at = c.ThisUpdate // RFC 5280, 5.1.2.4
		}
		entries[i] = x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: at, ReasonCode: int(r.Reason)}
	}
	return entries, nil
}

func checkRevocation(r Revocation, delta bool) error {
	switch {
	case r.Serial == nil:
		return errors.New("a revocation has no serial number")
	case r.Serial.Sign() <= 0:
		return fmt.Errorf("the revoked serial number is %v; it must be positive", r.Serial)
	case r.At.IsZero():
		return fmt.Errorf("the revocation of %x has no time", r.Serial)
	case !slices.Contains(Reasons(), r.Reason):
		return fmt.Errorf("the revocation of %x has the reason %d, which RFC 5280 does not know", r.Serial, int(r.Reason))
	case r.Reason == RemoveFromCRL && !delta:
		return fmt.Errorf("the revocation of %x has the reason %s, which only a delta CRL can give", r.Serial, r.Reason)
	}
	return nil
}
