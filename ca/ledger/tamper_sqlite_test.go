package ledger

// rewritten changes the text of an object, past all that SQLite checks.
func rewritten(name, from, to string) []statement {
	return sqlOf("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, '"+from+"', '"+to+"') WHERE name = '"+name+"'")
}

// sqliteTamperings has each kind of object that SQLite has.
func sqliteTamperings() []tampering {
	const ignore = " BEGIN SELECT RAISE(IGNORE); END"
	return []tampering{
		{"trigger", sqlOf("CREATE TRIGGER t BEFORE INSERT ON entries" + ignore), "schema trigger t of entries: it does not belong there", "RAISE"},
		{"trigger of a view", sqlOf("CREATE VIEW v AS SELECT 1 AS a", "CREATE TRIGGER t INSTEAD OF INSERT ON v"+ignore), "schema trigger t of v: it does not belong there", ""},
		{"trigger named sqlite_*", sqlOf("PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_t', 'entries', 0, 'CREATE TRIGGER sqlite_t BEFORE INSERT ON entries"+ignore+"')"),
			"schema trigger sqlite_t of entries: it does not belong there", ""},
		{"trigger with the type of a table", sqlOf("PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES ('table', 'kedge_schema', 'kedge_schema', 0, 'CREATE TRIGGER kedge_schema BEFORE INSERT ON entries"+ignore+"')"),
			"schema table kedge_schema: it does not belong there", "RAISE"},
		{"trigger without a name", sqlOf("PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES (NULL, NULL, NULL, NULL, 'CREATE TRIGGER t BEFORE INSERT ON entries"+ignore+"')"), "schema: it does not belong there", "RAISE"},
		{"trigger with an odd name", sqlOf("CREATE TRIGGER \"t\u202e\n\" BEFORE INSERT ON entries" + ignore), `schema "trigger t\u202e\n of entries": it does not belong there`, ""},
		{"view", sqlOf("CREATE VIEW v AS SELECT * FROM entries"), "schema view v: it does not belong there", ""},
		{"view in place of a table", sqlOf("ALTER TABLE certificates RENAME TO real", "CREATE VIEW certificates AS SELECT * FROM real"), "schema view certificates: it does not belong there", ""},
		{"table", sqlOf("CREATE TABLE t (a)"), "schema table t: it does not belong there", ""},
		{"table named after statistics", sqlOf("PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema VALUES ('table', 'sqlite_stat1', 'sqlite_stat1', 99, 'CREATE TABLE sqlite_stat1(tbl,idx,stat,more)')"), "schema table sqlite_stat1: it does not belong there", ""},
		{"table dropped", sqlOf("DROP TABLE names"), "schema table names: it is missing", ""},
		{"table with another key", rewritten("names", "PRIMARY KEY (seq, place)", "PRIMARY KEY (place, seq)"), "schema table names: it is ", "(place, seq)"},
		{"table with row ids", rewritten("names", "WITHOUT ROWID", ""), "schema table names: it is ", ""},
		{"virtual table", sqlOf("CREATE VIRTUAL TABLE t USING fts5(a)"), "schema table t: it does not belong there", "VIRTUAL"},
		{"column", sqlOf("ALTER TABLE crls ADD COLUMN more BIGINT"), "schema table crls: it is ", "more BIGINT"},
		{"generated column", sqlOf("ALTER TABLE crls ADD COLUMN more BIGINT AS (number + 1)"), "schema table crls: it is ", "AS (number"},
		{"column renamed", sqlOf("ALTER TABLE crls RENAME COLUMN size TO length"), "schema table crls: it is ", "length"},
		{"column dropped", sqlOf("ALTER TABLE crls DROP COLUMN size"), "schema table crls: it is ", ""},
		{"type", rewritten("entries", "kind TEXT", "kind BLOB"), "schema table entries: it is ", "kind BLOB"},
		{"collation", rewritten("entries", "kind TEXT", "kind TEXT COLLATE NOCASE"), "schema table entries: it is ", "NOCASE"},
		{"default", rewritten("entries", "kind TEXT NOT NULL", "kind TEXT NOT NULL DEFAULT ''issue''"), "schema table entries: it is ", "DEFAULT"},
		{"NOT NULL dropped", rewritten("entries", "kind TEXT NOT NULL", "kind TEXT"), "schema table entries: it is ", ""},
		{"check dropped", rewritten("head", "CHECK (id = 1)", ""), "schema table head: it is ", ""},
		{"check in a comment", rewritten("head", "CHECK (id = 1)", "/* CHECK (id = 1) */"), "schema table head: it is ", ""},
		{"conflict clause", rewritten("entries", "seq  INTEGER PRIMARY KEY", "seq INTEGER PRIMARY KEY ON CONFLICT IGNORE"), "schema table entries: it is ", "IGNORE"},
		{"foreign key", rewritten("names", "seq   BIGINT NOT NULL", "seq BIGINT NOT NULL REFERENCES crls ON DELETE CASCADE"), "schema table names: it is ", "REFERENCES"},
		{"index", sqlOf("CREATE INDEX i ON names (kind)"), "schema index i of names: it does not belong there", ""},
		{"index dropped", sqlOf("DROP INDEX certificates_expiry"), "schema index certificates_expiry of certificates: it is missing", ""},
		{"index that is not unique", sqlOf("DROP INDEX certificates_serial", "CREATE INDEX certificates_serial ON certificates (serial, issuer_key_id)"), "schema index certificates_serial of certificates: it is ", "UNIQUE"},
		{"index with another condition", rewritten("certificates_revoked", "IS NOT NULL", "IS NOT NULL AND host <> ''web''"), "schema index certificates_revoked of certificates: it is ", "host"},
		{"index of an expression", rewritten("certificates_host", "(host)", "(lower(host))"), "schema index certificates_host of certificates: it is ", "lower"},
		{"index of another table", sqlOf("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET tbl_name = 'names' WHERE name = 'certificates_host'"), "schema index certificates_host of names: it does not belong there", ""},
		{"automatic index dropped", sqlOf("PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_authorities_1'"), "schema index sqlite_autoindex_authorities_1 of authorities: it is missing", ""},
		{"automatic index with a text", sqlOf("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER x' WHERE name = 'sqlite_autoindex_authorities_1'"), "schema index sqlite_autoindex_authorities_1 of authorities: it is ", "TRIGGER"},
		{"the table of the migrations", sqlOf("ALTER TABLE kedge_schema ADD COLUMN more"), "schema table kedge_schema: it is ", "more"},
		{"the counter of the migrations", rewritten("sqlite_sequence", "name,seq", "name,seq,more"), "schema table sqlite_sequence: it is ", "more"},
		{"an object twice", sqlOf("PRAGMA writable_schema = ON", "INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'head'"), "schema table head: it does not belong there", ""},
	}
}
