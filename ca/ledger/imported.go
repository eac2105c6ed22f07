package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/ca"
)

// Import is a certificate that the key of an authority signed before the ledger existed, or outside
// of it. The caller must have verified the signature.
type Import struct {
	ca.Issued
	Revoked *ca.Revocation // nil: not revoked; its serial is ignored
}

// Imported is the result of an import.
type Imported struct {
	Recorded int               // new certificates
	Revoked  int               // of the new and the known ones, how many are newly revoked
	Refused  map[string]string // what the ledger refuses, by serial: why
}

// importChunk is how many certificates share a transaction.
const importChunk = 500

// Import records certificates that were issued elsewhere, with their revocations. The rules for new
// certificates do not apply: they exist. Their issuer must be an authority, in whatever state.
// Certificates that are known stay, and are revoked if they have been since. A leaf becomes the
// newest of its name only if it is valid from a later time than the current one, so that their
// order does not matter, and if it was not revoked permanently: a host must be able to renew when
// an old certificate of its name is found. One that has expired does not take a name that nobody holds if
// the name had a later certificate: it was taken from that host. What was archived, into segments in the folder
// archive, is known, too; only if it is revoked by now, it is recorded again, with the revocation, so that its
// key is not certified again. A segment that is needed for that and cannot be read is a *SegmentError. They are
// recorded in groups; after an error, the same call resumes.
func (l *Ledger) Import(ctx context.Context, archive string, all []Import) (Imported, error) {
	done := Imported{Refused: map[string]string{}}
	var records []*importRecord
	for _, one := range all {
		r, err := newRecord(one.Issued)
		if err != nil {
			return done, err
		}
		if one.Revoked != nil {
			r.body.Revoked = &revokedThen{At: one.Revoked.At.UnixMicro(), Reason: one.Revoked.Reason}
		}
		records = append(records, &importRecord{record: r})
	}
	archived, err := l.findArchived(ctx, archive, records)
	if err != nil {
		return done, l.engine.explain(err)
	}
	for some := range slices.Chunk(records, importChunk) {
		if err := l.importSome(ctx, some, archived, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

// importRecord is a certificate to import.
type importRecord struct {
	*record
	known *Certificate // the ledger's record of it
	late  bool         // its name has or had a certificate that is valid from a later time, or it is revoked permanently
}

// importSome imports in one transaction. If one is refused, each gets its own.
func (l *Ledger) importSome(ctx context.Context, some []*importRecord, archived *archivedImports, done *Imported) error {
	now, err := aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Imported, error) { return t.importAll(ctx, some, archived) })
	if duplicate, ok := errors.AsType[*DuplicateError](err); ok {
		if len(some) == 1 {
			done.Refused[some[0].row.Serial] = duplicate.Error()
			return nil
		}
		for _, r := range some {
			if err := l.importSome(ctx, []*importRecord{r}, archived, done); err != nil {
				return err
			}
		}
		return nil
	}
	done.Recorded += now.Recorded
	done.Revoked += now.Revoked
	return err
}

func (t *transaction) importAll(ctx context.Context, all []*importRecord, archived *archivedImports) (done Imported, err error) {
	issuers, err := t.issuers(ctx)
	if err != nil {
		return done, err
	}
	if err := errors.Join(t.lookup(ctx, all), archived.search(ctx, t.conn)); err != nil {
		return done, err
	}
	listed, err := t.listedSerials(ctx)
	if err != nil {
		return done, err
	}
	newest, err := t.newestOf(ctx, all)
	if err != nil {
		return done, err
	}
	named, err := t.lastOf(ctx, all)
	if err != nil {
		return done, err
	}
	for _, r := range all {
		if _, err := issuers.of(r.record); err != nil {
			return done, err
		}
		if then := listed[string(r.row.IssuerKey)+string(r.row.serial)]; then != nil && then.outweighs(r.body.Revoked) {
			r.body.Revoked = then
		}
		if archived.has(r) {
			continue
		}
		t.takesName(r, newest, named)
		recorded, revoked, err := t.importOne(ctx, r)
		if err != nil {
			return done, err
		}
		done.Recorded += recorded
		done.Revoked += revoked
	}
	return done, nil
}

// takesName decides whether a leaf takes its name, and notes it in newest, or comes late: after a newer one
// that newest has, or after a later one that named has and from which the name was taken since.
func (t *transaction) takesName(r *importRecord, newest, named map[string]int64) {
	if r.row.Kind != Leaf || r.known != nil {
		return
	}
	from := r.row.NotBefore.UnixMicro()
	last, held := newest[r.row.Subject]
	r.body.Late = !held && t.now().After(r.row.NotAfter) && named[r.row.CommonName] > from
	if r.late = r.body.Late || held && (last > from || r.body.Revoked.forGood()); !r.late {
		newest[r.row.Subject] = from
	}
}

// lookup finds the certificates that are in the ledger already.
func (t *transaction) lookup(ctx context.Context, all []*importRecord) error {
	var prints []any
	byPrint := map[string]*importRecord{}
	for _, r := range all {
		prints = append(prints, r.row.Fingerprint)
		byPrint[string(r.row.Fingerprint)] = r
	}
	found, err := t.certificates(ctx, "c.fingerprint IN (?"+strings.Repeat(", ?", len(prints)-1)+")", prints...)
	for i := range found {
		byPrint[string(found[i].Fingerprint)].known = &found[i]
	}
	return err
}

// newestOf returns, by name, from when the newest certificates of lineages are valid, in
// microseconds.
func (t *transaction) newestOf(ctx context.Context, all []*importRecord) (map[string]int64, error) {
	var names []any
	for _, r := range all {
		names = append(names, r.row.Subject)
	}
	return t.latest(ctx, "SELECT l.name, max(n.not_before) FROM lineages l JOIN certificates n ON n.seq = l.newest WHERE l.name IN "+marks(len(names))+" GROUP BY l.name", names)
}

// lastOf returns, by common name, from when the last leaf of the database is valid, in microseconds.
func (t *transaction) lastOf(ctx context.Context, all []*importRecord) (map[string]int64, error) {
	var names []any
	for _, r := range all {
		names = append(names, r.row.CommonName)
	}
	return t.latest(ctx, "SELECT c.common_name, max(c.not_before) FROM certificates c WHERE c.kind = 'leaf' AND c.common_name IN "+marks(len(names))+" GROUP BY c.common_name", names)
}

// latest reads names and times.
func (t *transaction) latest(ctx context.Context, text string, args []any) (map[string]int64, error) {
	rows, err := t.conn.QueryContext(ctx, t.e.sql(text), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var name string
		var from int64
		if err := rows.Scan(&name, &from); err != nil {
			return nil, err
		}
		all[name] = from
	}
	return all, rows.Err()
}

// importOne records a certificate, or revokes it if it is in the ledger.
func (t *transaction) importOne(ctx context.Context, r *importRecord) (recorded, revoked int, err error) {
	then := r.body.Revoked
	if r.known != nil {
		if then == nil || !worsens(r.known, then.Reason) {
			return 0, 0, nil
		}
		body := revokedBody{Fingerprints: []string{r.body.Fingerprint}, Reason: then.Reason, At: then.At, Why: "imported"}
		seq, err := t.append(ctx, kindRevoke, body)
		if err != nil {
			return 0, 0, err
		}
		return 0, 1, t.setRevoked(ctx, [][]byte{r.row.Fingerprint}, then.At, int64(then.Reason), seq)
	}
	statements, insert, err := r.statements(t, kindImport)
	if err != nil {
		return 0, 0, err
	}
	if r.row.Kind == Leaf && !r.late {
		statements = append(statements, r.lineageStatements()...)
	}
	if then != nil {
		statements = append(statements, one(updateRevoked, then.At, int64(then.Reason), r.row.Seq, r.row.Fingerprint),
			some("DELETE FROM revocations WHERE issuer_key = ? AND serial = ?", r.row.IssuerKey, r.row.serial))
		revoked = 1
	}
	changed, err := t.e.send(ctx, t.session, statements)
	if err != nil {
		return 0, 0, err
	}
	if changed[insert] != 1 {
		return 0, 0, &DuplicateError{What: fmt.Sprintf("the serial number %s of the issuer %q", r.row.Serial, r.row.Issuer)}
	}
	for i, s := range statements {
		if err := t.exact(s, changed[i]); err != nil {
			return 0, 0, err
		}
	}
	return 1, revoked, nil
}

// IsImported reports whether a certificate, by its SHA-256, was issued elsewhere and imported.
func (l *Ledger) IsImported(ctx context.Context, fingerprint []byte) (bool, error) {
	var n int64
	err := l.db.QueryRowContext(ctx, l.engine.sql("SELECT count(*) FROM certificates c JOIN entries e ON e.seq = c.seq WHERE c.fingerprint = ? AND e.kind = 'import'"), fingerprint).Scan(&n)
	return n > 0, l.engine.explain(err)
}

// worsens reports whether a revocation changes the ledger's state of a certificate: it was not
// revoked, or only on hold.
func worsens(c *Certificate, reason ca.Reason) bool {
	return c.RevokedAt == nil || c.Reason == ca.CertificateHold && reason != ca.CertificateHold
}
