package awshosts

import (
	"iter"
	"time"

	"kedge/internal/report"
)

// Listing returns how hosts are written.
func Listing() report.Listing[Host] {
	return report.Listing[Host]{Key: "hosts", JSON: func(h Host) any { return h }, Columns: []report.Column[Host]{
		{Head: "SUBJECT", Value: func(h Host) string { return h.Subject }},
		{Head: "STATE", Value: func(h Host) string { return h.State }},
		{Head: "LAST SEEN", Value: func(h Host) string { return written(h.LastSeen) }},
		{Head: "NOT AFTER", Value: func(h Host) string { return written(h.NotAfter) }},
		{Head: "SERIAL", Value: func(h Host) string { return h.Serial }},
	}}
}

func written(t *time.Time) string {
	if t == nil {
		return ""
	}
	return report.Time(*t)
}

// Records yields hosts for a Listing.
func Records(hosts []Host) iter.Seq2[Host, error] {
	return func(yield func(Host, error) bool) {
		for _, h := range hosts {
			if !yield(h, nil) {
				return
			}
		}
	}
}
