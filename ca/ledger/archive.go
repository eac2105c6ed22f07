package ledger

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"kedge/ca"
	"kedge/ca/ledger/segment"
)

// A ledger grows with each renewal, and most of what it has will never be asked for again. Archive
// moves such certificates, with their names and entries, into segments: files, described in
// [kedge/ca/ledger/segment]. All other entries, and all other tables, stay. Database and segments
// together are the ledger as it was written, and Verify reads both.
//
// What may leave is stated in one place, mayLeave, which is part of the statement that deletes: a leaf
// that has expired, is not revoked, is not the newest of a lineage (so that it neither can be renewed
// nor holds its name), nor the one that this has replaced (so that a host that did not get the answer can
// ask again), was not given for a token (so that what a stolen token gave can be revoked), is
// not named in an entry of a refused renewal or of what was decided about it, and is not the last of its
// subject (so that a name which was ever in use stays known as such). Revoked certificates stay for good,
// since their keys must not be certified again.
//
// A segment goes through these steps, and each may be the last before the power fails:
//
//  1. It is written from the database, under a hidden name, synced, and gets its name.
//  2. It is read back and checked, and file and folder are synced: segment.Seal.
//  3. An entry with its digest is added to the chain, and a row to the table segments.
//  4. Its rows are deleted, in many short transactions, each of which checks the rule anew. Rows that
//     may no longer leave stay, and all do if an entry since step 1 may have changed one of them.
//  5. The row of the segment is marked as done.
//
// Until step 3 nothing depends on the file; without its entry it means nothing, and the next call makes
// another. From step 3 on the next call first goes on with step 4. Until a row is deleted it is in both
// places, and the database's counts. A second archiver loses in step 3, where the number of its segment
// is taken, and has an *ArchivingError.
//
// If the file is lost between steps 3 and 4, all of its rows are still in the database, but nothing can be
// archived after it. With ArchiveOptions.ReplaceLost its segment is given up: see archive_replace.go.

// kindArchive is a segment that was written; see archiveBody.
const kindArchive = "archive"

// archiveBody is the entry of a segment.
type archiveBody struct {
	Number  int64  `json:"number"`
	File    string `json:"file"`
	Digest  string `json:"digest"` // SHA-256 of the manifest
	Records int64  `json:"records"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Head    int64  `json:"head"`
}

const (
	// mayLeave is the rule. Its argument is a time: see transaction.remove. engine.schema replaces the words in
	// braces.
	mayLeave = `c.kind = 'leaf' AND c.not_after < ? AND c.revoked_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM lineages l WHERE l.newest = c.seq)
		AND NOT EXISTS (SELECT 1 FROM lineages l WHERE l.newest = c.replaced_seq)
		AND NOT EXISTS (SELECT 1 FROM token_uses u WHERE u.seq = c.seq)
		AND {hex c.fingerprint} NOT IN (
			SELECT coalesce({json e.body} ->> 'keep', {json e.body} ->> 'newest', '') FROM entries e WHERE e.kind IN ('clone', 'resolve')
			UNION ALL SELECT coalesce({json e.body} ->> 'presented', '') FROM entries e WHERE e.kind IN ('clone', 'resolve'))
		AND EXISTS (SELECT 1 FROM certificates n WHERE n.common_name = c.common_name AND n.subject = c.subject AND n.seq > c.seq AND n.kind = 'leaf')`
	// isRecorded lets rows go only into a segment that the ledger has; noneChanged, only if no row was changed
	// since the segment was begun that may leave again, as by resolve, and by a hold that was released: what is
	// deleted is what is in it. That the kind is not issue is for the index.
	isRecorded  = "EXISTS (SELECT 1 FROM segments s WHERE s.number = ? AND s.digest = ? AND s.done = 0)"
	noneChanged = "NOT EXISTS (SELECT 1 FROM entries e WHERE e.kind <> 'issue' AND e.kind IN ('resolve', 'release') AND e.seq > ?)"

	deleteCertificates = "DELETE FROM certificates AS c WHERE c.seq >= ? AND c.seq <= ? AND " + mayLeave + " AND " + isRecorded + " AND " + noneChanged
	deleteNames        = "DELETE FROM names WHERE seq >= ? AND seq <= ? AND NOT EXISTS (SELECT 1 FROM certificates c WHERE c.seq = names.seq)"
	deleteEntries      = `DELETE FROM entries WHERE seq >= ? AND seq <= ? AND kind IN ('issue', 'import')
		AND NOT EXISTS (SELECT 1 FROM certificates c WHERE c.seq = entries.seq)`
	updateGone = "UPDATE segments SET gone = gone + ? WHERE number = ? AND digest = ?"
	updateDone = "UPDATE segments SET done = 1 WHERE number = ? AND digest = ?"

	insertSegment = "INSERT INTO segments (number, seq, file, digest, records, first_seq, last_seq, head_seq, gone, done) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)"
)

// ArchiveOptions say what is archived, and where.
type ArchiveOptions struct {
	Before time.Time      // certificates that expired before; a time to come is now
	Dir    string         // the folder of the segments, which exists
	Signer segment.Signer // an authority of the ledger: a *ca.Authority
	// ReplaceLost gives up a segment that an interrupted call recorded, if its file is missing or damaged and
	// nothing of it has left the database, and writes another in its place.
	ReplaceLost bool
}

// Archived is what Archive did.
type Archived struct {
	Segments []string // paths of those that are new
	Records  int64    // certificates that left the database
}

// ArchivingError reports that another process archives the ledger.
type ArchivingError struct{ Where string }

func (e *ArchivingError) Error() string {
	return fmt.Sprintf("another process has archived a part of the ledger %s meanwhile", e.Where)
}

// SegmentError reports that a segment cannot be used: it is missing, was changed, or is not the one that
// the ledger has an entry about.
type SegmentError struct {
	Number int64
	File   string // its path
	Err    error
	Unused bool // nothing of it has left the database: ArchiveOptions.ReplaceLost writes another in its place
}

func (e *SegmentError) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("segment %d of the ledger is missing: there is no file %s", e.Number, e.File)
	}
	return fmt.Sprintf("segment %d of the ledger: %v", e.Number, e.Err)
}

func (e *SegmentError) Unwrap() error { return e.Err }

// Archive moves certificates that expired before a time, and were superseded, into segments, until none
// is left; others may go on to read and write. It first goes on with what an earlier call began. It may
// be interrupted at any moment. Errors: *ArchivingError and *SegmentError. What was archived before an
// error is in the result.
func (l *Ledger) Archive(ctx context.Context, o ArchiveOptions) (done Archived, err error) {
	a := &archiver{Ledger: l, o: o}
	if now := l.now(); o.Before.After(now) {
		a.o.Before = now
	}
	if err := a.resume(ctx, &done); err != nil {
		return done, l.engine.explain(err)
	}
	path, err := a.write(ctx)
	for path != "" && err == nil {
		path, err = a.segment(ctx, path, &done)
	}
	return done, l.engine.explain(err)
}

// archiver is the state of Archive.
type archiver struct {
	*Ledger
	o      ArchiveOptions
	first  string // hash of the first entry
	last   segmentRow
	cursor cursor
}

// resume reads the last segment, and ends it if that was interrupted. It must be in the folder.
func (a *archiver) resume(ctx context.Context, done *Archived) error {
	var hash []byte
	err := a.db.QueryRowContext(ctx, "SELECT hash FROM entries WHERE seq = 1").Scan(&hash)
	if err != nil {
		return fmt.Errorf("archive the ledger %s: it has no first entry: %w", a.Where(), err)
	}
	a.first = hex.EncodeToString(hash)
	all, err := a.segments(ctx)
	if err != nil || len(all) == 0 {
		a.last = segmentRow{}
		return err
	}
	if a.last = all[len(all)-1]; a.last.done {
		return a.hasLast(ctx)
	}
	sealed, err := a.sealLast(ctx)
	if lost, ok := errors.AsType[*SegmentError](err); ok && lost.Unused && a.o.ReplaceLost {
		if err := a.abandonLast(ctx, all); err != nil {
			return err
		}
		return a.resume(ctx, done)
	}
	if err != nil {
		return err
	}
	return errors.Join(a.remove(ctx, sealed, done), sealed.Segment().Close())
}

// hasLast checks that the folder has the last segment: with another folder, the archive would be in two.
func (a *archiver) hasLast(ctx context.Context) error {
	trusted, err := a.signers(ctx)
	if err != nil {
		return err
	}
	s, err := a.last.open(a.o.Dir, trusted)
	if err != nil {
		return err
	}
	return s.Close()
}

// segment records a segment that was written, and deletes what is in it, while it writes the next one, of
// which it returns the path; empty: there is none.
func (a *archiver) segment(ctx context.Context, path string, done *Archived) (next string, err error) {
	sealed, err := a.seal(ctx, path)
	if err != nil {
		return "", err
	}
	if err := a.record(ctx, sealed); err != nil {
		return "", errors.Join(err, sealed.Segment().Close())
	}
	done.Segments = append(done.Segments, path)
	written := make(chan error, 1)
	go func() {
		var err error
		next, err = a.write(ctx)
		written <- err
	}()
	err = a.remove(ctx, sealed, done)
	err = errors.Join(err, <-written, sealed.Segment().Close())
	return next, err
}

// write writes the next segment, and returns its path; empty if there is nothing to archive.
func (a *archiver) write(ctx context.Context) (path string, err error) {
	head, seqs, err := a.candidates(ctx)
	if err != nil || len(seqs) == 0 {
		return "", err
	}
	return segment.Create(a.o.Dir, a.o.Signer, func(w *segment.Writer) (segment.Manifest, error) {
		m := segment.Manifest{Ledger: a.first, Number: a.last.number + 1, Previous: hex.EncodeToString(a.last.digest), Expired: a.o.Before.UTC(), Head: head}
		err := a.fill(ctx, w, &m, seqs)
		return m, err
	})
}

// seal is segment.Seal with the authorities of the ledger.
func (a *archiver) seal(ctx context.Context, path string) (*segment.Sealed, error) {
	trusted, err := a.signers(ctx)
	if err != nil {
		return nil, err
	}
	return segment.Seal(path, trusted)
}

// signers returns whether a certificate has the key of an authority of the ledger, also of one that is
// retired.
func (l *Ledger) signers(ctx context.Context) (func(*x509.Certificate) bool, error) {
	all, err := l.Authorities(ctx)
	keys := map[[32]byte]bool{}
	for _, a := range all {
		keys[ca.KeyHash(a.Certificate)] = true
	}
	return func(c *x509.Certificate) bool { return keys[ca.KeyHash(c)] }, err
}

// segmentRow is a row of the table segments.
type segmentRow struct {
	number, seq, records, first, last, head, gone int64
	file                                          string
	digest                                        []byte
	done                                          bool
}

// segments returns the rows of all segments, in order.
func (l *Ledger) segments(ctx context.Context) ([]segmentRow, error) { return readSegments(ctx, l.db) }

func readSegments(ctx context.Context, q querier) ([]segmentRow, error) {
	rows, err := q.QueryContext(ctx, "SELECT number, seq, file, digest, records, first_seq, last_seq, head_seq, gone, done FROM segments ORDER BY number")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []segmentRow
	for rows.Next() {
		var r segmentRow
		var done int64
		if err := rows.Scan(&r.number, &r.seq, &r.file, &r.digest, &r.records, &r.first, &r.last, &r.head, &r.gone, &done); err != nil {
			return nil, err
		}
		r.done = done == 1
		all = append(all, r)
	}
	return all, rows.Err()
}

// open opens a segment, and checks that it is the one that the ledger has an entry about.
func (r *segmentRow) open(dir string, trusted func(*x509.Certificate) bool) (*segment.Segment, error) {
	if dir == "" {
		return nil, r.fails(r.file, fmt.Errorf("it is in a file %s: give the folder of the archive", r.file))
	}
	path, err := segment.Path(dir, r.file)
	if err != nil {
		return nil, r.fails(r.file, err)
	}
	s, err := segment.Open(path)
	if err != nil {
		return nil, r.fails(path, err)
	}
	switch {
	case !bytes.Equal(s.Digest(), r.digest):
		err = errors.New("the file " + path + " is not the one that the ledger has an entry about")
	case !trusted(s.Signed()):
		err = fmt.Errorf("the file %s is signed by %q, which is not an authority of this ledger", path, s.Signed().Subject)
	default:
		return s, nil
	}
	return nil, r.fails(path, errors.Join(err, s.Close()))
}

// fails returns the error of a segment that cannot be used.
func (r *segmentRow) fails(path string, err error) *SegmentError {
	return &SegmentError{Number: r.number, File: path, Err: err}
}
