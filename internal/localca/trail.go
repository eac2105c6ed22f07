package localca

import (
	"context"
	"iter"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cloudtrail"
	"kedge/internal/hosttrail"
)

// TrailRequest names events of CloudTrail, and takes what of them, or of the archive, cannot be read.
type TrailRequest struct {
	Path       string // of a file or a folder: see cloudtrail.Read
	Archive    string // folder; empty: that in the CA's folder
	Damaged    func(*cloudtrail.DamagedError)
	Incomplete func(error) // the first segment that cannot be read; there is a warning for each other one
	Others     func()      // called for each event that leads to no host of this CA; may be nil
}

// Trail yields the events of hosts, with the certificates behind them. The error comes last.
func (c *CA) Trail(ctx context.Context, r TrailRequest) iter.Seq2[hosttrail.Traced, error] {
	var first error
	seen := map[int64]bool{}
	broken := func(e *ledger.SegmentError) {
		if !seen[e.Number] { // each query reads all segments
			seen[e.Number] = true
			first = c.broken(first, e)
			r.Incomplete(first)
		}
	}
	dir := archiveFolder(c.folder, r.Archive)
	t := hosttrail.Tracer{Find: func(q issuance.Query) ([]ledger.Certificate, error) {
		found, err := c.Service.FindQueries(ctx, []issuance.Query{q}, dir, broken)
		certs := make([]ledger.Certificate, len(found))
		for i, m := range found {
			certs[i] = m.Certificate
		}
		return certs, err
	}}
	return func(yield func(hosttrail.Traced, error) bool) {
		for event, err := range cloudtrail.Read(r.Path, r.Damaged) {
			var hosts []hosttrail.Traced
			if err == nil {
				hosts, err = t.Behind(event)
			}
			if err != nil {
				yield(hosttrail.Traced{}, err)
				return
			}
			if len(hosts) == 0 && r.Others != nil {
				r.Others()
			}
			for _, h := range hosts {
				if !yield(h, nil) {
					return
				}
			}
		}
	}
}
