package ledger

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// raw opens a ledger's file as an attacker does, carries out statements, and returns what verify
// finds afterwards.
func raw(t *testing.T, path string, statements ...string) []string {
	t.Helper()
	l := create(t, path)
	defer l.Close()
	conn, err := l.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, fault := range verify(t, create(t, path), "").Faults {
		words = append(words, fault.String())
	}
	return words
}

// SQLite creates no object whose name begins with sqlite_, but accepts an existing one.
func TestVerify_hiddenTriggers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	full(t, create(t, path))
	faults := raw(t, path, "PRAGMA writable_schema = ON", `INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES
		('trigger', 'sqlite_a', 'entries', 0, 'CREATE TRIGGER sqlite_a BEFORE INSERT ON entries WHEN new.kind = ''revoke'' BEGIN SELECT RAISE(IGNORE); END'),
		('trigger', 'sqlite_stat1', 'head', 0, 'CREATE TRIGGER sqlite_stat1 BEFORE UPDATE ON head BEGIN SELECT RAISE(IGNORE); END'),
		('trigger', 'sqlite_autoindex_names_2', 'names', 0, 'CREATE TRIGGER sqlite_autoindex_names_2 BEFORE DELETE ON names BEGIN SELECT RAISE(IGNORE); END')`)
	want := []string{
		`schema trigger sqlite_a of entries: it does not belong there: "CREATE TRIGGER sqlite_a`,
		`schema trigger sqlite_autoindex_names_2 of names: it does not belong there: "CREATE TRIGGER sqlite_autoindex_names_2`,
		`schema trigger sqlite_stat1 of head: it does not belong there: "CREATE TRIGGER sqlite_stat1`,
	}
	if !slices.EqualFunc(faults, want, strings.HasPrefix) {
		t.Errorf("got  %q\nwant %q", faults, want)
	}
}

// A definition that equals ours only if comments and spaces are parsed differently than SQLite
// does.
func TestVerify_disguisedIndex(t *testing.T) {
	for what, text := range map[string]string{
		"a comment of the wrong kind":  "CREATE UNIQUE INDEX certificates_serial ON certificates (serial, issuer_key_id) WHERE why <> '-- '",
		"a condition behind a comment": "CREATE UNIQUE INDEX certificates_serial ON certificates (serial, issuer_key_id) /* -- */ WHERE host = ''",
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			full(t, create(t, path))
			faults := raw(t, path, "DROP INDEX certificates_serial", text)
			if len(faults) != 1 || !strings.HasPrefix(faults[0], "schema index certificates_serial of certificates: it is ") {
				t.Errorf("found %q", faults)
			}
		})
	}
}

// What is no change of what the ledger says or does is no finding.
func TestVerify_analyzed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	full(t, create(t, path))
	if faults := raw(t, path, "ANALYZE", "VACUUM", "PRAGMA user_version = 7"); faults != nil {
		t.Errorf("found %q", faults)
	}
	if faults := raw(t, path, "PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(replace(sql, char(10), char(10, 9)), '--', '-- and') WHERE name = 'entries'"); faults != nil {
		t.Errorf("found %q", faults)
	}
}

// The order of bytes of UTF-16 is not that of the characters.
func TestVerify_encoding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a); DROP TABLE t"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want := "the file: its encoding is UTF-16le; it was made with UTF-8"
	if faults := raw(t, path); !slices.Equal(faults, []string{want}) {
		t.Errorf("got  %q\nwant %q", faults, want)
	}
}
