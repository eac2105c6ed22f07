package main

import (
	"iter"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/certinfo"
)

// issuedJSON is a certificate that was issued, with its files, in lists.
type issuedJSON struct {
	certinfo.Certificate
	Files identityFiles `json:"files"`
}

// writeCertificates lists certificates of the ledger.
func (h host) writeCertificates(f outputFlags, certs iter.Seq2[ledger.Certificate, error]) error {
	now := h.inputs.Now()
	return certinfo.Listing().Write(h.Out, f.format(), func(yield func(certinfo.Certificate, error) bool) {
		for c, err := range certs {
			var d certinfo.Certificate
			if err == nil {
				d, err = f.describe(c, now)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	})
}

// describe parses as much of a certificate as the output shows.
func (f outputFlags) describe(c ledger.Certificate, now time.Time) (certinfo.Certificate, error) {
	if !f.json && !f.csv {
		return certinfo.Brief(c, now), nil
	}
	return certinfo.Of(c, now)
}
