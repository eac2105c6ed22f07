package ledger

import (
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger/segment"
)

// ListArchived yields the certificates in segments, in a folder, that match f, segment by segment, each
// in the order of the chain. Those that the database still has are left out. broken is called for each
// segment that cannot be read; the others follow. f.Limit and f.After are not used.
//
// With a serial number, a fingerprint or a name without * it reads an index; otherwise the whole archive.
func (l *Ledger) ListArchived(ctx context.Context, dir string, f Filter, broken func(*SegmentError)) iter.Seq2[Certificate, error] {
	return func(yield func(Certificate, error) bool) {
		m, err := l.matcher(ctx, f)
		if err != nil {
			yield(Certificate{}, l.engine.explain(err))
			return
		}
		m.dir = dir
		for _, r := range m.segments {
			more, err := l.listSegment(ctx, &r, m, yield)
			if segment, ok := errors.AsType[*SegmentError](err); ok {
				broken(segment)
			} else if err != nil {
				yield(Certificate{}, l.engine.explain(err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// ListAll is List, and then ListArchived: the database first, so that a certificate that leaves it meanwhile
// is in a segment when that is read. Each comes once. Memory grows with the number of certificates in the
// database that may leave.
func (l *Ledger) ListAll(ctx context.Context, dir string, f Filter, broken func(*SegmentError)) iter.Seq2[Certificate, error] {
	return func(yield func(Certificate, error) bool) {
		listed, now := map[int64]bool{}, l.now()
		for c, err := range l.List(ctx, f) {
			if err == nil && c.RevokedAt == nil && c.State(now) == Expired {
				listed[c.Seq] = true
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
		for c, err := range l.ListArchived(ctx, dir, f, broken) {
			if err == nil && listed[c.Seq] {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// HasArchive reports whether anything was archived.
func (l *Ledger) HasArchive(ctx context.Context) (bool, error) {
	all, err := l.segments(ctx)
	return len(all) != 0, l.engine.explain(err)
}

// listSegment yields what a segment has. more is false when the caller wants no more.
func (l *Ledger) listSegment(ctx context.Context, r *segmentRow, m *matcher, yield func(Certificate, error) bool) (more bool, err error) {
	s, err := r.open(m.dir, m.trusted)
	if err != nil {
		return true, err
	}
	defer s.Close() // it was only read
	for record, err := range recordsOf(s, m.keys) {
		var c Certificate
		if err == nil {
			c, err = record.asCertificate()
		}
		if err != nil {
			return true, r.fails(s.File(), err)
		}
		if !m.matches(&c, record.names()) {
			continue
		}
		if r.gone < r.records {
			stays, err := l.has(ctx, c.Seq)
			if err != nil {
				return true, err
			}
			if stays {
				continue
			}
		}
		if !yield(c, nil) {
			return false, nil
		}
	}
	return true, ctx.Err()
}

// has reports whether the database has a certificate.
func (l *Ledger) has(ctx context.Context, seq int64) (bool, error) {
	var n int64
	err := l.db.QueryRowContext(ctx, l.engine.sql("SELECT count(*) FROM certificates WHERE seq = ?"), seq).Scan(&n)
	return n != 0, l.engine.explain(err)
}

// recordsOf yields the records of a segment that may have one of the keys; all, without keys.
func recordsOf(s *segment.Segment, keys []string) iter.Seq2[*archivedRecord, error] {
	return func(yield func(*archivedRecord, error) bool) {
		blocks := make([]int, 0, len(s.Data))
		for i := range s.Data {
			blocks = append(blocks, i)
		}
		if len(keys) != 0 {
			var err error
			if blocks, err = s.Find(keys...); err != nil {
				yield(nil, err)
				return
			}
		}
		for _, i := range blocks {
			if !eachRecord(s, i, yield) {
				return
			}
		}
	}
}

// recordsWith is recordsOf for one key.
func recordsWith(s *segment.Segment, key string) iter.Seq2[*archivedRecord, error] {
	return recordsOf(s, []string{key})
}

func eachRecord(s *segment.Segment, block int, yield func(*archivedRecord, error) bool) bool {
	all, err := s.Block(block)
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, one := range all {
		r, err := decodeRecord(one.Seq, one.Data)
		if !yield(r, err) || err != nil {
			return false
		}
	}
	return true
}

// matcher is a filter for certificates outside of the database: Filter.query in Go.
type matcher struct {
	Filter
	now      time.Time
	issuers  [][]byte
	serial   []byte
	print    []byte
	keys     []string // of the index, one of which a match has; none: any
	segments []segmentRow
	dir      string
	trusted  func(*x509.Certificate) bool // by whose keys segments are signed
}

func (l *Ledger) matcher(ctx context.Context, f Filter) (*matcher, error) {
	if _, err := l.query(ctx, &f); err != nil { // it checks the filter
		return nil, err
	}
	m := &matcher{Filter: f, now: l.now()}
	var err error
	if f.Issuer != "" {
		if m.issuers, err = l.issuers(ctx, f.Issuer); err != nil {
			return nil, err
		}
	}
	if m.segments, err = l.segments(ctx); err != nil {
		return nil, err
	}
	m.setKeys()
	m.trusted, err = l.signers(ctx)
	return m, err
}

// setKeys chooses the key that a match must have.
func (m *matcher) setKeys() {
	if m.Serial != "" {
		serial, _ := parseHex(m.Serial)
		m.serial = trimZeros(serial)
		m.keys = []string{keyOfSerial(m.serial)}
	}
	if m.Fingerprint != "" {
		m.print, _ = parseHex(m.Fingerprint)
		m.keys = []string{keyOfFingerprint(m.print)}
	}
	for _, name := range []string{m.CommonName, m.Subject, m.Host, m.SAN} {
		if name != "" && !strings.Contains(name, "*") && len(m.keys) == 0 {
			m.keys = []string{keyOfName(name), keyOfName(strings.ToLower(name))} // DNS names are stored in lower case
		}
	}
}

// matches reports whether a certificate, with its rows of names, matches.
func (m *matcher) matches(c *Certificate, names [][]any) bool {
	for _, ok := range []bool{
		m.print == nil || string(m.print) == string(c.Fingerprint),
		m.serial == nil || string(m.serial) == string(c.serial),
		m.Kind == "" || m.Kind == c.Kind,
		m.State == "" || m.State == c.State(m.now),
		!m.Newest,
		!m.Unreplaced || c.ReplacedBy == 0,
		m.ExpiresBefore.IsZero() || c.NotAfter.Before(m.ExpiresBefore),
		m.ExpiresAfter.IsZero() || !c.NotAfter.Before(m.ExpiresAfter),
		m.IssuedAfter.IsZero() || !c.IssuedAt.Before(m.IssuedAfter),
		m.Issuer == "" || slices.ContainsFunc(m.issuers, func(id []byte) bool { return string(id) == string(c.keyID) }),
	} {
		if !ok {
			return false
		}
	}
	return m.matchesNames(c, names)
}

func (m *matcher) matchesNames(c *Certificate, names [][]any) bool {
	return (m.Host == "" || Matches(m.Host, c.Host)) && (m.CommonName == "" || Matches(m.CommonName, c.CommonName)) &&
		(m.Subject == "" || m.matchesSubject(c)) && (m.SAN == "" || m.matchesName(names))
}

func (m *matcher) matchesSubject(c *Certificate) bool {
	if !strings.Contains(m.Subject, "=") {
		return Matches(m.Subject, c.CommonName)
	}
	return Matches(m.Subject, c.Subject)
}

func (m *matcher) matchesName(names [][]any) bool {
	pattern := m.SAN
	if !strings.ContainsAny(pattern, ":/@") {
		pattern = strings.ToLower(pattern)
	}
	return slices.ContainsFunc(names, func(row []any) bool {
		name, _ := row[3].(string)
		return Matches(pattern, name)
	})
}
