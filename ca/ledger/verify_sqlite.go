package ledger

import (
	"context"
	"database/sql"
	"slices"
)

// sqliteObjects reads the schema of a file, every row of it: SQLite uses the text, whatever the
// name.
const sqliteObjects = `SELECT coalesce(type, '') || ' ' || coalesce(name, '') || CASE WHEN tbl_name IS name THEN '' ELSE ' of ' || coalesce(tbl_name, '') END,
	coalesce(sql, '') FROM main.sqlite_schema ORDER BY rootpage, name`

// sqliteVersions is goose's definition of its table. SQLite adds the table that counts its numbers.
const sqliteVersions = `CREATE TABLE ` + schemaTable + ` (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version_id INTEGER NOT NULL,
	is_applied INTEGER NOT NULL,
	tstamp TIMESTAMP DEFAULT (datetime('now'))
)`

// readSQLite reads the schema of a file, without the tables of ANALYZE: they affect the speed of a
// query, not its result.
func readSQLite(ctx context.Context, conn *sql.Conn) ([]object, error) {
	all, err := readObjects(ctx, conn, sqliteObjects)
	for i := range all {
		all[i].text = foldSQL(all[i].text)
	}
	statistics := []object{
		{"table sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"},
		{"table sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"},
	}
	return slices.DeleteFunc(all, func(o object) bool { return slices.Contains(statistics, o) }), err
}

// expectedSQLite creates the tables in memory and reads them.
func expectedSQLite(ctx context.Context, e *engine) ([]object, error) {
	versions, err := schemaVersions(e)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, v := range slices.Insert(versions, 0, version{text: sqliteVersions}) {
		if _, err := conn.ExecContext(ctx, v.text); err != nil {
			return nil, err
		}
	}
	return readSQLite(ctx, conn)
}

// checkFile has SQLite check that its indexes match the tables: a row that is missing in an index
// would not be found. Another encoding would change the order that patterns rely on.
func (v *verifier) checkFile(ctx context.Context) error {
	if v.e.integrity == "" {
		return nil
	}
	var encoding string
	if err := v.queryRow(ctx, "PRAGMA encoding").Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF-8" {
		v.report.add("the file", "", "its encoding is %s; it was made with UTF-8", encoding)
	}
	rows, err := v.conn.QueryContext(ctx, v.e.integrity)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			v.report.add("the file", "", "%s", text)
		}
	}
	return rows.Err()
}
