package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"

	"kedge/ca/ledger/segment"
)

const (
	// maxSegment bounds the records of a segment: the keys of its index are in memory while it is written.
	maxSegment = 50_000
	// candidatePage is how many certificates are looked for at once, and writePage how many are read.
	candidatePage = 20_000
	writePage     = 1000
)

// findCandidates finds certificates that may leave, in the order of an index, after the last one.
const findCandidates = "SELECT c.not_after, c.seq FROM certificates c%s WHERE (c.not_after, c.seq) > (?, ?) AND " + mayLeave + " ORDER BY c.not_after, c.seq LIMIT ?"

// cursor is the place of the last candidate: the next call of candidates goes on after it.
type cursor struct{ notAfter, seq int64 }

// candidates returns the next certificates that may leave, in the order of the chain, and the head of the
// chain from before they were read.
func (a *archiver) candidates(ctx context.Context) (head string, seqs []int64, err error) {
	seq, hash, err := a.Head(ctx)
	if err != nil {
		return "", nil, err
	}
	if a.cursor == (cursor{}) {
		a.cursor = cursor{math.MinInt64, 0}
	}
	text := a.engine.sql(fmt.Sprintf(a.engine.schema.Replace(findCandidates), a.engine.using("certificates_expiry")))
	for len(seqs) < maxSegment {
		found, err := a.page(ctx, text, &seqs)
		if err != nil {
			return "", nil, err
		}
		if found < candidatePage {
			break
		}
	}
	slices.Sort(seqs)
	return fmt.Sprintf("%d:%x", seq, hash), seqs, nil
}

// page adds the next candidates, and returns how many there were.
func (a *archiver) page(ctx context.Context, text string, seqs *[]int64) (found int, err error) {
	rows, err := a.db.QueryContext(ctx, text, a.cursor.notAfter, a.cursor.seq, a.o.Before.UnixMicro(), int64(candidatePage))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&a.cursor.notAfter, &a.cursor.seq); err != nil {
			return 0, err
		}
		*seqs = append(*seqs, a.cursor.seq)
		found++
	}
	return found, rows.Err()
}

// fill writes the records of certificates, and what the manifest says of the chain before and after.
func (a *archiver) fill(ctx context.Context, w *segment.Writer, m *segment.Manifest, seqs []int64) error {
	for some := range slices.Chunk(seqs, writePage) {
		records, err := a.read(ctx, some)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := w.Add(segment.Record{Seq: r.entry.Seq, Keys: r.keys(), Data: r.encode()}); err != nil {
				return err
			}
		}
		if m.Before == "" {
			first := records[0].entry
			m.Before = fmt.Sprintf("%d:%x", first.Seq-1, first.Prev)
		}
		last := records[len(records)-1].entry
		m.After = fmt.Sprintf("%d:%x", last.Seq, last.Hash)
	}
	return nil
}

// read reads the rows of certificates, as they are at one moment.
func (a *archiver) read(ctx context.Context, seqs []int64) (all []*archivedRecord, err error) {
	err = a.Ledger.read(ctx, func(s *session) error {
		for _, r := range runsOf(seqs, maxGap) {
			if err := readRun(ctx, s, r, seqs, &all); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && len(all) != len(seqs) {
		err = fmt.Errorf("archive the ledger %s: of %d certificates it has only %d with an entry: verify it", a.Where(), len(seqs), len(all))
	}
	return all, err
}

// run is a range of sequence numbers.
type run struct{ from, to int64 }

// maxGap is how many other rows are read between two that are wanted, instead of asking again.
const maxGap = 8

// runsOf returns the runs of ascending numbers: a new one begins where more than gap numbers are left out.
func runsOf(seqs []int64, gap int64) []run {
	var all []run
	for _, seq := range seqs {
		if n := len(all); n != 0 && seq-all[n-1].to <= gap+1 {
			all[n-1].to = seq
		} else {
			all = append(all, run{seq, seq})
		}
	}
	return all
}

// within selects the rows of a run.
const within = "WHERE seq >= ? AND seq <= ? ORDER BY "

// readRun reads the rows of those seqs that are in a run.
func readRun(ctx context.Context, s *session, r run, seqs []int64, all *[]*archivedRecord) error {
	from := len(*all)
	args := []any{r.from, r.to}
	wanted := func(row []any) bool {
		seq, _ := row[0].(int64)
		_, found := slices.BinarySearch(seqs, seq)
		return found
	}
	err := entriesTable().rows(ctx, s, within+"seq", args, func(row []any) error {
		if e, ok := entryOf(row); ok && wanted(row) {
			*all = append(*all, &archivedRecord{entry: e, rows: [][]any{row}})
		}
		return nil
	})
	if err != nil {
		return err
	}
	byPlace := (*all)[from:]
	add := func(row []any) error {
		seq, _ := row[0].(int64)
		i, found := slices.BinarySearchFunc(byPlace, seq, func(r *archivedRecord, seq int64) int { return int(r.entry.Seq - seq) })
		if found {
			byPlace[i].rows = append(byPlace[i].rows, row)
		}
		return nil
	}
	if err := certificatesTable().rows(ctx, s, within+"seq", args, add); err != nil {
		return err
	}
	for _, r := range byPlace {
		if len(r.rows) != 2 {
			return fmt.Errorf("certificate %d has left meanwhile", r.entry.Seq)
		}
	}
	t := namesTable()
	return t.rows(ctx, s, within+t.key, args, add)
}
