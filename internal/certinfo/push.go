package certinfo

import (
	"fmt"

	"kedge/internal/awscrl"
	"kedge/internal/report"
)

// PushNotes describes what a push of a list to AWS did.
func PushNotes(r *awscrl.Result) (n report.Notes) {
	of := fmt.Sprintf("list %d of %q, with %d revoked", r.Number, r.Authority, r.Entries)
	switch r.Change {
	case awscrl.Imported:
		n.Done("imported %s, as %s: read back", of, r.ARN)
	case awscrl.Updated:
		n.Done("replaced list %d by %s, in %s: read back", r.Before, of, r.ARN)
	default:
		n.Done("%s has %s already", r.ARN, of)
	}
	for _, twin := range r.Twins {
		n.Warn("%s is another list of %q, which is not kept up to date: aws rolesanywhere delete-crl --crl-id %s", twin, r.Authority, twin)
	}
	return n
}

// TakenNotes describes what was taken from a list at AWS into the ledger.
func TakenNotes(authority string, t awscrl.Taken) (n report.Notes) {
	n.Done("took list %d of %q, which AWS has as %s, into the ledger: %s", t.Number, authority, t.ARN, report.Count(len(t.Serials), "revocation"))
	if len(t.Serials) > 0 {
		n.Done("revoked %s", report.FirstOf(t.Serials, report.MaxNamed, len(t.Serials)))
	}
	n.Next("make a list that has them, and push it: kedge-ca crl --issuer %s; kedge-ca aws crl push --issuer %s", authority, authority)
	return n
}
