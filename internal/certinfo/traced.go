package certinfo

import (
	"cmp"
	"iter"
	"time"

	"kedge/ca"
	"kedge/internal/hosttrail"
	"kedge/internal/report"
)

// Traced is an event of CloudTrail with the certificate of the host behind it.
type Traced struct {
	Time      time.Time `json:"time"` // of the event, UTC
	Event     string    `json:"event"`
	Source    string    `json:"source"` // sts.amazonaws.com
	EventID   string    `json:"event_id"`
	Account   string    `json:"account"` // that received the event
	Region    string    `json:"region"`
	ErrorCode string    `json:"error_code,omitempty"`
	Caller    string    `json:"caller"`
	FoundBy   string    `json:"found_by"` // see hosttrail.By
	Certificate
}

// Unknown is the state of a certificate that is in a request and not in the ledger.
const Unknown = "unknown"

// AllTraced describes events for a format.
func AllTraced(events iter.Seq2[hosttrail.Traced, error], f report.Format, now time.Time) iter.Seq2[Traced, error] {
	return func(yield func(Traced, error) bool) {
		for t, err := range events {
			var row Traced
			if err == nil {
				row, err = tracedRow(t, f, now)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func tracedRow(t hosttrail.Traced, f report.Format, now time.Time) (Traced, error) {
	row := Traced{
		Time: t.Time.UTC(), Event: t.Name, Source: t.Source, EventID: t.ID, Account: t.Account, Region: t.Region,
		ErrorCode: t.ErrorCode, Caller: t.Caller, FoundBy: string(t.By),
	}
	var err error
	if t.Host != nil {
		row.Certificate, err = For(f, *t.Host, now)
		return row, err
	}
	row.Certificate = OfIssued(ca.Issued{Certificate: t.Foreign})
	row.State = Unknown
	return row, nil
}

// TracedListing is how lists of them look.
func TracedListing() report.Listing[Traced] {
	columns := []report.Column[Traced]{
		{Head: "time", Value: func(t Traced) string { return report.Time(t.Time) }},
		{Head: "event", Value: func(t Traced) string { return t.Event }},
		{Head: "error", Value: func(t Traced) string { return t.ErrorCode }},
		{Head: "host", Value: func(t Traced) string { return cmp.Or(t.Host, t.CommonName) }},
		{Head: "serial", Value: func(t Traced) string { return t.Serial }},
		{Head: "state", Value: func(t Traced) string { return t.State }},
		{Head: "issued at", Value: func(t Traced) string { return issuedAt(t.Certificate) }},
		{Head: "found by", Value: func(t Traced) string { return t.FoundBy }},
	}
	lines := []report.Column[Traced]{
		{Head: "time", Value: func(t Traced) string { return report.Time(t.Time) }},
		{Head: "event", Value: func(t Traced) string { return t.Event }},
		{Head: "source", Value: func(t Traced) string { return t.Source }},
		{Head: "event_id", Value: func(t Traced) string { return t.EventID }},
		{Head: "account", Value: func(t Traced) string { return t.Account }},
		{Head: "region", Value: func(t Traced) string { return t.Region }},
		{Head: "error_code", Value: func(t Traced) string { return t.ErrorCode }},
		{Head: "caller", Value: func(t Traced) string { return t.Caller }},
		{Head: "found_by", Value: func(t Traced) string { return t.FoundBy }},
	}
	for _, c := range CSV() {
		lines = append(lines, report.Column[Traced]{Head: c.Head, Value: func(t Traced) string { return c.Value(t.Certificate) }})
	}
	return report.Listing[Traced]{Key: "events", JSON: func(t Traced) any { return t }, Columns: columns, CSV: lines}
}

// issuedAt is empty for a certificate that is not in the ledger.
func issuedAt(c Certificate) string {
	if c.IssuedAt.IsZero() {
		return ""
	}
	return report.Time(c.IssuedAt)
}
