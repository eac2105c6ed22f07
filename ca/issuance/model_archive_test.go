package issuance_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"kedge/ca/ledger"
)

// archive archives what has expired by the clock of a service. What the reference lets leave must be in the
// segments and nowhere else; all that comes after goes by the same rules as without an archive.
func (w *world) archive(sv *server) {
	w.t.Helper()
	now := w.clock(sv)
	if len(w.ref.usable(w.ref.issuing(), now)) != 0 {
		return // no authority to sign a segment
	}
	leaving := w.ref.leaving(now)
	w.log = append(w.log, fmt.Sprintf("%s %s: archive, want %d", now.Format("02T15:04:05"), sv.name, len(leaving)))
	done, err := sv.Archive(w.t.Context(), ledger.ArchiveOptions{Before: now, Dir: w.segments})
	if err != nil || done.Records != int64(len(leaving)) {
		w.fail("archive: %+v, %v, want %d", done, err, len(leaving))
	}
	if len(leaving) != 0 {
		w.ref.head++
		w.ref.at = w.ref.now(now)
	}
	for _, c := range leaving {
		c.archived = true
	}
	w.compare(sv)
	count := 0
	for c, err := range sv.l.ListArchived(w.t.Context(), w.segments, ledger.Filter{}, func(e *ledger.SegmentError) { w.fail("%v", e) }) {
		if err != nil || !w.ref.certs[c.Seq].archived {
			w.fail("certificate %d is in a segment, %v", c.Seq, err)
		}
		count++
	}
	if count != w.ref.archived() {
		w.fail("the segments have %d certificates, want %d", count, w.ref.archived())
	}
}

// archived is how many certificates have left.
func (r *reference) archived() (n int) {
	for _, c := range r.certs {
		if c.archived {
			n++
		}
	}
	return n
}

// leaving is what may leave at a time: superseded leaves that have expired and that nothing asks for any more.
func (r *reference) leaving(now time.Time) (all []*refCert) {
	newest, named, last := map[int64]bool{}, map[int64]bool{}, map[string]int64{}
	for _, l := range r.lineages {
		newest[l.newest] = true
	}
	for clone := range r.clones {
		var presented, kept int64
		if _, err := fmt.Sscan(clone, &presented, &kept); err != nil {
			panic(err)
		}
		named[presented], named[kept] = true, true
	}
	for seq, c := range r.certs {
		if c.kind == ledger.Leaf {
			last[c.name] = max(last[c.name], seq)
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(r.certs)) {
		c := r.certs[seq]
		stays := c.kind != ledger.Leaf || !c.notAfter.Before(now) || c.revoked || newest[seq] || newest[c.replacedBy] || named[seq] || last[c.name] == seq
		if !stays && !c.archived {
			all = append(all, c)
		}
	}
	return all
}
