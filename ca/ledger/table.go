package ledger

import (
	"cmp"
	"context"
	"strings"
)

// table is one of the tables, with its columns in the order of the rows that are written.
type table struct {
	name    string
	columns []string
	key     string // by which its rows are read in order
}

func entriesTable() table {
	return table{"entries", []string{"seq", "at", "kind", "body", "prev", "hash"}, "seq"}
}

// certificatesTable: columns that follow from the certificate and its entry, and then those that
// later entries change. Records in segments have their values in this order.
func certificatesTable() table {
	return table{"certificates", []string{"seq", "issued_at", "fingerprint", "serial", "issuer_key_id", "kind", "not_before", "not_after", "replaces",
		"common_name", "subject", "issuer", "host", "profile", "why", "der", "key_hash", "issuer_key", "lineage",
		"revoked_at", "reason", "revoked_seq", "replaced_seq"}, "seq"}
}

func namesTable() table {
	return table{"names", []string{"seq", "place", "kind", "value", "server"}, "seq, place"}
}

func authoritiesTable() table {
	return table{"authorities", []string{"name", "fingerprint", "parent", "state", "issuing", "seq"}, "name"}
}

func crlsTable() table {
	return table{"crls", []string{"seq", "issuer_key_id", "number", "base", "this_update", "next_update", "size", "sha256", "entries", "issuer_key"}, "seq"}
}

func lineagesTable() table {
	return table{"lineages", []string{"id", "name", "newest", "old", "common_name", "recoveries", "only_key"}, "id"}
}

// tokensTable: columns that follow from the entry, and then those that later entries change.
func tokensTable() table {
	return table{"tokens", []string{"id", "secret_hash", "names", "pattern", "profile", "uses", "expires_at", "networks", "for_key", "may_replace", "why", "request", "seq", "made_at",
		"revoked_at", "void_seq"}, "seq"}
}

func tokenUsesTable() table {
	return table{"token_uses", []string{"token", "key_hash", "seq"}, "seq"}
}

func denialsTable() table {
	return table{"denials", []string{"name", "seq", "at", "why"}, "name"}
}

func listsTable() table {
	return table{"lists", []string{"issuer_key", "seq", "der"}, "issuer_key"}
}

func contactsTable() table {
	return table{"contacts", []string{"name", "at", "renew_at", "version"}, "name"}
}

func noticesTable() table {
	return table{"notices", []string{"event", "at"}, "event"}
}

func segmentsTable() table {
	return table{"segments", []string{"number", "seq", "file", "digest", "records", "first_seq", "last_seq", "head_seq", "gone", "done"}, "number"}
}

// copiedTables returns all tables except the head, which is written last, and the requests that wait,
// which are in no entry.
func copiedTables() []table { return append(chainedTables(), looseTables()...) }

// chainedTables returns the tables that follow from the entries, except the head.
func chainedTables() []table {
	return []table{entriesTable(), certificatesTable(), namesTable(), authoritiesTable(), crlsTable(), lineagesTable(), revocationsTable(), tokensTable(), tokenUsesTable(), denialsTable(), listsTable(), segmentsTable()}
}

// looseTables returns the tables that no entry tells of: Verify does not find changes of their rows,
// and nothing that is issued depends on them.
func looseTables() []table { return []table{contactsTable(), noticesTable()} }

func revocationsTable() table {
	return table{"revocations", []string{"issuer_key", "serial", "revoked_at", "reason", "seq"}, "issuer_key, serial"}
}

func headTable() table {
	return table{"head", []string{"id", "seq", "hash", "tail", "at"}, "id"}
}

func (t table) selectAll() string {
	return "SELECT " + strings.Join(t.columns, ", ") + " FROM " + t.name
}

func (t table) insert() string {
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
}

// rows reads complete rows, as int64, string, []byte or nil, and passes each to f. which is the
// clause after the name of the table; by default ORDER BY key.
func (t table) rows(ctx context.Context, s *session, which string, args []any, f func(row []any) error) error {
	rows, err := s.conn.QueryContext(ctx, s.e.sql(t.selectAll()+" "+cmp.Or(which, "ORDER BY "+t.key)), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// weight estimates the bytes of a row.
func weight(row []any) int {
	n := 0
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}
