package ledger

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// engine is what SQLite and PostgreSQL do differently.
type engine struct {
	where  string            // the file, or the host and the database, for errors
	goose  goose.Dialect     // by which goose migrates
	schema *strings.Replacer // the words of schema/*.sql

	numbered bool   // parameters are $1, $2 and not ?
	remote   bool   // a server that may have ended since it was last asked
	steady   string // makes a file be written as it is to; empty: it is
	begin    string // starts a transaction that writes
	local    string // what holds until it ends, such as to wait for the disk; empty: nothing
	turn     string // waits in it for others that migrate; empty: there is no need
	head     string // reads the head, and locks it
	joined   string // joins authorities a with certificates c, by a lookup for each
	snapshot string // starts a transaction that sees one state
	match    string // the operator for patterns
	pattern  func(string) string
	hints    bool // INDEXED BY is understood

	tables    string // counts the tables that are there
	backup    string // writes a copy to a file; empty: row by row
	integrity string // checks the file itself; empty: there is none
	scope     string // makes a transaction look for names in the ledger's schema only; empty: there is one

	objects  func(context.Context, *sql.Conn) ([]object, error) // reads the schema
	expected func(context.Context) ([]object, error)            // what objects reads of a new ledger

	absent  func(error) bool // the table is not there
	migrate func(context.Context, *sql.DB) error
	explain func(error) error // in words of ours; nil stays nil
	send    func(ctx context.Context, s *session, all []statement) ([]int64, error)
}

// querier is a connection, or a pool of them.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// statement is one that changes rows, or a SELECT of which only the number of rows counts. Its
// arguments are int64, string, []byte or nil.
type statement struct {
	text string
	args []any
	rows int64 // how many it must change or find, or anyRows
}

// isQuery reports whether the statement only reads.
func (s statement) isQuery() bool { return strings.HasPrefix(s.text, "SELECT ") }

// anyRows lets a statement change as many rows as it does.
const anyRows = -1

// one is a statement that must change one row.
func one(text string, args ...any) statement { return statement{text, args, 1} }

// some is a statement that may change any number of rows.
func some(text string, args ...any) statement { return statement{text, args, anyRows} }

// sql returns text, in which parameters are written as ?, as the engine takes it.
func (e *engine) sql(text string) string {
	if !e.numbered {
		return text
	}
	var b strings.Builder
	for i := 1; ; i++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(i))
		text = after
	}
}

// using makes the engine take an index, where it does not keep statistics to choose one by.
func (e *engine) using(index string) string {
	if !e.hints || index == "" {
		return ""
	}
	return " INDEXED BY " + index
}
