package main

import (
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// brief is describe from what the ledger's columns say, without reading the certificate: it
// lacks the subject alternative names and the decimal serial. Tables, which show neither, are
// made of it.
func brief(c ledger.Certificate, now time.Time) certificateJSON {
	d := certificateJSON{
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

// writeCertificates lists what the ledger returned.
func (h host) writeCertificates(f outputFlags, certs iter.Seq2[ledger.Certificate, error]) error {
	now := h.inputs.Now()
	return certificateListing().Write(h.Out, f.format(), func(yield func(certificateJSON, error) bool) {
		for c, err := range certs {
			var d certificateJSON
			if err == nil {
				d, err = f.describe(c, now)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	})
}

// describe reads as much of a certificate as the output shows.
func (f outputFlags) describe(c ledger.Certificate, now time.Time) (certificateJSON, error) {
	if !f.json && !f.csv {
		return brief(c, now), nil
	}
	return describe(c, now)
}

// describeAll is describe for the few that a command has at hand.
func describeAll(certs []ledger.Certificate, now time.Time) ([]certificateJSON, error) {
	all := []certificateJSON{}
	for _, c := range certs {
		d, err := describe(c, now)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// certificateListing is how lists of certificates look.
func certificateListing() report.Listing[certificateJSON] {
	return report.Listing[certificateJSON]{
		Key:     "certificates",
		JSON:    func(c certificateJSON) any { return c },
		Columns: certificateColumns(),
		CSV:     certificateCSV(),
	}
}

func certificateColumns() []report.Column[certificateJSON] {
	return []report.Column[certificateJSON]{
		{Head: "serial", Value: func(c certificateJSON) string { return c.Serial }},
		{Head: "state", Value: func(c certificateJSON) string { return c.State }},
		{Head: "valid until", Value: func(c certificateJSON) string { return rfc3339(c.NotAfter) }},
		{Head: "host", Value: func(c certificateJSON) string { return c.Host }},
		{Head: "subject", Value: func(c certificateJSON) string { return c.Subject }},
	}
}

// certificateCSV has the names and the order of the members in JSON.
func certificateCSV() []report.Column[certificateJSON] {
	words := func(all []string) string { return strings.Join(all, " ") }
	return []report.Column[certificateJSON]{
		{Head: "serial", Value: func(c certificateJSON) string { return c.Serial }},
		{Head: "serial_decimal", Value: func(c certificateJSON) string { return c.SerialDecimal }},
		{Head: "fingerprint", Value: func(c certificateJSON) string { return c.Fingerprint }},
		{Head: "kind", Value: func(c certificateJSON) string { return c.Kind }},
		{Head: "state", Value: func(c certificateJSON) string { return c.State }},
		{Head: "subject", Value: func(c certificateJSON) string { return c.Subject }},
		{Head: "common_name", Value: func(c certificateJSON) string { return c.CommonName }},
		{Head: "issuer", Value: func(c certificateJSON) string { return c.Issuer }},
		{Head: "names", Value: func(c certificateJSON) string { return words(slices.Concat(c.DNS, c.URIs, c.IPs, c.Emails)) }},
		{Head: "not_before", Value: func(c certificateJSON) string { return rfc3339(c.NotBefore) }},
		{Head: "not_after", Value: func(c certificateJSON) string { return rfc3339(c.NotAfter) }},
		{Head: "issued_at", Value: func(c certificateJSON) string { return rfc3339(c.IssuedAt) }},
		{Head: "host", Value: func(c certificateJSON) string { return c.Host }},
		{Head: "profile", Value: func(c certificateJSON) string { return c.Profile }},
		{Head: "why", Value: func(c certificateJSON) string { return c.Why }},
		{Head: "replaces", Value: func(c certificateJSON) string { return c.Replaces }},
		{Head: "revoked_at", Value: func(c certificateJSON) string {
			if c.RevokedAt == nil {
				return ""
			}
			return rfc3339(*c.RevokedAt)
		}},
		{Head: "reason", Value: func(c certificateJSON) string { return c.Reason }},
	}
}
