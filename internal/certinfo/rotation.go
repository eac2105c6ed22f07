package certinfo

import (
	"fmt"
	"slices"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Authority is an authority in JSON documents.
type Authority struct {
	Name        string    `json:"name"`
	State       string    `json:"state"` // active, next or retired
	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"not_after"`
}

// OfAuthority returns what is shown of an authority.
func OfAuthority(a ledger.Authority) Authority {
	return Authority{a.Name, a.State, a.Certificate.Subject.String(), Fingerprint(a.Certificate), a.Certificate.NotAfter.UTC()}
}

// Rotation is the state of a rotation in JSON documents.
type Rotation struct {
	Phase   string     `json:"phase"`          // none, started or switched
	Root    *Authority `json:"root,omitempty"` // the only one, when no rotation is under way
	Old     *Authority `json:"old,omitempty"`
	New     *Authority `json:"new,omitempty"`
	Issuing string     `json:"issuing"`
}

// OfRotation returns what is shown of a rotation.
func OfRotation(r *issuance.Rotation) Rotation {
	d := Rotation{Phase: r.Phase(), Issuing: r.Issuing.Name}
	old := OfAuthority(r.Old)
	if r.Next == nil {
		d.Root = &old
		return d
	}
	next := OfAuthority(*r.Next)
	d.Old, d.New = &old, &next
	return d
}

// RotationFields are the fields that a person sees above the hosts.
func RotationFields(r *issuance.Rotation, t issuance.Tally) []report.Field {
	if r.Next == nil {
		return []report.Field{
			{"phase", "no rotation is under way"}, {"root", describeRoot(r.Old)}, {"issuing", r.Issuing.Name},
			{"hosts", fmt.Sprintf("%d below it, %d elsewhere", t.Moved, t.Remaining)},
		}
	}
	step := `update the trust anchor at AWS with "kedge-ca bundle", then: kedge-ca rotate switch`
	switch {
	case r.Phase() == issuance.PhaseStarted:
	case t.Remaining > 0:
		step = "renew the certificates of the hosts that remain; the last old one ends at " + report.Time(t.Until)
	default:
		step = "kedge-ca rotate finish"
	}
	return []report.Field{
		{"phase", r.Phase()}, {"old root", describeRoot(r.Old)}, {"new root", describeRoot(*r.Next)}, {"issuing", r.Issuing.Name},
		{"hosts", fmt.Sprintf("%d moved, %d remaining", t.Moved, t.Remaining)}, {"next step", step},
	}
}

func describeRoot(a ledger.Authority) string {
	return fmt.Sprintf("%s, %s, until %s", a.Name, a.Certificate.Subject, a.Certificate.NotAfter.UTC().Format(time.DateOnly))
}

// MovementListing lists the hosts below the state of a rotation. Its last two columns are whether and
// when a host has moved.
func MovementListing(r *issuance.Rotation, t issuance.Tally) report.Listing[issuance.Movement] {
	columns := []report.Column[issuance.Movement]{
		{Head: "host", Value: func(m issuance.Movement) string { return m.Host }},
		{Head: "name", Value: func(m issuance.Movement) string { return m.CommonName }},
		{Head: "serial", Value: func(m issuance.Movement) string { return m.Serial }},
		{Head: "authority", Value: func(m issuance.Movement) string { return m.Authority }},
		{Head: "valid until", Value: func(m issuance.Movement) string { return report.Time(m.NotAfter) }},
		{Head: "moved", Value: func(m issuance.Movement) string { return fmt.Sprint(m.Moved) }},
		{Head: "moved at", Value: func(m issuance.Movement) string {
			if m.At.IsZero() {
				return ""
			}
			return report.Time(m.At)
		}},
	}
	lines := slices.Clone(columns)
	for i := range lines {
		if lines[i].Head == "valid until" {
			lines[i].Head = "not_after" // as in JSON
		}
	}
	head := struct {
		Rotation
		Moved     int `json:"moved"` // hosts
		Remaining int `json:"remaining"`
	}{OfRotation(r), t.Moved, t.Remaining}
	return report.Listing[issuance.Movement]{Key: "hosts", Head: head, JSON: movementDocument, Columns: columns, CSV: lines}
}

// movementJSON is a host with one of its names in the JSON document.
type movementJSON struct {
	Host      string     `json:"host"`
	Subject   string     `json:"subject"`
	Serial    string     `json:"serial"` // of its newest valid certificate
	Authority string     `json:"authority"`
	NotAfter  time.Time  `json:"not_after"`
	Moved     bool       `json:"moved"`
	MovedAt   *time.Time `json:"moved_at,omitempty"`
}

func movementDocument(m issuance.Movement) any {
	d := movementJSON{m.Host, m.Subject, m.Serial, m.Authority, m.NotAfter, m.Moved, nil}
	if m.Moved {
		d.MovedAt = &m.At
	}
	return d
}
