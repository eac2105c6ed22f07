package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// VerifyOptions say what a ledger is compared with besides itself.
type VerifyOptions struct {
	Head string // "SEQ:HASH" of an entry, kept somewhere else: the ledger must still have it
	// Archive is the folder with the segments of the ledger. If it has any and one is not there, that is a
	// fault.
	Archive string
}

// page is how many entries are checked together, and pageBytes ends a page that has more bytes.
const (
	page      = 500
	pageBytes = 8 << 20
)

// Verify reads the whole ledger, the segments of its archive with it, and checks its consistency: each
// entry against its hash and the previous entry, every column of every other table against the entries and the certificates from
// which it follows, and the tables against the schema. It reports each row that was changed, added,
// removed or swapped, and changes of the tables. It sees one state, while other processes write;
// its memory grows with the number of revoked certificates and of open lineages, not with the
// ledger.
//
// An error means only that the ledger could not be read.
func (l *Ledger) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	v := newVerifier()
	v.archive.dir = o.Archive
	if err := v.expect(o.Head); err != nil {
		return Report{}, err
	}
	err := l.read(ctx, func(s *session) error {
		v.session = s
		return v.run(ctx)
	})
	return v.report, err
}

// read runs f on a connection that sees one state of the ledger.
func (l *Ledger) read(ctx context.Context, f func(*session) error) error {
	s, err := newSession(ctx, l.db, l.engine)
	if err != nil {
		return l.engine.explain(err)
	}
	_, err = s.conn.ExecContext(ctx, l.engine.snapshot)
	if err == nil {
		if err = s.fixScope(ctx); err == nil {
			err = f(s)
		}
		_, rollback := s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(l.engine.explain(err), s.close(rollback != nil))
	}
	return errors.Join(l.engine.explain(err), s.close(true))
}

// fixScope fixes the schema for name lookups, until the transaction ends.
func (s *session) fixScope(ctx context.Context) error {
	if s.e.scope == "" {
		return nil
	}
	_, err := s.conn.ExecContext(ctx, s.e.scope)
	return err
}

// verifier is the state of Verify, which follows the chain.
type verifier struct {
	*session
	report Report
	seq    int64  // of the last entry
	prev   []byte // its hash, as stored
	at     time.Time
	first  string // hash of the first entry, hexadecimal

	archive archive

	headSeq  int64 // of VerifyOptions.Head; 0: none
	headHash []byte

	revoked     map[string]revocationRow // by fingerprint: from the entries
	found       map[string]revocationRow // from the certificates
	authorities map[string]*authorityRow
	listed      map[listedKey]listedRow // revocations without a certificate
	history     *history
	tokens      map[string]*tokenRow  // by ID, hexadecimal
	denials     map[string][]any      // rows, by name
	lists       map[string]storedList // by key
	uses        map[int64][]any       // rows of token_uses, of a page
	changes     []lineageChange       // of a page, those that the history does not have yet
	resumed     map[int64]bool        // certificates that were replaced and are the newest again
	unnoted     [][2]any              // certificates that another renews without a note, and that one
	seen        map[string]int64      // number of rows of each table
}

func newVerifier() *verifier {
	return &verifier{prev: make([]byte, hashSize), at: time.UnixMicro(0), revoked: map[string]revocationRow{}, found: map[string]revocationRow{},
		authorities: map[string]*authorityRow{}, listed: map[listedKey]listedRow{}, history: newHistory(),
		tokens: map[string]*tokenRow{}, denials: map[string][]any{}, lists: map[string]storedList{}, uses: map[int64][]any{}, resumed: map[int64]bool{}, seen: map[string]int64{}}
}

// expect parses VerifyOptions.Head.
func (v *verifier) expect(head string) (err error) {
	if head != "" {
		v.headSeq, v.headHash, err = ParseHead(head)
	}
	return err
}

// run checks the tables first: reading a missing one fails, and in PostgreSQL the error ends the
// transaction.
func (v *verifier) run(ctx context.Context) error {
	if err := v.checkSchema(ctx); err != nil {
		return err
	}
	err := v.rows(ctx)
	if err != nil && !v.report.OK() && ctx.Err() == nil {
		v.report.add("rows", "", "they could not all be read: %v", err)
		return nil
	}
	return err
}

// rows checks every row of every table.
func (v *verifier) rows(ctx context.Context) error {
	if err := v.openSegments(ctx); err != nil {
		return err
	}
	return errors.Join(v.pages(ctx), v.closeSegments())
}

// pages checks the rows in the order of the chain, page by page.
func (v *verifier) pages(ctx context.Context) error {
	from := int64(math.MinInt64)
	for {
		entries, to, err := v.entries(ctx, from)
		if err != nil {
			return err
		}
		for _, check := range []func(context.Context, []Entry, int64, int64) error{v.certificates, v.crls, v.replaced, v.tokenUses} {
			if err := check(ctx, entries, from, to); err != nil {
				return err
			}
		}
		if from = to; to == math.MaxInt64 {
			return v.finish(ctx)
		}
	}
}

// errPageFull ends the reading of a page.
var errPageFull = errors.New("the page is full")

// entries reads and checks the next page of the chain, of the database and of segments. The page goes up
// to the entry to, or to the end of the chain.
func (v *verifier) entries(ctx context.Context, from int64) (all []Entry, to int64, err error) {
	stored, more, err := v.stored(ctx, from)
	if err != nil {
		return nil, 0, err
	}
	to = math.MaxInt64
	if more {
		to = stored[len(stored)-1].Seq
	}
	if read := v.moved(to); read < to {
		to = read
		stored = slices.DeleteFunc(stored, func(e Entry) bool { return e.Seq > to })
	}
	v.seen[entriesTable().name] += int64(len(stored))
	all = v.merge(stored)
	for i := range all {
		v.link(&all[i])
	}
	return all, to, nil
}

// stored reads entries of the database. more reports whether there may be others.
func (v *verifier) stored(ctx context.Context, from int64) (all []Entry, more bool, err error) {
	t := entriesTable()
	size := 0
	err = t.rows(ctx, v.session, "WHERE seq > ? ORDER BY seq LIMIT ?", []any{from, int64(page)}, func(row []any) error {
		e, ok := entryOf(row)
		if !ok {
			v.report.add(t.name, show(row[0]), "a column holds something of another type")
		}
		all = append(all, e)
		if size += weight(row); size >= pageBytes {
			return errPageFull
		}
		return nil
	})
	if err == errPageFull {
		return all, true, nil
	}
	return all, len(all) == page, err
}

func entryOf(row []any) (e Entry, ok bool) {
	var oks [6]bool
	var at int64
	e.Seq, oks[0] = row[0].(int64)
	at, oks[1] = row[1].(int64)
	e.Kind, oks[2] = row[2].(string)
	e.Body, oks[3] = row[3].(string)
	e.Prev, oks[4] = row[4].([]byte)
	e.Hash, oks[5] = row[5].([]byte)
	e.At = time.UnixMicro(at).UTC()
	return e, oks == [6]bool{true, true, true, true, true, true}
}

// link checks that an entry follows the previous one, and records what it implies for other tables.
func (v *verifier) link(e *Entry) {
	if e.Seq != v.seq+1 {
		if !v.archive.incomplete || e.Seq <= v.seq || e.Seq > v.archive.horizon+1 {
			v.gap(v.seq+1, e.Seq)
		}
	} else if !bytes.Equal(e.Prev, v.prev) {
		v.report.add("entries", e.Seq, "prev is not the hash of the entry before")
	}
	if !bytes.Equal(e.Hash, e.sum()) {
		v.report.add("entries", e.Seq, "the hash does not belong to what the entry says: it, or the entry, was changed")
	}
	if e.Seq == v.headSeq && !bytes.Equal(e.Hash, v.headHash) {
		v.report.add("entries", e.Seq, "its hash is %x, and not that of the head which was kept: the chain was written anew", e.Hash)
	}
	v.checkHeads(e)
	if e.Seq == 1 {
		v.first = hex.EncodeToString(e.Hash)
	}
	v.seq, v.prev, v.at = e.Seq, e.Hash, e.At
	if err := v.replay(e); err != nil {
		v.report.add("entries", e.Seq, "%v", err)
	}
}

// gap reports missing entries.
func (v *verifier) gap(from, before int64) {
	switch {
	case from == before-1:
		v.report.add("entries", from, "it is missing")
	case from < before:
		v.report.add("entries", from, "it is missing, and the others up to %d", before-1)
	default:
		v.report.add("entries", before, "there is no entry with this number")
	}
}

// finish makes the checks that need the whole chain.
func (v *verifier) finish(ctx context.Context) error {
	if err := v.checkLists(ctx); err != nil {
		return err
	}
	v.report.Entries, v.report.Certificates = v.seen["entries"]+v.archive.count, v.seen["certificates"]+v.archive.count
	v.report.Archived, v.report.Segments = v.archive.count, int64(len(v.archive.rows))
	v.report.Head = fmt.Sprintf("%d:%x", v.seq, v.prev)
	v.missing()
	v.headsAfter()
	v.checkUnnoted()
	v.checkSuccessors()
	for _, check := range []func(context.Context) error{v.head, v.checkAuthorities, v.checkRevoked, v.checkLineages, v.checkListed, v.checkTokens, v.checkDenials, v.checkSegments, v.checkCounts, v.checkVersions, v.checkFile} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// missing reports that the kept head is after the end of the chain.
func (v *verifier) missing() {
	if v.headSeq > v.seq {
		v.report.add("entries", "", "the chain ends at %d; the head which was kept is %d: its end is missing", v.seq, v.headSeq)
	}
}

// head checks the table head.
func (v *verifier) head(ctx context.Context) error {
	t := headTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		v.report.compare(t, row[0], row, []any{int64(1), v.seq, v.prev, -v.seq, v.at.UnixMicro()})
		return nil
	})
	if err == nil && v.seen[t.name] == 0 {
		v.report.add(t.name, 1, "it is missing")
	}
	return err
}

// checkCounts reports rows without an entry.
func (v *verifier) checkCounts(ctx context.Context) error {
	for _, t := range append(chainedTables(), headTable()) {
		var n int64
		if err := v.queryRow(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
			return err
		}
		if n != v.seen[t.name] {
			v.report.add(t.name, "", "it has %d rows, of which only %d have a place", n, v.seen[t.name])
		}
	}
	return nil
}
