package ledger

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// engine is what differs between SQLite and PostgreSQL.
type engine struct {
	where  string            // the file, or the host and the database, for errors
	goose  goose.Dialect     // for goose migrations
	schema *strings.Replacer // replaces the placeholders in schema/*.sql and mayLeave

	numbered      bool   // parameters are $1, $2 and not ?
	remote        bool   // a server that may have been restarted since the last statement
	writeMode     string // sets how a file is written; empty: not needed
	begin         string // begins a transaction that writes
	local         string // sets options for the transaction, such as waiting for the disk; empty: none
	migrationLock string // locks out other migrations until the transaction ends; empty: not needed
	tryLock       string // takes the lock of TryLock until the transaction ends, if it is free; empty: not needed
	tryPushLock   string // the same for TryPushLock
	tryAccount    string // the same for TryAccountLock
	head          string // reads the head, and locks it
	joined        string // joins authorities a with certificates c, with a lookup for each
	snapshot      string // begins a transaction that sees one state
	match         string // the operator for patterns
	pattern       func(string) string
	hints         bool // INDEXED BY is understood

	tables     string // counts the existing tables
	backup     string // writes a copy to a file; empty: row by row
	checkpoint string // copies what was committed into the file, while others write; empty: not needed
	integrity  string // checks the file itself; empty: not available
	scope      string // restricts name lookups of a transaction to the ledger's schema; empty: not needed

	objects  func(context.Context, *sql.Conn) ([]object, error) // reads the schema
	expected func(context.Context) ([]object, error)            // what objects reads of a new ledger

	absent  func(error) bool // reports whether the table does not exist
	migrate func(context.Context, *sql.DB) error
	explain func(error) error // returns the ledger's error for one of the driver; nil for nil
	send    func(ctx context.Context, s *session, all []statement) ([]int64, error)
	ask     func(ctx context.Context, s *session, before []statement, all []lookup) error // runs statements, and then lookups
}

// querier is a connection, or a pool of them.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// statement changes rows, or is a SELECT of which only the number of rows is used. Its arguments
// are int64, string, []byte or nil.
type statement struct {
	text string
	args []any
	rows int64 // how many it must change or find, or anyRows
}

// lookup is a SELECT, with what takes each of its rows.
type lookup struct {
	text string
	args []any
	row  func(scanner) error
}

// isQuery reports whether the statement only reads.
func (s statement) isQuery() bool { return strings.HasPrefix(s.text, "SELECT ") }

// anyRows is the rows of a statement that may change any number.
const anyRows = -1

// one returns a statement that must change one row.
func one(text string, args ...any) statement { return statement{text, args, 1} }

// some returns a statement that may change any number of rows.
func some(text string, args ...any) statement { return statement{text, args, anyRows} }

// sql returns a statement, with ? for parameters, in the engine's syntax.
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

// using returns a hint to use an index, for the engine without statistics to choose one.
func (e *engine) using(index string) string {
	if !e.hints || index == "" {
		return ""
	}
	return " INDEXED BY " + index
}
