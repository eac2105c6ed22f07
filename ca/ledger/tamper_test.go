package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// tamper runs a test of the rows of a filled ledger again and again, each time with other
// damage, which is undone: f gets a function that changes the tables and returns what Verify
// finds then. more fills the ledger further. A pooler has no part in it.
func tamper(t *testing.T, f func(t *testing.T, l *Ledger, damage func(string, ...any) []string), more ...func(*testing.T, *Ledger)) {
	twoEngines(t, func(t *testing.T, where string) {
		l := create(t, where)
		full(t, l)
		for _, fill := range more {
			fill(t, l)
		}
		l.db.SetMaxOpenConns(1)
		s, err := newSession(t.Context(), l.db, l.engine)
		if err != nil {
			t.Fatal(err)
		}
		l.writer.session = s // closed with the ledger
		f(t, l, func(text string, args ...any) []string { return damaged(t, s, (*verifier).rows, text, args) })
	})
}

// damaged carries out statements that ; divides, and returns what a check finds then.
func damaged(t *testing.T, s *session, check func(*verifier, context.Context) error, text string, args []any) []string {
	t.Helper()
	var all []statement
	for one := range strings.SplitSeq(text, ";") {
		n := strings.Count(one, "?")
		all = append(all, some(one, args[:n]...))
		args = args[n:]
	}
	faults, err := tampered(context.WithoutCancel(t.Context()), t, s, check, all)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return faults
}

// tampering is one change of a ledger by SQL.
type tampering struct {
	what       string
	statements []statement
	want       string // what a finding begins with
	names      string // what it names besides, where it can
}

// sqlOf is for statements without arguments.
func sqlOf(texts ...string) []statement {
	var all []statement
	for _, text := range texts {
		all = append(all, some(text))
	}
	return all
}

// Each kind of object, and each column of each table that the schema has.
func TestVerify_tampering(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, _ func(string, ...any) []string) {
		s := l.writer.session
		objects := sqliteTamperings()
		if l.engine.numbered {
			objects = postgresTamperings()
		}
		for _, one := range objects {
			checkTampering(t, s, (*verifier).checkSchema, one)
		}
		for _, one := range rowTamperings(t, s) {
			checkTampering(t, s, (*verifier).rows, one)
		}
	}, fullOfHosts, fullOfArchive)
}

func checkTampering(t *testing.T, s *session, check func(*verifier, context.Context) error, one tampering) {
	t.Helper()
	faults, err := tampered(t.Context(), t, s, check, one.statements)
	if err != nil {
		if !strings.HasPrefix(one.what, "head") { // a missing constraint is a fault
			t.Errorf("%s: %v", one.what, err)
		}
		return
	}
	if !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, one.want) && strings.Contains(f, one.names) }) {
		t.Errorf("%s: found %q\nwant %s … %s", one.what, faults, one.want, one.names)
	}
}

// tampered changes a ledger, returns what a check finds, and undoes the change. The error is
// that of the change.
func tampered(ctx context.Context, t *testing.T, s *session, check func(*verifier, context.Context) error, statements []statement) (faults []string, err error) {
	t.Helper()
	exec := func(text string, args ...any) error {
		_, err := s.conn.ExecContext(ctx, s.e.sql(text), args...)
		return err
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v: %v", statements, err)
		}
	}
	must(exec("BEGIN"))
	defer func() {
		must(exec("ROLLBACK"))
		if !s.e.numbered {
			must(exec("PRAGMA writable_schema = OFF"))
		}
	}()
	for _, one := range statements {
		if err := exec(one.text, one.args...); err != nil {
			return nil, err
		}
	}
	must(s.fixScope(ctx))
	v := newVerifier()
	v.session = s
	if dir, ok := tamperFolders.Load(s.e); ok {
		v.archive.dir = dir.(string)
	}
	must(check(v, ctx))
	for _, fault := range v.report.Faults {
		faults = append(faults, fault.String())
	}
	return faults, nil
}

// unprovable are the columns from which nothing follows and on which nothing depends.
func unprovable(column string) bool {
	return column == schemaTable+".id" || column == schemaTable+".tstamp"
}

// unnamed are the columns of which a finding reports that they, or something else of the row, were
// changed.
func unnamed(table, column string) bool {
	return table == "entries" || column == "certificates.der"
}

// columnOf is a column as the database describes it.
type columnOf struct {
	name, kind string
	nullable   bool
}

// columnsOf asks the database, so that a column that is new cannot be forgotten here.
func columnsOf(t *testing.T, s *session) map[string][]columnOf {
	t.Helper()
	query := `SELECT m.name, c.name, c.type, c."notnull" = 0 AND c.pk = 0 FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'sqlite_sequence'`
	if s.e.numbered {
		query = "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY ordinal_position"
	}
	rows, err := s.conn.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]columnOf{}
	for rows.Next() {
		var table string
		var c columnOf
		if err := rows.Scan(&table, &c.name, &c.kind, &c.nullable); err != nil {
			t.Fatal(err)
		}
		c.kind = strings.ToLower(c.kind)
		all[table] = append(all[table], c)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d tables, %v", len(all), err)
	}
	return all
}

// rowTamperings change each cell of each row, take out each row, and add one to each table. What is
// found follows from code that both engines share, and from how each of them gives values back: so in
// PostgreSQL, which is slower, rows of which the same columns are NULL stand for one another.
func rowTamperings(t *testing.T, s *session) []tampering {
	t.Helper()
	var all []tampering
	for name, columns := range columnsOf(t, s) {
		if name == "requests" { // no entry is about them: see request.go
			continue
		}
		tab := table{name: name, key: columns[0].name}
		for _, c := range columns {
			tab.columns = append(tab.columns, c.name)
		}
		if slices.ContainsFunc(looseTables(), func(t table) bool { return t.name == name }) {
			continue
		}
		var rows [][]any
		err := tab.rows(t.Context(), s, "", nil, func(row []any) error {
			rows = append(rows, row)
			return nil
		})
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: %d rows, %v", name, len(rows), err)
		}
		seen := map[string]bool{}
		for i, row := range rows {
			alike := nulls(row)
			if s.e.numbered && seen[alike] {
				continue
			}
			seen[alike] = true
			last := name == "entries" && i == len(rows)-1
			all = append(all, cellTamperings(tab, columns, row)...)
			all = append(all, missingRow(tab, row, last))
		}
		all = append(all, addedRow(tab, columns, rows[len(rows)-1]))
	}
	return all
}

// nulls returns which columns of a row are NULL.
func nulls(row []any) string {
	var b strings.Builder
	for _, v := range row {
		fmt.Fprint(&b, v == nil, " ")
	}
	return b.String()
}

// where is a condition for one row.
func where(tab table, row []any) (text string, args []any) {
	var parts []string
	for i, v := range row {
		if _, isTime := v.(time.Time); !isTime {
			parts, args = append(parts, tab.columns[i]+" IS NOT DISTINCT FROM ?"), append(args, v)
		}
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

// rowName is what the findings of a row begin with.
func rowName(tab table, row []any) string {
	if tab.name == schemaTable {
		return fmt.Sprintf("%s %v", tab.name, row[slices.Index(tab.columns, "version_id")])
	}
	if tab.name == "revocations" {
		return fmt.Sprintf("%s %x", tab.name, row[slices.Index(tab.columns, "serial")])
	}
	if key, ok := row[0].([]byte); ok {
		return fmt.Sprintf("%s %x", tab.name, key)
	}
	return fmt.Sprintf("%s %v", tab.name, row[0])
}

func cellTamperings(tab table, columns []columnOf, row []any) []tampering {
	var all []tampering
	condition, args := where(tab, row)
	for i, c := range columns {
		column := tab.name + "." + c.name
		for _, v := range others(row[i], c) {
			one := tampering{what: fmt.Sprintf("%s of %v set to %v", column, row[0], v), want: rowName(tab, row), names: c.name,
				statements: []statement{some("UPDATE "+tab.name+" SET "+c.name+" = ?"+condition, slices.Concat([]any{v}, args)...)}}
			switch {
			case unprovable(column):
				continue
			case column == "head.seq": // which a constraint holds to head.tail
				one.statements = []statement{some("UPDATE head SET seq = ?, tail = ?", v, -v.(int64))}
			case column == "head.tail" && v != nil:
				continue
			case i == 0 && tab.name != "head" || tab.name == schemaTable || tab.name == "names" && c.name == "place" || tab.name == "revocations" && c.name == "serial":
				one.want, one.names = tab.name+" ", ""
			case unnamed(tab.name, column):
				one.names = ""
			}
			all = append(all, one)
		}
	}
	return all
}

// others are values that a cell could have instead.
func others(v any, c columnOf) []any {
	var all []any
	switch v := v.(type) {
	case nil:
		switch {
		case strings.Contains(c.kind, "int"):
			return []any{int64(1)}
		case strings.Contains(c.kind, "text"):
			return []any{"x"}
		}
		return []any{[]byte{1}}
	case bool:
		all = append(all, !v)
	case time.Time:
		all = append(all, v.Add(time.Hour))
	default:
		if changed, ok := flip(v); ok {
			all = append(all, changed)
		}
	}
	if c.nullable {
		all = append(all, nil)
	}
	return all
}

func missingRow(tab table, row []any, last bool) tampering {
	condition, args := where(tab, row)
	one := tampering{what: fmt.Sprintf("%s without %v", tab.name, row[0]), want: rowName(tab, row), statements: []statement{some("DELETE FROM "+tab.name+condition, args...)}}
	if last {
		one.want = "head 1: seq is" // what comes after the end of the chain cannot be named
	}
	return one
}

// addedRow adds a row that is like another, but for one bit of each column.
func addedRow(tab table, columns []columnOf, like []any) tampering {
	row := slices.Clone(like)
	for i, c := range columns {
		row[i] = others(like[i], c)[0]
	}
	return tampering{what: tab.name + " with another row", want: tab.name + " ", statements: []statement{some(tab.insert(), row...)}}
}

// flip changes the lowest bit of the last byte; that of a key goes where no other is.
func flip(v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v ^ 1<<20, true
	case string:
		if v == "" {
			return "x", true
		}
		return v[:len(v)-1] + string(v[len(v)-1]^1), true
	case []byte:
		if len(v) == 0 {
			return []byte{1}, true
		}
		b := slices.Clone(v)
		b[len(b)-1] ^= 1
		return b, true
	}
	return nil, false
}

// TestVerify_der: a certificate that differs from the one that was issued in nothing but the
// signature.
func TestVerify_der(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, _ func(string, ...any) []string) {
		s := l.writer.session
		var seq int64
		var der []byte
		if err := s.queryRow(t.Context(), "SELECT seq, der FROM certificates ORDER BY seq DESC LIMIT 1").Scan(&seq, &der); err != nil {
			t.Fatal(err)
		}
		der[len(der)-1] ^= 1
		checkTampering(t, s, (*verifier).rows, tampering{what: "signature", statements: []statement{{"UPDATE certificates SET der = ? WHERE seq = ?", []any{der, seq}, 1}}, names: "der has the SHA-256"})
	})
}
