package certinfo

import (
	"iter"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/report"
)

// Found is a certificate with what it was found by.
type Found struct {
	FoundBy string `json:"found_by"` // serial, subject, common name, …
	Certificate
}

// AllFound describes what was found, for a format.
func AllFound(found []issuance.Match, f report.Format, now time.Time) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		for _, m := range found {
			d, err := For(f, m.Certificate, now)
			if !yield(Found{FoundBy: m.By.String(), Certificate: d}, err) || err != nil {
				return
			}
		}
	}
}

// FoundListing is how lists of them look.
func FoundListing() report.Listing[Found] {
	by := report.Column[Found]{Head: "found by", Value: func(w Found) string { return w.FoundBy }}
	columns, lines := []report.Column[Found]{}, []report.Column[Found]{by}
	for _, c := range Columns() {
		columns = append(columns, report.Column[Found]{Head: c.Head, Value: func(w Found) string { return c.Value(w.Certificate) }})
	}
	for _, c := range CSV() {
		lines = append(lines, report.Column[Found]{Head: c.Head, Value: func(w Found) string { return c.Value(w.Certificate) }})
	}
	return report.Listing[Found]{Key: "certificates", JSON: func(w Found) any { return w }, Columns: append(columns, by), CSV: lines}
}
