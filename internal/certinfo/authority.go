package certinfo

import (
	"time"

	"kedge/ca/ledger"
)

// Authority is an authority in JSON documents.
type Authority struct {
	Name        string    `json:"name"`
	State       string    `json:"state"` // active, next or retired
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"not_after"`
}

// OfAuthority describes an authority of the ledger.
func OfAuthority(a ledger.Authority) Authority {
	return Authority{a.Name, a.State, a.Certificate.Subject.String(), Fingerprint(a.Certificate), a.Certificate.NotAfter.UTC()}
}
