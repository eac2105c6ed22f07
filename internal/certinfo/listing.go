package certinfo

import (
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Brief is Of from what the ledger's columns say, without reading the certificate: it
// lacks the subject alternative names and the decimal serial. Tables, which show neither, are
// made of it.
func Brief(c ledger.Certificate, now time.Time) Certificate {
	d := Certificate{
		Serial:      c.Serial,
		Fingerprint: hex.EncodeToString(c.Fingerprint),
		Kind:        c.Kind,
		State:       c.State(now),
		Subject:     c.Subject,
		CommonName:  c.CommonName,
		Issuer:      c.Issuer,
		NotBefore:   c.NotBefore,
		NotAfter:    c.NotAfter,
		IssuedAt:    c.IssuedAt,
		Host:        c.Host,
		Profile:     c.Profile,
		Why:         c.Why,
		Replaces:    hex.EncodeToString(c.Replaces),
		RevokedAt:   c.RevokedAt,
	}
	if c.RevokedAt != nil {
		d.Reason = c.Reason.String()
	}
	return d
}

// For describes as much of a record as a format shows.
func For(f report.Format, c ledger.Certificate, now time.Time) (Certificate, error) {
	if f == report.Text {
		return Brief(c, now), nil
	}
	return Of(c, now)
}

// Certificates describes records for a format.
func Certificates(certs iter.Seq2[ledger.Certificate, error], f report.Format, now time.Time) iter.Seq2[Certificate, error] {
	return func(yield func(Certificate, error) bool) {
		for c, err := range certs {
			var d Certificate
			if err == nil {
				d, err = For(f, c, now)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// All is Of for the few that a command has at hand.
func All(certs []ledger.Certificate, now time.Time) ([]Certificate, error) {
	all := []Certificate{}
	for _, c := range certs {
		d, err := Of(c, now)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// Listing is how lists of certificates look.
func Listing() report.Listing[Certificate] {
	return report.Listing[Certificate]{
		Key:     "certificates",
		JSON:    func(c Certificate) any { return c },
		Columns: Columns(),
		CSV:     CSV(),
	}
}

// Columns are those of a table.
func Columns() []report.Column[Certificate] {
	return []report.Column[Certificate]{
		{Head: "serial", Value: func(c Certificate) string { return c.Serial }},
		{Head: "state", Value: func(c Certificate) string { return c.State }},
		{Head: "valid until", Value: func(c Certificate) string { return report.Time(c.NotAfter) }},
		{Head: "host", Value: func(c Certificate) string { return c.Host }},
		{Head: "subject", Value: func(c Certificate) string { return c.Subject }},
	}
}

// CSV are the columns of CSV, with the names and in the order of the members in JSON.
func CSV() []report.Column[Certificate] {
	words := func(all []string) string { return strings.Join(all, " ") }
	return []report.Column[Certificate]{
		{Head: "serial", Value: func(c Certificate) string { return c.Serial }},
		{Head: "serial_decimal", Value: func(c Certificate) string { return c.SerialDecimal }},
		{Head: "fingerprint", Value: func(c Certificate) string { return c.Fingerprint }},
		{Head: "kind", Value: func(c Certificate) string { return c.Kind }},
		{Head: "state", Value: func(c Certificate) string { return c.State }},
		{Head: "subject", Value: func(c Certificate) string { return c.Subject }},
		{Head: "common_name", Value: func(c Certificate) string { return c.CommonName }},
		{Head: "issuer", Value: func(c Certificate) string { return c.Issuer }},
		{Head: "names", Value: func(c Certificate) string { return words(slices.Concat(c.DNS, c.URIs, c.IPs, c.Emails)) }},
		{Head: "not_before", Value: func(c Certificate) string { return report.Time(c.NotBefore) }},
		{Head: "not_after", Value: func(c Certificate) string { return report.Time(c.NotAfter) }},
		{Head: "issued_at", Value: issuedAt},
		{Head: "host", Value: func(c Certificate) string { return c.Host }},
		{Head: "profile", Value: func(c Certificate) string { return c.Profile }},
		{Head: "why", Value: func(c Certificate) string { return c.Why }},
		{Head: "replaces", Value: func(c Certificate) string { return c.Replaces }},
		{Head: "revoked_at", Value: func(c Certificate) string {
			if c.RevokedAt == nil {
				return ""
			}
			return report.Time(*c.RevokedAt)
		}},
		{Head: "reason", Value: func(c Certificate) string { return c.Reason }},
	}
}
