package ledger

import (
	"context"
	"crypto/x509"
)

// archivedImports finds certificates to import that were archived. Segments are read before the transaction,
// which holds the lock of all writers; only those that were recorded since are read in it.
type archivedImports struct {
	dir     string
	trusted func(*x509.Certificate) bool
	keys    []string        // of what may have been archived
	last    int64           // number of the entry of the last segment that was searched
	found   map[string]bool // fingerprints
}

// findArchived searches the segments that the ledger has.
func (l *Ledger) findArchived(ctx context.Context, dir string, all []*importRecord) (*archivedImports, error) {
	a := &archivedImports{dir: dir, found: map[string]bool{}}
	for _, r := range all {
		if r.row.Kind == Leaf && r.body.Revoked == nil && l.now().After(r.row.NotAfter) { // see mayLeave
			a.keys = append(a.keys, keyOfFingerprint(r.row.Fingerprint))
		}
	}
	var err error
	if a.trusted, err = l.signers(ctx); err != nil {
		return nil, err
	}
	return a, a.search(ctx, l.db)
}

// search searches the segments that were recorded since the last call. A segment is recorded before anything
// of it leaves the database.
func (a *archivedImports) search(ctx context.Context, q querier) error {
	if len(a.keys) == 0 {
		return nil
	}
	rows, err := readSegments(ctx, q)
	for _, r := range rows {
		if r.seq <= a.last {
			continue
		}
		if err := a.searchIn(&r); err != nil {
			return err
		}
		a.last = r.seq
	}
	return err
}

func (a *archivedImports) searchIn(r *segmentRow) error {
	s, err := r.open(a.dir, a.trusted)
	if err != nil {
		return err
	}
	defer s.Close() // it was only read
	for record, err := range recordsOf(s, a.keys) {
		var c Certificate
		if err == nil {
			c, err = record.asCertificate()
		}
		if err != nil {
			return r.fails(s.File(), err)
		}
		a.found[string(c.Fingerprint)] = true
	}
	return nil
}

// has reports whether a certificate was archived and is not revoked.
func (a *archivedImports) has(r *importRecord) bool {
	return r.known == nil && r.body.Revoked == nil && a.found[string(r.row.Fingerprint)]
}
