package ledger

import (
	"context"
	"errors"
)

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
