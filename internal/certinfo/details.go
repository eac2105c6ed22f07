package certinfo

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Details is all that is shown of a certificate, with what its sessions are called.
type Details struct {
	Certificate
	Key            string            `json:"key"` // its type
	IssuerKeyID    string            `json:"issuer_key_id"`
	SourceIdentity string            `json:"source_identity,omitempty"`
	SessionTags    map[string]string `json:"session_tags,omitempty"`
	ReplacedBySeq  int64             `json:"replaced_by_seq,omitempty"`
	Seq            int64             `json:"seq"` // of its entry in the ledger

	Cert *x509.Certificate `json:"-"`
	tags []ca.Tag
}

// DetailsOf reads all of a certificate.
func DetailsOf(c ledger.Certificate, now time.Time) (*Details, error) {
	cert, err := c.X509()
	if err != nil {
		return nil, err
	}
	d, err := Of(c, now)
	if err != nil {
		return nil, err
	}
	s := &Details{Certificate: d, Key: ca.KeyType(cert.PublicKey), IssuerKeyID: c.IssuerKeyID, Seq: c.Seq, ReplacedBySeq: c.ReplacedBy, Cert: cert}
	if c.Kind == ledger.Leaf {
		s.SourceIdentity, s.tags = ca.SourceIdentity(cert), ca.SessionTags(cert)
		s.SessionTags = Tags(s.tags)
	}
	return s, nil
}

// Fields are what a person sees.
func (d *Details) Fields() []report.Field {
	state := d.State
	if d.RevokedAt != nil {
		state = fmt.Sprintf("%s since %s (%s)", d.State, report.Time(*d.RevokedAt), d.Reason)
	}
	all := []report.Field{
		{"subject", d.Subject},
		{"issuer", d.Issuer},
		{"state", state},
		{"valid from", report.Time(d.NotBefore)},
		{"valid until", report.Time(d.NotAfter)},
		{"kind", d.Kind},
		{"key", d.Key},
		{"serial", d.Serial},
		{"serial, decimal", d.SerialDecimal},
		{"SHA-256", d.Fingerprint},
		{"DNS names", strings.Join(d.DNS, " ")},
		{"URIs", strings.Join(d.URIs, " ")},
		{"IP addresses", strings.Join(d.IPs, " ")},
		{"email addresses", strings.Join(d.Emails, " ")},
		{"source identity", d.SourceIdentity},
	}
	for _, tag := range d.tags {
		all = append(all, report.Field{"session tag", tag.Key + "=" + tag.Value})
	}
	renewedBy := ""
	if d.ReplacedBySeq != 0 {
		renewedBy = fmt.Sprintf("entry %d of the ledger", d.ReplacedBySeq)
	}
	return append(all,
		report.Field{"issued", fmt.Sprintf("%s, entry %d of the ledger", report.Time(d.IssuedAt), d.Seq)},
		report.Field{"host", d.Host},
		report.Field{"profile", d.Profile},
		report.Field{"why", d.Why},
		report.Field{"renews", d.Replaces},
		report.Field{"renewed by", renewedBy},
	)
}
