package ledger

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Contact is the last answer that the holder of a name got from a server. No entry of the chain
// has it: any user with write access to the database can change it unnoticed.
type Contact struct {
	Name    string // the common name
	At      time.Time
	RenewAt time.Time // the earliest time that it was told to renew at
	Version string    // of kedge on the host, as the host states it
}

// storeContact keeps the later of two: servers write their contacts some time after.
const storeContact = `INSERT INTO contacts (name, at, renew_at, version) VALUES (?, ?, ?, ?)
	ON CONFLICT (name) DO UPDATE SET at = excluded.at, renew_at = excluded.renew_at, version = excluded.version WHERE contacts.at <= excluded.at`

// AddContacts records contacts, with one write for all of them. A later one of a name stays.
func (l *Ledger) AddContacts(ctx context.Context, all []Contact) error {
	var statements []statement
	for _, c := range all {
		statements = append(statements, some(storeContact, c.Name, c.At.UnixMicro(), c.RenewAt.UnixMicro(), c.Version))
	}
	for part := range slices.Chunk(statements, page) {
		if err := l.alone(ctx, func(ctx context.Context, t *transaction) error { return t.send(ctx, part...) }); err != nil {
			return err
		}
	}
	return nil
}

// Noticed reports which of some events were reported, by AddNotice.
func (l *Ledger) Noticed(ctx context.Context, events []string) (map[string]bool, error) {
	found := map[string]bool{}
	for part := range slices.Chunk(events, page) {
		var args []any
		for _, event := range part {
			args = append(args, event)
		}
		rows, err := l.db.QueryContext(ctx, l.engine.sql("SELECT event FROM notices WHERE event IN (?"+strings.Repeat(", ?", len(part)-1)+")"), args...)
		if err != nil {
			return nil, l.engine.explain(err)
		}
		for rows.Next() {
			var event string
			if err := rows.Scan(&event); err != nil {
				_ = rows.Close()
				return nil, l.engine.explain(err)
			}
			found[event] = true
		}
		if err := rows.Err(); err != nil {
			return nil, l.engine.explain(err)
		}
	}
	return found, nil
}

// AddNotices records that events were reported, and forgets those that were reported before a time:
// but for current ones, which can be reported again.
func (l *Ledger) AddNotices(ctx context.Context, reported, current []string, forget time.Time) error {
	now := l.now().UnixMicro()
	var all []statement
	for _, event := range current {
		all = append(all, some("UPDATE notices SET at = ? WHERE event = ?", now, event))
	}
	for _, event := range reported {
		all = append(all, one("INSERT INTO notices (event, at) VALUES (?, ?) ON CONFLICT (event) DO UPDATE SET at = excluded.at", event, now))
	}
	all = append(all, some("DELETE FROM notices WHERE at < ?", forget.UnixMicro()))
	return l.alone(ctx, func(ctx context.Context, t *transaction) error { return t.send(ctx, all...) })
}
