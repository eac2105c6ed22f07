package ledger

import (
	"context"
	"database/sql"
	"iter"
)

// A scanner is a row, or the rows of which one is current.
type scanner interface{ Scan(...any) error }

// collect returns what scan reads from each row.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// each yields what scan reads from each row of a query, while the query runs. An error ends it.
func each[T any](ctx context.Context, l *Ledger, scan func(scanner) (T, error), text string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := l.db.QueryContext(ctx, l.engine.sql(text), args...)
		if err != nil {
			yield(none, l.engine.explain(err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scan(rows)
			if !yield(one, l.engine.explain(err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, l.engine.explain(err))
		}
	}
}
