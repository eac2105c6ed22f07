package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"kedge/ca"
)

// The kinds of certificates.
const (
	Root         = "root"
	Intermediate = "intermediate"
	Leaf         = "leaf"
	Server       = "server" // of an enrollment server
	Probe        = "probe"  // of a probe of AWS
)

// The states of certificates.
const (
	Valid   = "valid"
	Expired = "expired"
	Revoked = "revoked" // expired or not
	Held    = "held"    // revoked for the reason certificate-hold
	Pending = "pending" // not valid yet
)

// Certificate is a certificate in the ledger, with its state.
type Certificate struct {
	Seq         int64 // of its entry
	IssuedAt    time.Time
	Fingerprint []byte // SHA-256 of DER
	Serial      string // hexadecimal, lower case, of even length
	Subject     string // RFC 2253
	CommonName  string
	Issuer      string // RFC 2253
	IssuerKeyID string // hexadecimal
	Kind        string // Root, Intermediate, Leaf, Server or Probe
	NotBefore   time.Time
	NotAfter    time.Time
	Host        string
	Profile     string
	Why         string
	Replaces    []byte     // fingerprint of the certificate that it renewed; nil otherwise
	ReplacedBy  int64      // Seq of the last certificate that renewed it; 0 otherwise
	RevokedAt   *time.Time // nil when it is not revoked
	Reason      ca.Reason  // of the revocation
	DER         []byte
	KeyHash     []byte // of its key: ca.KeyHash
	Lineage     int64  // Seq of the first certificate of its lineage; 0 for a CA
	IssuerKey   []byte // ca.KeyHash of the issuer; empty if unknown in schema 1

	serial, keyID []byte
	revokedSeq    sql.NullInt64
	standing      *standing // of the newest of a lineage, read by Ledger.Certificate; otherwise nil
}

// X509 parses the certificate.
func (c *Certificate) X509() (*x509.Certificate, error) {
	cert, err := ca.ParseCertificate(c.DER)
	if err != nil {
		return nil, fmt.Errorf("certificate %d of the ledger: %w", c.Seq, err)
	}
	return cert, nil
}

// State returns the state of the certificate at a time: Held, Revoked, Expired, Pending or Valid,
// the first that applies.
func (c *Certificate) State(now time.Time) string {
	switch {
	case c.RevokedAt != nil && c.Reason == ca.CertificateHold:
		return Held
	case c.RevokedAt != nil:
		return Revoked
	case now.After(c.NotAfter):
		return Expired
	case now.Before(c.NotBefore):
		return Pending
	}
	return Valid
}

// SANs parses the certificate and returns its subject alternative names.
func (c *Certificate) SANs() (SANs, error) {
	cert, err := c.X509()
	if err != nil {
		return SANs{}, err
	}
	return sansOf(cert), nil
}

// SANs are the subject alternative names of a certificate, in its order.
type SANs struct {
	DNS    []string // as in the certificate
	URIs   []string
	IPs    []string
	Emails []string
}

func sansOf(c *x509.Certificate) SANs {
	s := SANs{DNS: c.DNSNames, Emails: c.EmailAddresses}
	for _, uri := range c.URIs {
		s.URIs = append(s.URIs, uri.String())
	}
	for _, ip := range c.IPAddresses {
		s.IPs = append(s.IPs, ip.String())
	}
	return s
}

type name struct{ kind, value string }

// list returns the names as they are stored. DNS names are stored in lower case, since they are
// compared without case.
func (s *SANs) list() []name {
	var all []name
	for _, kind := range []struct {
		name   string
		values []string
	}{{"dns", s.DNS}, {"uri", s.URIs}, {"ip", s.IPs}, {"email", s.Emails}} {
		for _, v := range kind.values {
			if kind.name == "dns" {
				v = strings.ToLower(v)
			}
			all = append(all, name{kind.name, text(v)})
		}
	}
	return all
}

const certificateColumns = `c.seq, c.issued_at, c.fingerprint, c.serial, c.issuer_key_id, c.kind, c.not_before, c.not_after, c.revoked_at, c.reason, c.revoked_seq,
	c.replaces, c.replaced_seq, c.common_name, c.subject, c.issuer, c.host, c.profile, c.why, c.der, c.key_hash, c.issuer_key, c.lineage`

func scanCertificate(row scanner) (Certificate, error) {
	var c Certificate
	var issued, notBefore, notAfter int64
	var revoked, reason, replaced, lineage sql.NullInt64
	err := row.Scan(&c.Seq, &issued, &c.Fingerprint, &c.serial, &c.keyID, &c.Kind, &notBefore, &notAfter, &revoked, &reason, &c.revokedSeq,
		&c.Replaces, &replaced, &c.CommonName, &c.Subject, &c.Issuer, &c.Host, &c.Profile, &c.Why, &c.DER,
		&c.KeyHash, &c.IssuerKey, &lineage)
	c.IssuedAt, c.NotBefore, c.NotAfter = time.UnixMicro(issued).UTC(), time.UnixMicro(notBefore).UTC(), time.UnixMicro(notAfter).UTC()
	c.Serial, c.IssuerKeyID = hex.EncodeToString(c.serial), hex.EncodeToString(c.keyID)
	c.ReplacedBy, c.Lineage, c.Reason = replaced.Int64, lineage.Int64, ca.Reason(reason.Int64)
	if revoked.Valid {
		at := time.UnixMicro(revoked.Int64).UTC()
		c.RevokedAt = &at
	}
	return c, err
}

// certificates returns those that match a condition.
func (s *session) certificates(ctx context.Context, where string, args ...any) ([]Certificate, error) {
	rows, err := s.conn.QueryContext(ctx, s.e.sql("SELECT "+certificateColumns+" FROM certificates c WHERE "+where), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanCertificate)
}

// certificate returns the one that matches a condition, or nil.
func (s *session) certificate(ctx context.Context, where string, args ...any) (*Certificate, error) {
	all, err := s.certificates(ctx, where, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

func (c *Certificate) revokedError() error {
	return &RevokedError{Fingerprint: c.Fingerprint, Subject: c.Subject, At: *c.RevokedAt, Reason: c.Reason}
}

// Describe returns a certificate as a ledger that does not have it would store it: its Seq is 0.
func Describe(cert *x509.Certificate) Certificate { return newCertificate(cert) }

// IssuedBy reports whether the key of an authority signed the certificate, whatever name and
// certificate the authority had then.
func (c *Certificate) IssuedBy(authority *x509.Certificate) bool {
	key := ca.KeyHash(authority)
	return bytes.Equal(c.IssuerKey, key[:])
}

// newCertificate returns the row of a certificate, without the columns that depend on its entry.
func newCertificate(c *x509.Certificate) Certificate {
	fingerprint := sha256.Sum256(c.Raw)
	key := ca.KeyHash(c)
	row := Certificate{
		Fingerprint: fingerprint[:],
		KeyHash:     key[:],
		serial:      c.SerialNumber.Bytes(),
		Subject:     text(c.Subject.String()),
		CommonName:  text(c.Subject.CommonName),
		Issuer:      text(c.Issuer.String()),
		keyID:       issuerKeyID(c),
		Kind:        kindOf(c),
		NotBefore:   c.NotBefore.UTC(),
		NotAfter:    c.NotAfter.UTC(),
		DER:         c.Raw,
	}
	if len(row.serial) == 0 {
		row.serial = []byte{0}
	}
	row.Serial, row.IssuerKeyID = hex.EncodeToString(row.serial), hex.EncodeToString(row.keyID)
	return row
}

// text makes a name of a foreign certificate storable; names of our own need no change.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func kindOf(c *x509.Certificate) string {
	switch {
	case !c.IsCA:
		return Leaf
	case string(c.RawSubject) == string(c.RawIssuer):
		return Root
	}
	return Intermediate
}

// issuerKeyID returns the key identifier of the issuer, by which CRLs are made: one CA can have
// several certificates. A root without one has its own.
func issuerKeyID(c *x509.Certificate) []byte {
	id := c.AuthorityKeyId
	if len(id) == 0 && kindOf(c) == Root {
		id = c.SubjectKeyId
	}
	if id == nil {
		id = []byte{}
	}
	return id
}
