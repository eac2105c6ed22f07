package ledger

import (
	"context"
	"database/sql"
	"regexp"
)

// postgresObjects reads what decides whether rows stay, and are all seen: an index that is
// not unique only makes questions faster.
const postgresObjects = `WITH ours AS (SELECT oid, relname::text, relkind, relpersistence, relrowsecurity FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace
			AND relname IN ('entries', 'head', 'certificates', 'names', 'authorities', 'crls', '` + schemaTable + `'))
	SELECT 'table ' || relname, CASE relkind WHEN 'r' THEN 'table' ELSE 'relation of kind ' || relkind::text END
		|| CASE relpersistence WHEN 'p' THEN '' ELSE ', lost in a crash' END || CASE WHEN relrowsecurity THEN ', with hidden rows' ELSE '' END FROM ours
	UNION ALL SELECT 'column ' || relname || '.' || attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
		|| CASE WHEN attcollation = 0 THEN '' ELSE ' ' || (SELECT collname FROM pg_collation WHERE oid = attcollation) END
		FROM ours JOIN pg_attribute ON attrelid = ours.oid WHERE attnum > 0 AND NOT attisdropped AND relname <> '` + schemaTable + `'
	UNION ALL SELECT 'unique index of ' || relname, (SELECT string_agg(pg_get_indexdef(indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, indnkeyatts) n)
		FROM ours JOIN pg_index ON indrelid = ours.oid
		WHERE indisunique AND indisvalid AND indisready AND indislive AND indpred IS NULL AND relname <> '` + schemaTable + `'
	UNION ALL SELECT 'trigger ' || tgname, 'of ' || relname FROM ours JOIN pg_trigger ON tgrelid = ours.oid WHERE NOT tgisinternal
	UNION ALL SELECT 'rule ' || rulename, 'of ' || relname FROM ours JOIN pg_rewrite ON ev_class = ours.oid
	ORDER BY 1, 2`

func readPostgres(ctx context.Context, conn *sql.Conn) ([]object, error) {
	return readObjects(ctx, conn, postgresObjects)
}

// expectedPostgres reads the schema's files: a server that only reads makes no tables to look
// at.
func expectedPostgres(e *engine) ([]object, error) {
	versions, err := schemaVersions(e)
	if err != nil {
		return nil, err
	}
	line := regexp.MustCompile(`(?m)^CREATE (TABLE|UNIQUE INDEX) (\w+)(?: ON (\w+) \((.*)\))?|^    (\w+) +(BIGINT|TEXT COLLATE "C"|BYTEA)( PRIMARY KEY| NOT NULL|)|^    PRIMARY KEY \((.*)\)`)
	types := map[string]string{"BIGINT": "bigint", `TEXT COLLATE "C"`: "text", "BYTEA": "bytea"}
	all := []object{{"table " + schemaTable, "table"}}
	table := ""
	for _, version := range versions {
		for _, m := range line.FindAllStringSubmatch(version.text, -1) {
			switch {
			case m[1] == "TABLE":
				table = m[2]
				all = append(all, object{"table " + table, "table"})
			case m[1] != "":
				all = append(all, object{"unique index of " + m[3], m[4]})
			case m[8] != "":
				all = append(all, object{"unique index of " + table, m[8]})
			default:
				text := types[m[6]]
				if m[7] != "" {
					text += " not null"
				}
				if text[0] == 't' {
					text += " C"
				}
				all = append(all, object{"column " + table + "." + m[5], text})
				if m[7] == " PRIMARY KEY" {
					all = append(all, object{"unique index of " + table, m[5]})
				}
			}
		}
	}
	return all, nil
}
