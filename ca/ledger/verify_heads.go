package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"kedge/ca/ledger/segment"
)

// segmentHead is an entry that a manifest commits to.
type segmentHead struct {
	number int64 // of the segment
	hash   []byte
}

// commits collects the heads in a manifest, which link compares with the chain.
func (v *verifier) commits(s *segment.Segment) {
	a, beginning := &v.archive, fmt.Sprintf("0:%x", [hashSize]byte{})
	for _, text := range []string{s.Head, s.Before, s.After} {
		if text == beginning {
			continue
		}
		seq, hash, err := ParseHead(text)
		if err != nil {
			v.report.add("segments", s.Number, "%s: %v", s.File(), err)
			continue
		}
		a.heads[seq] = append(a.heads[seq], segmentHead{s.Number, hash})
	}
}

// checkHeads compares an entry with what manifests have of it.
func (v *verifier) checkHeads(e *Entry) {
	for _, h := range v.archive.heads[e.Seq] {
		if !bytes.Equal(h.hash, e.Hash) {
			v.report.add("segments", h.number, "entry %d has the hash %x, and not %x as when the segment was written: the chain was written anew", e.Seq, e.Hash, h.hash)
		}
	}
	delete(v.archive.heads, e.Seq)
}

// headsAfter reports the heads in manifests that the chain does not have: its end is missing.
func (v *verifier) headsAfter() {
	for _, seq := range slices.Sorted(maps.Keys(v.archive.heads)) {
		if seq <= v.seq {
			continue // a gap, which is reported, or a segment that cannot be read
		}
		for _, h := range v.archive.heads[seq] {
			v.report.add("segments", h.number, "the chain ends at %d; when the segment was written, it had the entry %d: its end is missing", v.seq, seq)
		}
	}
}
