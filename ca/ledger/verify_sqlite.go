package ledger

import (
	"context"
	"database/sql"
)

// sqliteObjects reads the schema of a file. The table of goose is goose's.
const sqliteObjects = `SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master
	WHERE name NOT GLOB 'sqlite_*' AND NOT (type = 'table' AND name = '` + schemaTable + `') ORDER BY rootpage, name`

// expectedSQLite makes the tables in memory and looks at them.
func expectedSQLite(ctx context.Context, e *engine) (all []object, err error) {
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
	versions, err := schemaVersions(e)
	if err != nil {
		return nil, err
	}
	for _, version := range versions {
		if _, err := conn.ExecContext(ctx, version.text); err != nil {
			return nil, err
		}
	}
	return readObjects(ctx, conn, e.objects)
}

// checkFile asks SQLite whether its indexes agree with the tables: a row that an index does
// not lead to would not be found.
func (v *verifier) checkFile(ctx context.Context) error {
	if v.e.integrity == "" {
		return nil
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
