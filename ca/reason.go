package ca

import (
	"fmt"
	"strings"
)

// Reason is why a certificate was revoked: a CRLReason of RFC 5280, 5.3.1.
type Reason int

// The reasons.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6 // the only one that can be undone
	RemoveFromCRL        Reason = 8 // in delta CRLs only: no longer on hold, or expired
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10 // of attribute certificates
)

// Reasons returns all reasons, in the order of their numbers. There is no 7.
func Reasons() []Reason {
	return []Reason{Unspecified, KeyCompromise, CACompromise, AffiliationChanged, Superseded, CessationOfOperation,
		CertificateHold, RemoveFromCRL, PrivilegeWithdrawn, AACompromise}
}

// String returns the name in kebab case, "key-compromise", which ParseReason takes.
func (r Reason) String() string {
	switch r {
	case Unspecified:
		return "unspecified"
	case KeyCompromise:
		return "key-compromise"
	case CACompromise:
		return "ca-compromise"
	case AffiliationChanged:
		return "affiliation-changed"
	case Superseded:
		return "superseded"
	case CessationOfOperation:
		return "cessation-of-operation"
	case CertificateHold:
		return "certificate-hold"
	case RemoveFromCRL:
		return "remove-from-crl"
	case PrivilegeWithdrawn:
		return "privilege-withdrawn"
	case AACompromise:
		return "aa-compromise"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// ParseReason reads the name of a reason: "key-compromise", or "keyCompromise" as RFC 5280
// and openssl write it, in any case.
func ParseReason(name string) (Reason, error) {
	plain := strings.ToLower(strings.ReplaceAll(name, "-", ""))
	var names []string
	for _, r := range Reasons() {
		if plain == strings.ReplaceAll(r.String(), "-", "") {
			return r, nil
		}
		names = append(names, r.String())
	}
	return 0, fmt.Errorf("there is no reason %q for a revocation; it must be one of %s", name, strings.Join(names, ", "))
}
