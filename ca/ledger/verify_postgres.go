package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"
)

// postgresCatalogue has the file of what readPostgres reads of a new ledger, a line for each object. After a
// change in schema/, write it anew, and read the difference:
//
//	KEDGE_UPDATE_GOLDEN=1 go test ./ca/ledger -run TestPostgresCatalogue
//
//go:embed schema/postgres.txt
var postgresCatalogue embed.FS

// postgresScope fixes, until the transaction ends, the schema in which names are looked up: the
// first of the role's search_path that holds a ledger, or would get one. Temporary objects come
// last, so that none takes the place of a table. The other settings decide how the server prints
// an expression. Nothing in it can be overridden by an object in a schema of the role's path.
//
// Source: PostgreSQL, "CREATE FUNCTION", "Writing SECURITY DEFINER Functions Safely".
const postgresScope = `SELECT pg_catalog.set_config('search_path', pg_catalog.concat(pg_catalog.quote_ident(coalesce((
		SELECT n.nspname FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (name, place)
		JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) path.name
		JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname OPERATOR(pg_catalog.=) '` + schemaTable + `'::pg_catalog.name
		ORDER BY place LIMIT 1), pg_catalog.current_schema())), ', pg_temp'), true),
	pg_catalog.set_config('bytea_output', 'hex', true),
	pg_catalog.set_config('standard_conforming_strings', 'on', true),
	pg_catalog.set_config('quote_all_identifiers', 'off', true)`

// postgresObjects reads all that is in the schema or attached to its tables, in the words of
// the server. Left out is what belongs to an extension, grants and owners, and what only makes
// queries faster or slower: storage, statistics targets, tablespaces. Constraints of the type n
// are columns that are not null, which PostgreSQL 18 keeps twice. Indexes of tables come with
// pg_index, array and row types with what they are types of.
const postgresObjects = `WITH home AS (SELECT current_schema()::regnamespace::oid AS oid),
	extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
	own AS (SELECT c.* FROM pg_class c JOIN home ON relnamespace = home.oid
		WHERE relkind NOT IN ('i', 'I', 't') AND ('pg_class'::regclass, c.oid) NOT IN (TABLE extended)),
	other AS (SELECT 'pg_proc'::regclass AS class, oid, pronamespace AS home, prosrc AS text FROM pg_proc
		UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace, '' FROM pg_type t WHERE typrelid = 0 AND NOT EXISTS (SELECT FROM pg_type WHERE typarray = t.oid)
		UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace, oprcode::text FROM pg_operator
		UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace, '' FROM pg_opclass
		UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace, '' FROM pg_opfamily
		UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace, '' FROM pg_collation
		UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace, '' FROM pg_conversion
		UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxnamespace, '' FROM pg_statistic_ext
		UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace, '' FROM pg_ts_config
		UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace, '' FROM pg_ts_dict
		UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace, '' FROM pg_ts_parser
		UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace, '' FROM pg_ts_template)
	SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'partitioned table ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
			WHEN 'f' THEN 'foreign table ' WHEN 'S' THEN 'sequence ' WHEN 'c' THEN 'type ' ELSE relkind::text || ' ' END || relname,
		concat_ws(', ', CASE relpersistence WHEN 'p' THEN 'permanent' ELSE 'lost in a crash' END,
			(SELECT 'kept by ' || amname FROM pg_am WHERE oid = relam AND relkind IN ('r', 'm', 'p')),
			CASE WHEN relrowsecurity THEN 'with hidden rows' END, CASE WHEN relforcerowsecurity THEN 'with rows hidden from its owner' END) FROM own
	UNION ALL SELECT 'column ' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
			(SELECT 'collate ' || attcollation::regcollation FROM pg_type t WHERE t.oid = atttypid AND attcollation <> 0),
			'identity ' || nullif(attidentity::text, ''), 'generated ' || nullif(attgenerated::text, ''), 'default ' || pg_get_expr(adbin, adrelid, true))
		FROM own JOIN pg_attribute ON attrelid = own.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relkind IN ('r', 'p', 'f') AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT 'constraint ' || conname || ' of ' || conrelid::regclass, pg_get_constraintdef(pg_constraint.oid, true)
		FROM pg_constraint JOIN own ON own.oid IN (conrelid, confrelid) WHERE contype NOT IN ('n', 't')
	UNION ALL SELECT 'index ' || indexrelid::regclass || ' of ' || relname, concat_ws(', ', pg_get_indexdef(indexrelid, 0, true),
			CASE WHEN NOT (indisvalid AND indisready AND indislive) THEN 'out of use' END, CASE WHEN NOT indimmediate THEN 'checked late' END)
		FROM own JOIN pg_index ON indrelid = own.oid
	UNION ALL SELECT 'trigger ' || tgname || ' of ' || relname, CASE tgenabled WHEN 'D' THEN 'disabled: ' ELSE '' END || pg_get_triggerdef(pg_trigger.oid, true)
		FROM own JOIN pg_trigger ON tgrelid = own.oid
	UNION ALL SELECT 'rule ' || rulename || ' of ' || relname, CASE ev_enabled WHEN 'D' THEN 'disabled: ' ELSE '' END || pg_get_ruledef(pg_rewrite.oid, true)
		FROM own JOIN pg_rewrite ON ev_class = own.oid
	UNION ALL SELECT 'policy ' || polname || ' of ' || relname, concat_ws(', ', polcmd, CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
			pg_get_expr(polqual, polrelid, true), pg_get_expr(polwithcheck, polrelid, true))
		FROM own JOIN pg_policy ON polrelid = own.oid
	UNION ALL SELECT 'child ' || inhrelid::regclass || ' of ' || inhparent::regclass, 'its rows are read with those of the table'
		FROM pg_inherits WHERE inhparent IN (SELECT oid FROM own) OR inhrelid IN (SELECT oid FROM own)
	UNION ALL SELECT type || ' ' || identity, text FROM other JOIN home ON other.home = home.oid, pg_identify_object(class, other.oid, 0)
		WHERE (class, other.oid) NOT IN (TABLE extended)
	UNION ALL SELECT 'cast ' || format_type(castsource, NULL) || ' to ' || format_type(casttarget, NULL), castfunc::regprocedure::text
		FROM pg_cast WHERE oid >= 16384 AND ('pg_cast'::regclass, oid) NOT IN (TABLE extended)
			AND castsource IN (SELECT atttypid FROM own JOIN pg_attribute ON attrelid = own.oid AND attnum > 0)
			AND casttarget IN (SELECT atttypid FROM own JOIN pg_attribute ON attrelid = own.oid AND attnum > 0)
	UNION ALL SELECT 'event trigger ' || evtname, evtfoid::regprocedure::text FROM pg_event_trigger
		WHERE evtevent = 'login' AND evtenabled <> 'D' AND ('pg_event_trigger'::regclass, oid) NOT IN (TABLE extended)
	ORDER BY 1, 2`

// readPostgres reads the schema that postgresScope set.
func readPostgres(ctx context.Context, conn *sql.Conn) ([]object, error) {
	return readObjects(ctx, conn, postgresObjects)
}

// expectedPostgres reads postgresCatalogue: on a read-only server no tables can be created for
// comparison.
func expectedPostgres() ([]object, error) {
	data, err := postgresCatalogue.ReadFile("schema/postgres.txt")
	if err != nil {
		return nil, err
	}
	var all []object
	for line := range strings.Lines(string(data)) {
		name, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			return nil, fmt.Errorf("schema/postgres.txt: no colon in the line %q", line)
		}
		all = append(all, object{name, text})
	}
	return all, nil
}
