package main

import (
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger"
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
	return certificateListing().write(h.Out, f, func(yield func(certificateJSON, error) bool) {
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
func certificateListing() listing[certificateJSON] {
	return listing[certificateJSON]{
		key:     "certificates",
		json:    func(c certificateJSON) any { return c },
		columns: certificateColumns(),
		csv:     certificateCSV(),
	}
}

func certificateColumns() []column[certificateJSON] {
	return []column[certificateJSON]{
		{"serial", func(c certificateJSON) string { return c.Serial }},
		{"state", func(c certificateJSON) string { return c.State }},
		{"valid until", func(c certificateJSON) string { return rfc3339(c.NotAfter) }},
		{"host", func(c certificateJSON) string { return c.Host }},
		{"subject", func(c certificateJSON) string { return c.Subject }},
	}
}

// certificateCSV has the names and the order of the members in JSON.
func certificateCSV() []column[certificateJSON] {
	words := func(all []string) string { return strings.Join(all, " ") }
	return []column[certificateJSON]{
		{"serial", func(c certificateJSON) string { return c.Serial }},
		{"serial_decimal", func(c certificateJSON) string { return c.SerialDecimal }},
		{"fingerprint", func(c certificateJSON) string { return c.Fingerprint }},
		{"kind", func(c certificateJSON) string { return c.Kind }},
		{"state", func(c certificateJSON) string { return c.State }},
		{"subject", func(c certificateJSON) string { return c.Subject }},
		{"common_name", func(c certificateJSON) string { return c.CommonName }},
		{"issuer", func(c certificateJSON) string { return c.Issuer }},
		{"names", func(c certificateJSON) string { return words(slices.Concat(c.DNS, c.URIs, c.IPs, c.Emails)) }},
		{"not_before", func(c certificateJSON) string { return rfc3339(c.NotBefore) }},
		{"not_after", func(c certificateJSON) string { return rfc3339(c.NotAfter) }},
		{"issued_at", func(c certificateJSON) string { return rfc3339(c.IssuedAt) }},
		{"host", func(c certificateJSON) string { return c.Host }},
		{"profile", func(c certificateJSON) string { return c.Profile }},
		{"why", func(c certificateJSON) string { return c.Why }},
		{"replaces", func(c certificateJSON) string { return c.Replaces }},
		{"revoked_at", func(c certificateJSON) string {
			if c.RevokedAt == nil {
				return ""
			}
			return rfc3339(*c.RevokedAt)
		}},
		{"reason", func(c certificateJSON) string { return c.Reason }},
	}
}
