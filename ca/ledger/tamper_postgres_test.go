package ledger

// postgresTamperings has each kind of object that PostgreSQL has in a schema or on a table.
func postgresTamperings() []tampering {
	const (
		trigger = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
		plus    = "CREATE FUNCTION f(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'"
	)
	return []tampering{
		{"table", sqlOf("CREATE TABLE t (a int)"), "schema table t: it does not belong there", ""},
		{"table dropped", sqlOf("DROP TABLE names"), "schema table names: it is missing", ""},
		{"table taken out by an extension", sqlOf("ALTER EXTENSION plpgsql ADD TABLE names"), "schema table names: it is missing", ""},
		{"table lost in a crash", sqlOf("ALTER TABLE entries SET UNLOGGED"), "schema table entries: it is ", "lost in a crash"},
		{"row security", sqlOf("ALTER TABLE names ENABLE ROW LEVEL SECURITY"), "schema table names: it is ", "with hidden rows"},
		{"row security of the owner", sqlOf("ALTER TABLE names FORCE ROW LEVEL SECURITY"), "schema table names: it is ", "hidden from its owner"},
		{"policy", sqlOf("CREATE POLICY p ON names USING (seq > 5)"), "schema policy p of names: it does not belong there", "seq > 5"},
		{"partitioned table", sqlOf("CREATE TABLE t (a int) PARTITION BY RANGE (a)"), "schema partitioned table t: it does not belong there", ""},
		{"foreign table", sqlOf("CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER s FOREIGN DATA WRAPPER w", "CREATE FOREIGN TABLE t (a int) SERVER s"), "schema foreign table t: it does not belong there", ""},
		{"child table of another schema", sqlOf("CREATE SCHEMA x", "CREATE TABLE x.more () INHERITS (public.entries)"), "schema child x.more of entries: it does not belong there", ""},
		{"parent table of another schema", sqlOf("CREATE SCHEMA x", "CREATE TABLE x.entries (LIKE entries)", "ALTER TABLE entries INHERIT x.entries"), "schema child entries of x.entries: it does not belong there", ""},
		{"view", sqlOf("CREATE VIEW v AS SELECT 1"), "schema view v: it does not belong there", ""},
		{"view in place of a table", sqlOf("ALTER TABLE certificates RENAME TO real", "CREATE VIEW certificates AS SELECT * FROM real"), "schema view certificates: it does not belong there", ""},
		{"materialized view", sqlOf("CREATE MATERIALIZED VIEW v AS SELECT * FROM names"), "schema materialized view v: it does not belong there", ""},
		{"sequence", sqlOf("CREATE SEQUENCE s"), "schema sequence s: it does not belong there", ""},

		{"column", sqlOf("ALTER TABLE crls ADD COLUMN more bigint"), "schema column crls.more: it does not belong there", ""},
		{"column dropped", sqlOf("ALTER TABLE crls DROP COLUMN size"), "schema column crls.size: it is missing", ""},
		{"type of a column", sqlOf("ALTER TABLE certificates ALTER COLUMN host TYPE varchar COLLATE \"C\""), "schema column certificates.host: it is ", "character varying"},
		{"type of a column, by its name", sqlOf("CREATE DOMAIN bytea AS pg_catalog.bytea CHECK (VALUE <> '')", "ALTER TABLE crls ALTER COLUMN sha256 TYPE public.bytea"), "schema column crls.sha256: it is ", "public.bytea"},
		{"collation", sqlOf("ALTER TABLE certificates ALTER COLUMN host TYPE text COLLATE \"POSIX\""), "schema column certificates.host: it is ", "POSIX"},
		{"NOT NULL dropped", sqlOf("ALTER TABLE certificates ALTER COLUMN host DROP NOT NULL"), "schema column certificates.host: it is ", "not null"},
		{"default", sqlOf("ALTER TABLE certificates ALTER COLUMN revoked_at SET DEFAULT 7"), "schema column certificates.revoked_at: it is ", "default 7"},
		{"identity", sqlOf("ALTER TABLE crls ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY"), "schema column crls.number: it is ", "identity a"},
		{"generated column", sqlOf("ALTER TABLE names DROP COLUMN place", "ALTER TABLE names ADD COLUMN place bigint NOT NULL GENERATED ALWAYS AS (seq) STORED"), "schema column names.place: it is ", "generated s"},
		{"column of the migrations", sqlOf("ALTER TABLE kedge_schema ALTER COLUMN tstamp DROP DEFAULT"), "schema column kedge_schema.tstamp: it is ", "now()"},

		{"check", sqlOf("ALTER TABLE certificates ADD CHECK (seq < 100)"), "schema constraint certificates_seq_check of certificates: it does not belong there", "seq < 100"},
		{"check dropped", sqlOf("ALTER TABLE head DROP CONSTRAINT head_id_check"), "schema constraint head_id_check of head: it is missing", ""},
		{"check not valid", sqlOf("ALTER TABLE head DROP CONSTRAINT head_id_check", "ALTER TABLE head ADD CHECK (id = 1) NOT VALID"), "schema constraint head_id_check of head: it is ", "NOT VALID"},
		{"primary key dropped", sqlOf("ALTER TABLE names DROP CONSTRAINT names_pkey"), "schema constraint names_pkey of names: it is missing", ""},
		{"primary key checked late", sqlOf("ALTER TABLE names DROP CONSTRAINT names_pkey", "ALTER TABLE names ADD PRIMARY KEY (seq, place) DEFERRABLE"), "schema constraint names_pkey of names: it is ", "DEFERRABLE"},
		{"exclusion", sqlOf("ALTER TABLE names ADD EXCLUDE (kind WITH =) WHERE (seq > 99)"), "schema constraint names_kind_excl of names: it does not belong there", ""},
		{"foreign key", sqlOf("ALTER TABLE names ADD FOREIGN KEY (seq) REFERENCES entries ON DELETE CASCADE"), "schema constraint names_seq_fkey of names: it does not belong there", "CASCADE"},
		{"foreign key of another schema", sqlOf("CREATE SCHEMA x", "CREATE TABLE x.t (seq bigint REFERENCES public.entries)"), "schema constraint t_seq_fkey of x.t: it does not belong there", ""},

		{"index", sqlOf("CREATE INDEX i ON names (kind)"), "schema index i of names: it does not belong there", ""},
		{"index dropped", sqlOf("DROP INDEX certificates_expiry"), "schema index certificates_expiry of certificates: it is missing", ""},
		{"index that is not unique", sqlOf("DROP INDEX certificates_serial", "CREATE INDEX certificates_serial ON certificates (serial, issuer_key_id)"), "schema index certificates_serial of certificates: it is ", "UNIQUE"},
		{"index with a condition", sqlOf("DROP INDEX certificates_serial", "CREATE UNIQUE INDEX certificates_serial ON certificates (serial, issuer_key_id) WHERE seq > 9"), "schema index certificates_serial of certificates: it is ", "seq > 9"},
		{"index of an expression", sqlOf("DROP INDEX certificates_host", "CREATE INDEX certificates_host ON certificates (lower(host), seq)"), "schema index certificates_host of certificates: it is ", "lower"},
		{"index in another order", sqlOf("DROP INDEX certificates_host", "CREATE INDEX certificates_host ON certificates (host COLLATE \"POSIX\", seq)"), "schema index certificates_host of certificates: it is ", "POSIX"},
		{"index with another operator class", sqlOf("DROP INDEX certificates_host", "CREATE INDEX certificates_host ON certificates (host text_pattern_ops, seq)"), "schema index certificates_host of certificates: it is ", "text_pattern_ops"},
		{"index of another kind", sqlOf("DROP INDEX names_value", "CREATE INDEX names_value ON names USING brin (value, seq)"), "schema index names_value of names: it is ", "brin"},
		{"index out of use", sqlOf("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'certificates_serial'::regclass"), "schema index certificates_serial of certificates: it is ", "out of use"},

		{"trigger", sqlOf(trigger, "CREATE TRIGGER t BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION f()"), "schema trigger t of names: it does not belong there", ""},
		{"trigger with a function of another schema", sqlOf("CREATE SCHEMA x", "CREATE FUNCTION x.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", "CREATE TRIGGER t BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION x.f()"),
			"schema trigger t of names: it does not belong there", ""},
		{"trigger with a function of the server", sqlOf("CREATE TRIGGER t BEFORE UPDATE ON names FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"), "schema trigger t of names: it does not belong there", ""},
		{"trigger that is disabled", sqlOf(trigger, "CREATE TRIGGER t BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION f()", "ALTER TABLE names DISABLE TRIGGER t"), "schema trigger t of names: it does not belong there", "disabled"},
		{"trigger that is hidden", sqlOf(trigger, "CREATE TRIGGER t BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION f()", "UPDATE pg_trigger SET tgisinternal = true WHERE tgname = 't'"), "schema trigger t of names: it does not belong there", ""},
		{"constraint trigger", sqlOf(trigger, "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON names DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()"), "schema trigger t of names: it does not belong there", ""},
		{"rule", sqlOf("CREATE RULE r AS ON UPDATE TO certificates DO INSTEAD NOTHING"), "schema rule r of certificates: it does not belong there", ""},
		{"rule that is disabled", sqlOf("CREATE RULE r AS ON UPDATE TO certificates DO INSTEAD NOTHING", "ALTER TABLE certificates DISABLE RULE r"), "schema rule r of certificates: it does not belong there", "disabled"},

		{"function", sqlOf(plus), "schema function public.f(bigint,bigint): it does not belong there", ""},
		{"procedure", sqlOf("CREATE PROCEDURE f() LANGUAGE sql AS ''"), "schema procedure public.f(): it does not belong there", ""},
		{"aggregate", sqlOf("CREATE AGGREGATE a (bigint) (SFUNC = int8pl, STYPE = bigint)"), "schema aggregate public.a(bigint): it does not belong there", ""},
		{"operator", sqlOf(plus, "CREATE OPERATOR < (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = f)"), "schema operator public.<(bigint,bigint): it does not belong there", ""},
		{"operator class", sqlOf("CREATE OPERATOR CLASS c FOR TYPE text USING btree AS OPERATOR 3 =, FUNCTION 1 bttextcmp(text, text)"), "schema operator class public.c USING btree: it does not belong there", ""},
		{"operator family", sqlOf("CREATE OPERATOR FAMILY c USING btree"), "schema operator family public.c USING btree: it does not belong there", ""},
		{"cast", sqlOf("CREATE FUNCTION f(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'", "CREATE CAST (text AS bigint) WITH FUNCTION f(text) AS IMPLICIT"), "schema cast text to bigint: it does not belong there", ""},
		{"collation", sqlOf(`CREATE COLLATION "C" (LOCALE = 'C')`), "schema collation public.", ""},
		{"conversion", sqlOf("CREATE CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8"), "schema conversion public.c: it does not belong there", ""},
		{"composite type", sqlOf("CREATE TYPE t AS (a int)"), "schema type t: it does not belong there", ""},
		{"enum", sqlOf("CREATE TYPE t AS ENUM ('a')"), "schema type public.t: it does not belong there", ""},
		{"domain", sqlOf("CREATE DOMAIN t AS bigint"), "schema type public.t: it does not belong there", ""},
		{"range type", sqlOf("CREATE TYPE t AS RANGE (SUBTYPE = bigint)"), "schema type public.t: it does not belong there", ""},
		{"statistics", sqlOf("CREATE STATISTICS s ON kind, value FROM names"), "schema statistics object public.s: it does not belong there", ""},
		{"text search configuration", sqlOf("CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)"), "schema text search configuration public.c: it does not belong there", ""},
		{"text search dictionary", sqlOf("CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)"), "schema text search dictionary public.d: it does not belong there", ""},
		{"name that is odd", sqlOf("CREATE TABLE \"t\u202e\n\" (a int)"), `schema "table t\u202e\n": it does not belong there`, ""},
	}
}
