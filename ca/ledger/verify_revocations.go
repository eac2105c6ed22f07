package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// listedKey identifies a revocation without a certificate.
type listedKey struct{ by, serial string } // the authority, and hexadecimal

// listedRow is a row of revocations, as an entry implies it.
type listedRow struct {
	by     string // the authority
	serial []byte
	values []any // revoked_at, reason, seq
}

// note records the revocation of a row.
func (v *verifier) note(fingerprint string, seq int64, row []any) {
	values := [3]any{row[19], row[20], row[21]}
	if values != [3]any{} {
		v.found[fingerprint] = revocationRow{seq, values}
	}
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
