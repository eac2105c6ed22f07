// Package certinfo describes certificates for people and for scripts: as JSON, as rows of CSV and
// tables, and what lint found in them.
package certinfo

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Certificate is a certificate in JSON documents, and in lists. Times are UTC, in RFC 3339.
type Certificate struct {
	Serial        string    `json:"serial"`         // hex, as AWS writes it in source identities and session names
	SerialDecimal string    `json:"serial_decimal"` // as requests are signed with
	Fingerprint   string    `json:"fingerprint"`    // SHA-256, hex
	Kind          string    `json:"kind"`           // root, intermediate, leaf or server
	State         string    `json:"state"`          // valid, expired, revoked, held or pending
	Subject       string    `json:"subject"`        // RFC 2253
	CommonName    string    `json:"common_name"`
	Issuer        string    `json:"issuer"`
	DNS           []string  `json:"dns,omitempty"`
	URIs          []string  `json:"uri,omitempty"`
	IPs           []string  `json:"ip,omitempty"`
	Emails        []string  `json:"email,omitempty"`
	NotBefore     time.Time `json:"not_before"`
	NotAfter      time.Time `json:"not_after"`

	IssuedAt  time.Time  `json:"issued_at,omitzero"`
	Host      string     `json:"host,omitempty"`
	Profile   string     `json:"profile,omitempty"`
	Why       string     `json:"why,omitempty"`
	Replaces  string     `json:"replaces,omitempty"` // the fingerprint of what it renews
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Reason    string     `json:"reason,omitempty"` // of the revocation
}

// Of describes a record of the ledger. now decides the state. The error is that of a certificate
// that cannot be parsed.
func Of(c ledger.Certificate, now time.Time) (Certificate, error) {
	cert, err := c.X509()
	if err != nil {
		return Certificate{}, err
	}
	d := OfIssued(ca.Issued{Certificate: cert, Profile: c.Profile, Host: c.Host, Why: c.Why, Replaces: c.Replaces, At: c.IssuedAt})
	d.State, d.Kind = c.State(now), c.Kind
	if c.RevokedAt != nil {
		d.RevokedAt, d.Reason = c.RevokedAt, c.Reason.String()
	}
	return d, nil
}

// OfIssued describes what was issued just now.
func OfIssued(i ca.Issued) Certificate {
	c := i.Certificate
	d := Certificate{
		Serial:        ca.SerialHex(c),
		SerialDecimal: c.SerialNumber.String(),
		Fingerprint:   Fingerprint(c),
		Kind:          issuance.KindOf(c),
		State:         ledger.Valid,
		Subject:       c.Subject.String(),
		CommonName:    c.Subject.CommonName,
		Issuer:        c.Issuer.String(),
		DNS:           c.DNSNames,
		Emails:        c.EmailAddresses,
		NotBefore:     c.NotBefore.UTC(),
		NotAfter:      c.NotAfter.UTC(),
		IssuedAt:      i.At.UTC(),
		Host:          i.Host,
		Profile:       i.Profile,
		Why:           i.Why,
		Replaces:      hex.EncodeToString(i.Replaces),
	}
	if i.Server {
		d.Kind = ledger.Server
	}
	if i.Probe {
		d.Kind = ledger.Probe
	}
	for _, u := range c.URIs {
		d.URIs = append(d.URIs, u.String())
	}
	for _, ip := range c.IPAddresses {
		d.IPs = append(d.IPs, ip.String())
	}
	return d
}

// InWords describes the certificate of a name in messages.
func InWords(name string, c *x509.Certificate) string {
	return fmt.Sprintf("%q, serial %s, valid until %s", name, ca.SerialHex(c), report.Time(c.NotAfter))
}

// Fingerprint is the SHA-256 of a certificate in hex.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}
