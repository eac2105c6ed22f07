package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"kedge/ca/ledger/segment"
)

// While others write, certificates leave in small transactions, with a pause after each that is longer than
// it was: what a host asks for waits for at most one of them, and seldom for that. While nobody does, the
// transactions in PostgreSQL grow, since each page of an index is then written for more certificates at once.
//
// SQLite has no queue of those who wait for the lock: they try again after a while, which is longer each time. So
// there the transactions stay small, which costs little, and after a few there is always a pause: who comes first
// would not get the lock otherwise. And whoever commits when the write-ahead log is long copies it into the file,
// for which all hosts of a server wait: the archiver does so before it is long, without the lock.
const (
	smallBatch    = 20 // certificates of a transaction while others write,
	sqliteBatch   = 50 // and while nobody does
	postgresBatch = 4000
	minQuiet      = 20               // so many transactions in a row between which nobody writes are enough to go fast
	fewBatches    = 4                // after so many there is a pause in SQLite, as long as one of them
	pauseTimes    = 4                // a pause while others write is so many times as long as the transaction before,
	maxPause      = 10 * time.Second // and at most this: the clock can have been set
)

// pacer chooses the size of the next transaction, and the pause before it.
type pacer struct {
	queued bool  // those who wait for the lock get it in turn
	most   int   // certificates of a transaction
	sent   int   // transactions
	quiet  int   // the last of them, between which nobody wrote
	head   int64 // the end of the chain in the last one
	batch  int
}

func newPacer(e *engine) *pacer {
	p := &pacer{queued: e.remote, most: sqliteBatch, quiet: minQuiet, batch: smallBatch}
	if p.queued {
		p.most = postgresBatch
	}
	return p
}

// next is called with the end of the chain in a transaction, and returns how many times as long as it the pause is.
func (p *pacer) next(head int64) (times time.Duration) {
	p.quiet++
	if p.sent > 0 && head != p.head {
		p.quiet = 0
	}
	p.sent++
	p.head = head
	if p.quiet < minQuiet {
		p.batch = smallBatch
		return pauseTimes
	}
	p.batch = min(2*p.batch, p.most)
	if p.sent%fewBatches == 0 && !p.queued {
		return 1
	}
	return 0
}

// record adds the entry of a segment to the chain.
func (a *archiver) record(ctx context.Context, sealed *segment.Sealed) error {
	s := sealed.Segment()
	head, _, err := ParseHead(s.Head)
	if err != nil {
		return err
	}
	r := segmentRow{number: s.Number, file: s.Name(), digest: s.Digest(), records: s.Manifest.Records, first: s.First, last: s.Last, head: head}
	err = a.alone(ctx, func(ctx context.Context, t *transaction) error {
		var last, unfinished int64
		const text = "SELECT coalesce(max(number), 0), count(CASE WHEN done = 0 THEN 1 END) FROM segments"
		if err := t.queryRow(ctx, text).Scan(&last, &unfinished); err != nil {
			return err
		}
		if last != r.number-1 || unfinished != 0 {
			return &ArchivingError{a.Where()}
		}
		var err error
		if r.seq, err = t.append(ctx, kindArchive, r.body()); err != nil {
			return err
		}
		return t.send(ctx, one(insertSegment, r.number, r.seq, r.file, r.digest, r.records, r.first, r.last, r.head))
	})
	if err == nil {
		a.last = r
	}
	return err
}

// body returns the entry of a segment.
func (r *segmentRow) body() archiveBody {
	return archiveBody{Number: r.number, File: r.file, Digest: hex.EncodeToString(r.digest), Records: r.records, First: r.first, Last: r.last, Head: r.head}
}

// remove deletes what is in a segment, and records that it is done.
func (a *archiver) remove(ctx context.Context, sealed *segment.Sealed, done *Archived) error {
	p := newPacer(a.engine)
	for seqs := sealed.Seqs(); len(seqs) != 0; {
		n := min(p.batch, len(seqs))
		r, err := a.removeBatch(ctx, sealed, seqs[:n])
		if done.Records += r.gone; err != nil {
			return err
		}
		seqs = seqs[n:]
		if times := p.next(r.head); times != 0 {
			if err := a.pause(ctx, min(times*a.now().Sub(r.began), maxPause)); err != nil {
				return err
			}
		}
	}
	err := a.alone(ctx, func(ctx context.Context, t *transaction) error {
		return t.send(ctx, some(updateDone, a.last.number, a.last.digest))
	})
	if err != nil {
		return err
	}
	return a.checkpoint(ctx)
}

// pause leaves the lock to others for a while.
func (a *archiver) pause(ctx context.Context, d time.Duration) error {
	if err := a.checkpoint(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// checkpoint copies the write-ahead log into the file, as far as nobody reads an older state; others go on to write.
//
// Source: SQLite, "Write-Ahead Logging", on checkpoints; "PRAGMA wal_checkpoint".
func (a *archiver) checkpoint(ctx context.Context) error {
	if a.engine.checkpoint == "" {
		return nil
	}
	_, err := a.db.ExecContext(ctx, a.engine.checkpoint)
	return a.engine.explain(err)
}

// removed is what a transaction of remove did.
type removed struct {
	gone  int64     // certificates that it deleted
	head  int64     // the end of the chain
	began time.Time // when it had the lock
}

// removeBatch deletes certificates that are in a segment, in one transaction, if they may leave.
func (a *archiver) removeBatch(ctx context.Context, sealed *segment.Sealed, seqs []int64) (removed, error) {
	return aloneFor(ctx, a.Ledger, func(ctx context.Context, t *transaction) (removed, error) {
		began := a.now()
		gone, err := t.remove(ctx, sealed, runsOf(seqs, 0))
		return removed{gone, t.seq, began}, err
	})
}

// remove deletes runs of what is in a segment, and returns how many certificates it deleted. Nothing else
// deletes certificates: see mayLeave.
func (t *transaction) remove(ctx context.Context, sealed *segment.Sealed, runs []run) (gone int64, err error) {
	s := sealed.Segment()
	head, _, err := ParseHead(s.Head)
	if err != nil {
		return 0, err
	}
	expired := min(s.Expired.UnixMicro(), t.now().UnixMicro())
	var all []statement
	text := t.e.schema.Replace(deleteCertificates)
	for _, r := range runs {
		all = append(all, some(text, r.from, r.to, expired, s.Number, s.Digest(), head))
	}
	for _, text := range []string{deleteNames, deleteEntries} {
		for _, r := range runs {
			all = append(all, some(text, r.from, r.to))
		}
	}
	changed, err := t.e.send(ctx, t.session, all)
	if err != nil {
		return 0, err
	}
	var entries int64
	for i := range runs {
		gone += changed[i]
		entries += changed[2*len(runs)+i]
	}
	if entries != gone {
		return 0, &BrokenError{Where: t.e.where, Err: fmt.Errorf("%d certificates leave, and %d entries: verify it", gone, entries)}
	}
	recorded, err := t.exec(ctx, updateGone, gone, s.Number, s.Digest())
	if err == nil && recorded != 1 {
		err = &ArchivingError{t.e.where} // another archiver has given the segment up
	}
	return gone, err
}
