package ledger

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger/segment"
)

// archive is what a verifier reads from segments, in the order of the chain: it merges them.
type archive struct {
	dir     string // empty: it was not given
	rows    []segmentRow
	open    []*segment.Segment // nil: cannot be read
	entries map[int64]segmentRow
	streams streams
	page    []*archivedRecord       // of the page of the chain that is being checked
	checked int                     // of the page: certificates that were checked
	count   int64                   // records that only segments have
	gone    map[int64]int64         // records that left, by number of the segment
	heads   map[int64][]segmentHead // by number of the entry

	// incomplete is set when a segment cannot be read: what follows from its records is not checked.
	incomplete bool
	horizon    int64 // the last record of any segment
	// successors has the certificates of the database whose replaced_seq is not in it, and renewed those
	// of which a segment has that one.
	successors map[int64]int64
	renewed    map[int64]bool
}

// stream is the rest of a segment.
type stream struct {
	number  int64
	s       *segment.Segment
	block   int // the next one
	records []segment.Record
}

// next returns the number of the next record; ok is false at the end.
func (s *stream) next() (seq int64, ok bool) {
	switch {
	case len(s.records) != 0:
		return s.records[0].Seq, true
	case s.block < len(s.s.Data):
		return s.s.Data[s.block].First, true
	}
	return 0, false
}

// streams is a heap of segments, by the next record; of the same record, the last segment comes first.
type streams []*stream

func (s streams) Len() int      { return len(s) }
func (s streams) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *streams) Push(x any)   { *s = append(*s, x.(*stream)) }
func (s *streams) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

func (s streams) Less(i, j int) bool {
	a, _ := s[i].next()
	b, _ := s[j].next()
	return a < b || a == b && s[i].number > s[j].number
}

// openSegments opens the segments that the table names.
func (v *verifier) openSegments(ctx context.Context) (err error) {
	a := &v.archive
	if a.rows, err = readSegments(ctx, v.conn); err != nil {
		return err
	}
	a.entries, a.gone, a.successors, a.renewed = map[int64]segmentRow{}, map[int64]int64{}, map[int64]int64{}, map[int64]bool{}
	a.heads = map[int64][]segmentHead{}
	for _, r := range a.rows {
		a.horizon = max(a.horizon, r.last)
		s, err := r.open(a.dir, anySigner) // checkSegments checks who signed it, when the chain has been read
		if err != nil {
			v.unreadable(r.number, err)
			continue
		}
		a.open = append(a.open, s)
		v.describes(&r, s)
		v.commits(s)
		a.streams = append(a.streams, &stream{number: r.number, s: s})
	}
	heap.Init(&a.streams)
	v.report.Unknown = unknownFiles(a.dir, a.rows)
	return nil
}

// unknownFiles returns the paths of the files in a folder that have the name of a segment, or of one that is
// being written, and are none of the ledger.
func unknownFiles(dir string, rows []segmentRow) (unknown []string) {
	if dir == "" {
		return nil
	}
	for _, name := range segment.Files(dir) {
		if !slices.ContainsFunc(rows, func(r segmentRow) bool { return r.file == name }) {
			unknown = append(unknown, filepath.Join(dir, name))
		}
	}
	return unknown
}

func anySigner(*x509.Certificate) bool { return true }

// unreadable reports a segment that cannot be read, or not further.
func (v *verifier) unreadable(number int64, err error) {
	v.archive.incomplete = true
	v.report.unread(number, err)
}

// describes compares what the table has of a segment with its manifest.
func (v *verifier) describes(r *segmentRow, s *segment.Segment) {
	m := &s.Manifest
	head, _, _ := ParseHead(m.Head)
	got := segmentRow{number: m.Number, records: m.Records, first: m.First, last: m.Last, head: head, file: s.Name(), digest: s.Digest()}
	for i, text := range r.differs(&got) {
		if i == 0 {
			v.report.add("segments", r.number, "the file %s is of another segment: %s", s.File(), text)
		}
	}
}

// differs returns the columns in which the row of a segment is not as another; of those that never change.
func (r *segmentRow) differs(want *segmentRow) (all []string) {
	for _, c := range []struct {
		column    string
		got, want any
	}{
		{"number", r.number, want.number}, {"file", r.file, want.file}, {"digest", r.digest, want.digest}, {"records", r.records, want.records},
		{"first_seq", r.first, want.first}, {"last_seq", r.last, want.last}, {"head_seq", r.head, want.head},
	} {
		if !same(c.got, c.want) {
			all = append(all, fmt.Sprintf("%s is %s; it was written as %s", c.column, show(c.got), show(c.want)))
		}
	}
	return all
}

func (v *verifier) closeSegments() error {
	var errs []error
	for _, s := range v.archive.open {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// moved reads the records of segments up to a number, at most a page. It returns the number up to which
// it has read them all.
func (v *verifier) moved(to int64) int64 {
	a := &v.archive
	a.page, a.checked = nil, 0
	for len(a.streams) != 0 {
		top := a.streams[0]
		seq, ok := top.next()
		if !ok {
			heap.Pop(&a.streams)
			if err := top.s.CheckIndex(); err != nil {
				v.unreadable(top.number, err)
			}
			continue
		}
		if seq > to {
			break
		}
		if len(a.page) == page && seq > a.page[page-1].entry.Seq {
			return a.page[page-1].entry.Seq
		}
		if r := v.take(top); r != nil {
			a.page = append(a.page, r)
		}
		heap.Fix(&a.streams, 0)
	}
	return to
}

// take takes the next record of a stream; nil if a later segment has it, too, or it cannot be read.
func (v *verifier) take(s *stream) *archivedRecord {
	a := &v.archive
	if len(s.records) == 0 {
		all, err := s.s.Block(s.block)
		if err != nil {
			s.block = len(s.s.Data)
			v.unreadable(s.number, err)
			return nil
		}
		s.records = all
		s.block++
	}
	next := s.records[0]
	s.records = s.records[1:]
	r, err := decodeRecord(next.Seq, next.Data)
	if err != nil {
		v.unreadable(s.number, fmt.Errorf("record %d of %s: %w", next.Seq, s.s.File(), err))
		return nil
	}
	if n := len(a.page); n != 0 && a.page[n-1].entry.Seq == r.entry.Seq {
		return nil
	}
	r.segment = s.number
	a.gone[s.number]++
	a.count++
	return r
}

// merge joins the entries of a page of the database with those of segments. Those that both have count
// as not gone.
func (v *verifier) merge(inDatabase []Entry) []Entry {
	a := &v.archive
	var all []Entry
	only := a.page[:0]
	for _, r := range a.page {
		for len(inDatabase) != 0 && inDatabase[0].Seq < r.entry.Seq {
			all, inDatabase = append(all, inDatabase[0]), inDatabase[1:]
		}
		if len(inDatabase) != 0 && inDatabase[0].Seq == r.entry.Seq {
			if !bytes.Equal(inDatabase[0].Hash, r.entry.Hash) {
				v.report.add("segments", r.segment, "its entry %d is not that of the database", r.entry.Seq)
			}
			a.gone[r.segment]--
			a.count--
			continue
		}
		all, only = append(all, r.entry), append(only, r)
	}
	a.page = only
	return append(all, inDatabase...)
}

// checkSegments compares the table with the entries, and the segments with the chain.
func (v *verifier) checkSegments(ctx context.Context) error {
	a := &v.archive
	var gone int64
	for _, r := range a.rows {
		v.seen["segments"]++
		gone += r.gone
		want, known := a.entries[r.number]
		delete(a.entries, r.number)
		if !known {
			v.report.add("segments", r.number, "no entry records it")
			continue
		}
		for _, text := range r.differs(&want) {
			v.report.add("segments", r.number, "%s", text)
		}
		if r.seq != want.seq {
			v.report.add("segments", r.number, "seq is %d; it was written as %d", r.seq, want.seq)
		}
		if left := a.gone[r.number]; !a.incomplete && r.gone != left {
			v.report.add("segments", r.number, "gone is %d; of its records, %d have left", r.gone, left)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(a.entries)) {
		v.report.add("segments", number, "it is missing")
	}
	if a.incomplete && v.seen["entries"]+gone != v.seq {
		v.report.add("entries", "", "there are %d, and %d have left for segments; the chain has %d", v.seen["entries"], gone, v.seq)
	}
	v.checkSigners()
	return v.checkDone(ctx)
}

// checkDone checks the column that the others do not imply.
func (v *verifier) checkDone(ctx context.Context) error {
	return v.pairs(ctx, func(number, done any) {
		v.report.add("segments", number, "done is %v, and neither 0 nor 1", done)
	}, "SELECT number, done FROM segments WHERE done NOT IN (0, 1) ORDER BY number")
}

// checkSigners checks that authorities of the chain signed the segments, and that each follows from the
// one before.
func (v *verifier) checkSigners() {
	keys := map[string]bool{}
	for name := range v.history.authorities {
		keys[v.history.keyOf(name)] = true
	}
	digests := map[int64]string{}
	for _, r := range v.archive.rows {
		digests[r.number] = hex.EncodeToString(r.digest)
	}
	for _, s := range v.archive.open {
		key := ca.KeyHash(s.Signed())
		switch {
		case !keys[string(key[:])]:
			v.report.add("segments", s.Number, "%q signed %s, which is not an authority of this ledger", s.Signed().Subject, s.File())
		case s.Previous != digests[s.Number-1]:
			v.report.add("segments", s.Number, "%s does not follow the segment before", s.File())
		case s.Ledger != v.first:
			v.report.add("segments", s.Number, "%s is of another ledger", s.File())
		}
	}
}

// replayArchive records the entry of a segment.
func (v *verifier) replayArchive(e *Entry) error {
	var b archiveBody
	if err := e.decode(&b); err != nil {
		return err
	}
	digest, err := hex.DecodeString(b.Digest)
	if _, twice := v.archive.entries[b.Number]; err != nil || twice {
		return fmt.Errorf("it is not the entry of a segment")
	}
	v.archive.entries[b.Number] = segmentRow{number: b.Number, seq: e.Seq, file: b.File, digest: digest, records: b.Records, first: b.First, last: b.Last, head: b.Head}
	return nil
}

// findMoved returns the certificate with a fingerprint that a segment has, or nil.
func (v *verifier) findMoved(fingerprint []byte) *Certificate {
	for _, s := range slices.Backward(v.archive.open) {
		for r, err := range recordsWith(s, keyOfFingerprint(fingerprint)) {
			if err != nil {
				break // the block is reported when it is read in turn
			}
			if c, err := r.asCertificate(); err == nil && bytes.Equal(c.Fingerprint, fingerprint) {
				return &c
			}
		}
	}
	return nil
}

// replacedByMoved checks replaced_seq of the certificates in the database that one in a segment renews.
func (v *verifier) replacedByMoved(ctx context.Context) error {
	by := map[string]int64{}
	var prints []any
	for _, r := range v.archive.page {
		if replaces, _ := r.certificate()[certReplaces].([]byte); len(replaces) != 0 {
			by[string(replaces)] = r.entry.Seq
			prints = append(prints, replaces)
		}
	}
	if len(prints) == 0 {
		return nil
	}
	found, err := v.session.certificates(ctx, "c.fingerprint IN "+marks(len(prints))+" ORDER BY c.seq", prints...)
	for _, o := range found {
		seq := by[string(o.Fingerprint)]
		if o.Seq < seq && o.ReplacedBy < seq {
			v.unnoted = append(v.unnoted, [2]any{o.Seq, seq})
		}
		if o.ReplacedBy == seq {
			v.archive.renewed[o.Seq] = true
		}
	}
	return err
}

// checkSuccessors reports certificates whose successor is nowhere.
func (v *verifier) checkSuccessors() {
	a := &v.archive
	for _, seq := range slices.Sorted(maps.Keys(a.successors)) {
		if !a.incomplete && !a.renewed[seq] {
			v.report.add("certificates", seq, "replaced_seq is %v, which does not renew it", a.successors[seq])
		}
	}
}
