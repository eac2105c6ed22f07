package ledger

import (
	"context"
	"strings"
)

// Count returns how many certificates match f, without Limit and After.
func (l *Ledger) Count(ctx context.Context, f Filter) (int64, error) {
	f.Limit, f.After = 0, 0
	if f == (Filter{State: f.State}) && (f.State == Valid || f.State == Expired) {
		return l.countUnrevoked(ctx, f.State)
	}
	q, err := l.query(ctx, &f)
	if err != nil {
		return 0, l.engine.explain(err)
	}
	if f.SAN != "" && f == (Filter{SAN: f.SAN}) { // the certificates need not be read
		q.from, _, _ = strings.Cut(q.from, ", ")
		q.where = q.where[1:]
	}
	return l.count(ctx, q.from+q.conditions(), q.args...)
}

func (l *Ledger) count(ctx context.Context, from string, args ...any) (n int64, err error) {
	err = l.db.QueryRowContext(ctx, l.engine.sql("SELECT count(*) FROM "+from), args...).Scan(&n)
	return n, l.engine.explain(err)
}

// countUnrevoked counts by the index of expiry alone, and subtracts the few that are revoked or
// pending. It is one statement, which sees one state.
func (l *Ledger) countUnrevoked(ctx context.Context, state string) (n int64, err error) {
	now := l.now()
	when := "not_after >= ?"
	if state == Expired {
		when = "not_after < ?"
	}
	text := "SELECT (SELECT count(*) FROM certificates c" + l.engine.using("certificates_expiry") + " WHERE " + when + ")" +
		" - (SELECT count(*) FROM certificates c" + l.engine.using("certificates_revoked") + " WHERE revoked_at IS NOT NULL AND " + when + ")"
	args := []any{now.UnixMicro(), now.UnixMicro()}
	if state == Valid {
		pending, err := (&Filter{State: Pending}).query(l.engine, now, nil)
		if err != nil {
			return 0, err
		}
		text += " - (SELECT count(*) FROM " + pending.from + pending.conditions() + ")"
		args = append(args, pending.args...)
	}
	err = l.db.QueryRowContext(ctx, l.engine.sql(text), args...).Scan(&n)
	return n, l.engine.explain(err)
}
