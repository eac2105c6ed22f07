package ledger

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"kedge/ca"
)

// between selects the rows of a page, in the order that follows.
const between = "WHERE seq > ? AND seq <= ? ORDER BY "

// certificates checks those of a page, and their names.
func (v *verifier) certificates(ctx context.Context, entries []Entry, from, to int64) error {
	t, n := certificatesTable(), namesTable()
	if err := v.findKept(ctx); err != nil {
		return err
	}
	issues := map[int64]*Entry{}
	for i := range entries {
		if entries[i].Kind == kindIssue || entries[i].Kind == kindImport {
			issues[entries[i].Seq] = &entries[i]
		}
	}
	want := map[int64][][]any{} // names
	err := t.rows(ctx, v.session, between+t.key, []any{from, to}, func(row []any) error {
		v.seen[t.name]++
		seq, _ := row[0].(int64)
		e := issues[seq]
		if e == nil {
			v.report.add(t.name, seq, "no entry records its issue")
			return nil
		}
		delete(issues, seq)
		v.movedBefore(seq, issues, want)
		v.changeBefore(seq)
		want[seq] = v.certificate(t, e, row)
		return nil
	})
	if err != nil {
		return err
	}
	v.movedBefore(math.MaxInt64, issues, want)
	v.changeBefore(math.MaxInt64)
	for _, seq := range slices.Sorted(maps.Keys(issues)) {
		v.report.add(t.name, seq, "it is missing; the entry says %s", issues[seq].Body)
	}
	return v.names(ctx, n, want, from, to)
}

// movedBefore checks the certificates of the page that are in segments, up to a number: as those of the
// database, in the order of the chain.
func (v *verifier) movedBefore(seq int64, issues map[int64]*Entry, want map[int64][][]any) {
	t := certificatesTable()
	for ; v.archive.checked < len(v.archive.page); v.archive.checked++ {
		r := v.archive.page[v.archive.checked]
		if r.entry.Seq >= seq {
			return
		}
		e := issues[r.entry.Seq]
		if e == nil {
			v.report.add("segments", r.segment, "its record %d is not that of a certificate", r.entry.Seq)
			continue
		}
		delete(issues, r.entry.Seq)
		v.changeBefore(r.entry.Seq)
		want[r.entry.Seq] = v.certificate(t, e, r.certificate())
	}
}

// certificate checks a row, and returns the names that it must have.
func (v *verifier) certificate(t table, e *Entry, row []any) (names [][]any) {
	var body issuedBody
	if err := e.decode(&body); err != nil {
		v.report.add("entries", e.Seq, "%v", err)
		return nil
	}
	v.note(body.Fingerprint, e.Seq, row)
	der, _ := row[15].([]byte)
	if sum := sha256.Sum256(der); hex.EncodeToString(sum[:]) != body.Fingerprint {
		v.report.add(t.name, e.Seq, "der has the SHA-256 %x; the certificate that was issued has %s", sum, body.Fingerprint)
		return nil
	}
	cert, err := ca.ParseCertificate(der)
	if err != nil {
		v.report.add(t.name, e.Seq, "der: %v", err)
		return nil
	}
	r, err := body.record(cert, e)
	if err != nil {
		v.report.add("entries", e.Seq, "%v", err)
		return nil
	}
	if text, err := encode(r.body); err != nil || text != e.Body {
		v.report.add("entries", e.Seq, "the body is not that of the certificate")
	}
	if e.Kind == kindImport {
		v.history.addImport(&r.row, cert, body)
	} else {
		v.history.add(&r.row, cert, body)
	}
	v.use(&body, r)
	values := append(r.values(), any(nil))
	if v.archive.incomplete && r.row.Kind == Leaf {
		r.row.Lineage, _ = row[len(values)-1].(int64)
	}
	if r.row.Kind == Leaf {
		values[len(values)-1] = r.row.Lineage
	}
	v.report.compare(t, e.Seq, row, values)
	return r.names(e.Seq)
}

// listedKey identifies a revocation without a certificate.
type listedKey struct{ by, serial string } // the authority, and hexadecimal

// listedRow is a row of revocations, as an entry implies it.
type listedRow struct {
	by     string // the authority
	serial []byte
	values []any // revoked_at, reason, seq
}

// checkLineages compares the table with what the certificates imply.
func (v *verifier) checkLineages(ctx context.Context) error {
	t := lineagesTable()
	seen := map[int64]bool{}
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		id, _ := row[0].(int64)
		l := v.history.lineages[id]
		if l == nil && v.archive.incomplete {
			return nil
		}
		if l == nil {
			v.report.add(t.name, show(row[0]), "there is no such lineage, or it has ended")
			return nil
		}
		seen[id] = true
		if v.archive.incomplete {
			return nil
		}
		old := int64(0)
		if l.old {
			old = 1
		}
		v.report.compare(t, id, row, []any{id, l.name, l.newest, old, l.common, l.recoveries, orNull([]byte(l.onlyKey))})
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(v.history.lineages)) {
		if !seen[id] && !v.archive.incomplete {
			v.report.add(t.name, id, "it is missing")
		}
	}
	return err
}

// checkListed compares the revocations without a certificate with the entries.
func (v *verifier) checkListed(ctx context.Context) error {
	t := revocationsTable()
	want := map[string][]any{}
	for _, l := range v.listed {
		key := []byte(v.history.keyOf(l.by))
		want[string(key)+string(l.serial)] = append([]any{key, l.serial}, l.values...)
	}
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		key, _ := row[0].([]byte)
		serial, _ := row[1].([]byte)
		id := string(key) + string(serial)
		if want[id] == nil {
			v.report.add(t.name, fmt.Sprintf("%x", serial), "no entry records its revocation")
			return nil
		}
		v.report.compare(t, fmt.Sprintf("%x", serial), row, want[id])
		delete(want, id)
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(want)) {
		v.report.add(t.name, fmt.Sprintf("%x", want[id][1]), "it is missing")
	}
	return err
}

// record rebuilds the record of a certificate.
func (b *issuedBody) record(cert *x509.Certificate, e *Entry) (*record, error) {
	replaces, err := hex.DecodeString(b.Replaces)
	if err != nil {
		return nil, err
	}
	enrollment, err := b.enrollment()
	if err != nil {
		return nil, err
	}
	r, err := newRecord(ca.Issued{Certificate: cert, Profile: b.Profile, Host: b.Host, Why: b.Why, Replaces: replaces, At: e.At, AllowRevokedKey: b.RevokedKey,
		Enrollment: enrollment, Server: b.Server})
	if err == nil {
		r.row.Seq, r.body.By, r.body.Revoked, r.body.Late = e.Seq, b.By, b.Revoked, b.Late
	}
	return r, err
}

// note records the revocation of a row.
func (v *verifier) note(fingerprint string, seq int64, row []any) {
	values := [3]any{row[19], row[20], row[21]}
	if values != [3]any{} {
		v.found[fingerprint] = revocationRow{seq, values}
	}
}

// names checks those of a page of certificates.
func (v *verifier) names(ctx context.Context, t table, want map[int64][][]any, from, to int64) error {
	check := func(row []any) error {
		seq, _ := row[0].(int64)
		i := slices.IndexFunc(want[seq], func(w []any) bool { return same(w[1], row[1]) })
		if i < 0 {
			v.report.add(t.name, fmt.Sprintf("%d/%v", seq, row[1]), "its certificate has no such name: %s", show(row[3]))
			return nil
		}
		v.report.compare(t, fmt.Sprintf("%d/%v", seq, row[1]), row, want[seq][i])
		want[seq] = slices.Delete(want[seq], i, i+1)
		return nil
	}
	err := t.rows(ctx, v.session, between+t.key, []any{from, to}, func(row []any) error {
		v.seen[t.name]++
		return check(row)
	})
	for _, r := range v.archive.page {
		for _, row := range r.names() {
			err = errors.Join(err, check(row))
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(want)) {
		for _, name := range want[seq] {
			v.report.add(t.name, fmt.Sprintf("%d/%v", seq, name[1]), "it is missing: %s", show(name[3]))
		}
	}
	return err
}

// crls checks those of a page.
func (v *verifier) crls(ctx context.Context, entries []Entry, from, to int64) error {
	t := crlsTable()
	want := map[int64][]any{}
	for _, e := range entries {
		if e.Kind != kindCRL && e.Kind != kindList && e.Kind != kindTakeOver {
			continue
		}
		row, err := v.crlRow(&e)
		if row == nil && err == nil {
			continue
		}
		if err != nil {
			v.report.add("entries", e.Seq, "%v", err)
			continue
		}
		want[e.Seq] = row
	}
	err := t.rows(ctx, v.session, between+t.key, []any{from, to}, func(row []any) error {
		v.seen[t.name]++
		seq, _ := row[0].(int64)
		if want[seq] == nil {
			v.report.add(t.name, seq, "no entry records it")
			return nil
		}
		v.report.compare(t, seq, row, want[seq])
		delete(want, seq)
		return nil
	})
	for _, seq := range slices.Sorted(maps.Keys(want)) {
		v.report.add(t.name, seq, "it is missing")
	}
	return err
}

// replaced checks the column replaced_seq: a certificate that replaces another in the ledger is the
// one in its replaced_seq, or comes before that; and the one in replaced_seq does replace it.
func (v *verifier) replaced(ctx context.Context, _ []Entry, from, to int64) error {
	const unnoted = `SELECT o.seq, c.seq FROM certificates c JOIN certificates o ON o.fingerprint = c.replaces
		WHERE c.seq > ? AND c.seq <= ? AND o.seq < c.seq AND coalesce(o.replaced_seq, 0) < c.seq ORDER BY c.seq`
	const wrong = `SELECT o.seq, o.replaced_seq FROM certificates o JOIN certificates c ON c.seq = o.replaced_seq
		WHERE o.seq > ? AND o.seq <= ? AND (c.replaces IS NULL OR c.replaces <> o.fingerprint OR c.seq < o.seq) ORDER BY o.seq`
	const absent = `SELECT o.seq, o.replaced_seq FROM certificates o WHERE o.seq > ? AND o.seq <= ? AND o.replaced_seq IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM certificates c WHERE c.seq = o.replaced_seq) ORDER BY o.seq`
	return errors.Join(
		v.pairs(ctx, func(seq, other any) {
			o, _ := seq.(int64)
			v.archive.successors[o], _ = other.(int64)
		}, absent, from, to),
		v.replacedByMoved(ctx),
		v.pairs(ctx, func(seq, other any) { v.unnoted = append(v.unnoted, [2]any{seq, other}) }, unnoted, from, to),
		v.pairs(ctx, func(seq, other any) {
			v.report.add("certificates", seq, "replaced_seq is %v, which does not renew it", other)
		}, wrong, from, to))
}

// checkUnnoted reports the certificates that another renews without a note, except those that a later
// entry made the newest again.
func (v *verifier) checkUnnoted() {
	for _, pair := range v.unnoted {
		if seq, _ := pair[0].(int64); !v.resumed[seq] {
			v.report.add("certificates", pair[0], "certificate %v renews it, and replaced_seq does not say so", pair[1])
		}
	}
}

// pairs passes the rows of a query to f: the numbers of two certificates.
func (v *verifier) pairs(ctx context.Context, f func(seq, other any), text string, args ...any) error {
	rows, err := v.conn.QueryContext(ctx, v.e.sql(text), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, other any
		if err := rows.Scan(&seq, &other); err != nil {
			return err
		}
		f(seq, other)
	}
	return rows.Err()
}

// checkRevoked compares the revocations of certificates with the entries.
func (v *verifier) checkRevoked(ctx context.Context) error {
	columns := certificatesTable().columns[19:22]
	for _, f := range slices.Sorted(maps.Keys(v.found)) {
		got := v.found[f]
		want := v.revoked[f]
		v.report.compare(table{name: "certificates", columns: columns}, got.certificate, got.values[:], want.values[:])
		delete(v.revoked, f)
	}
	for _, f := range slices.Sorted(maps.Keys(v.revoked)) {
		fingerprint, _ := hex.DecodeString(f)
		var seq any
		err := v.queryRow(ctx, "SELECT seq FROM certificates WHERE fingerprint = ?", fingerprint).Scan(&seq)
		if errors.Is(err, sql.ErrNoRows) {
			seq, err = f, nil
		}
		if err != nil {
			return err
		}
		v.report.add("certificates", seq, "entry %v revoked it, and the certificate does not say so", v.revoked[f].values[2])
	}
	return nil
}

func (v *verifier) checkAuthorities(ctx context.Context) error {
	t := authoritiesTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		name, _ := row[0].(string)
		want := v.authorities[name]
		if want == nil {
			v.report.add(t.name, show(row[0]), "no entry records such an authority")
			return nil
		}
		want.seen = true
		v.report.compare(t, name, row, want.values)
		return nil
	})
	for _, name := range slices.Sorted(maps.Keys(v.authorities)) {
		if !v.authorities[name].seen {
			v.report.add(t.name, name, "it is missing")
		}
	}
	return err
}

// crlRow returns the row that an entry implies, or nil.
func (v *verifier) crlRow(e *Entry) ([]any, error) {
	var list listBody
	var over takeOverBody
	var err error
	switch e.Kind {
	case kindList:
		err = e.decode(&list)
	case kindTakeOver:
		err = e.decode(&over)
		list.crlBody = over.crl(e.At)
	default:
		err = e.decode(&list.crlBody)
	}
	if err != nil || e.Kind == kindTakeOver && over.Number == 0 {
		return nil, err
	}
	body := list.crlBody
	id, err := decodeKeyID(body.Issuer)
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(body.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the hash of the CRL is not hexadecimal")
	}
	key := v.history.keys[string(id)]
	if body.By != "" {
		key = v.history.keyOf(body.By)
	}
	if body.Stored {
		v.lists[string(key)] = storedList{e.Seq, body.SHA256}
	}
	return []any{e.Seq, id, body.Number, body.Base, body.ThisUpdate, body.NextUpdate, body.Size, sum, body.Entries, []byte(key)}, nil
}
