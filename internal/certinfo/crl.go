package certinfo

import (
	"fmt"
	"strings"

	"kedge/ca/issuance"
	"kedge/internal/report"
)

// warnDays is the number of days before a CRL becomes too large from which there is a warning.
const warnDays = 60

// CRLNotes describes what a list in a file has, and how long IAM Roles Anywhere will take it. mayMiss is
// whether it may lack what its authority revoked before it was taken over.
func CRLNotes(m *issuance.CRL, file string, mayMiss bool) (n report.Notes) {
	kind := fmt.Sprintf("list %d", m.Number)
	if m.Base != 0 {
		kind = fmt.Sprintf("list %d, a delta to list %d,", m.Number, m.Base)
	}
	changes := "what has changed is not known, since the last list is not in its file any more"
	if m.Compared {
		changes = fmt.Sprintf("%d added, %d removed", len(m.Added), len(m.Removed))
	}
	n.Done("wrote %s and .der: %s of %q with %d revoked (%s); the next is due before %s", file, kind, m.Issuer, m.Entries, changes, report.Time(m.NextUpdate))
	if m.Compared && len(m.Added) > 0 {
		n.Done("added %s", report.FirstOf(m.Added, report.MaxNamed, len(m.Added)))
	}
	if m.Compared && len(m.Removed) > 0 {
		n.Done("removed %s", report.FirstOf(m.Removed, report.MaxNamed, len(m.Removed)))
	}
	if m.NextUpdate.After(m.End) {
		n.Warn("%s counts until %s only, when its CA ends", file, report.Time(m.End))
	}
	if m.Base == 0 {
		n = append(n, sizeNote(m, file))
	}
	if mayMiss {
		n.Warn("the list of %q may lack certificates that it revoked before it was taken over: kedge-ca ledger import", m.Authority)
	}
	return n
}

// sizeNote returns how much room a complete list has left.
func sizeNote(m *issuance.CRL, file string) report.Note {
	var n report.Notes
	growth := "; it does not grow"
	if m.DaysLeft != nil {
		growth = fmt.Sprintf(", for about %.0f days at %.1f a day", *m.DaysLeft, m.PerDay)
	}
	text := fmt.Sprintf("%s has %d of %d bytes: room for %d more%s", file, m.Size, m.MaxSize, m.Room, growth)
	switch {
	case m.Size > m.MaxSize:
		n.Warn("%s has %d bytes; IAM Roles Anywhere takes %d at most: rotate to a new CA, or issue for shorter times", file, m.Size, m.MaxSize)
	case m.DaysLeft != nil && *m.DaysLeft < warnDays:
		n.Warn("%s: rotate to a new CA before, or issue for shorter times", text)
	default:
		n.Done("%s", text)
	}
	return n[0]
}

// DropQuestion asks whether to drop what a list has and the ledger lacks.
func DropQuestion(f *issuance.ForgottenError) string {
	if len(f.Serials) == 0 {
		return fmt.Sprintf("drop %s, of which the ledger has all revocations?", f.Where)
	}
	return fmt.Sprintf("let %s count again that list %d of %q revokes: %s?", report.Count(len(f.Serials), "certificate"), f.Number, f.Authority, strings.Join(f.Serials, ", "))
}
