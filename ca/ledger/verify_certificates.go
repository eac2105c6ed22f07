package ledger

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
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
		Enrollment: enrollment, Server: b.Server, Probe: b.Probe})
	if err == nil {
		r.row.Seq, r.body.By, r.body.Revoked, r.body.Late = e.Seq, b.By, b.Revoked, b.Late
	}
	return r, err
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
