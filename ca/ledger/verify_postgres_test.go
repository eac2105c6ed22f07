package ledger

import (
	"os"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// The catalogue is that of the migrations.
func TestPostgresCatalogue(t *testing.T) {
	l := create(t, testenv.Postgres(t))
	var lines strings.Builder
	err := l.read(t.Context(), func(s *session) error {
		all, err := readPostgres(t.Context(), s.conn)
		for _, o := range all {
			lines.WriteString(o.name + ": " + o.text + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("KEDGE_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile("schema/postgres.txt", []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := postgresCatalogue.ReadFile("schema/postgres.txt")
	if err != nil || lines.String() != string(want) {
		t.Errorf("schema/postgres.txt is not what the migrations make; verify_postgres.go says how to write it anew. They make:\n%s", lines.String())
	}
}

// execAll carries out statements, each on whatever connection.
func execAll(t *testing.T, l *Ledger, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if _, err := l.db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// What managed servers and other programs have beside the ledger is no finding.
func TestVerify_neighbours(t *testing.T) {
	l := create(t, testenv.Postgres(t))
	full(t, l)
	execAll(t, l, "CREATE SCHEMA audit",
		"CREATE TABLE audit.entries (seq bigint PRIMARY KEY)",
		"CREATE FUNCTION audit.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"CREATE TRIGGER t BEFORE INSERT ON audit.entries FOR EACH ROW EXECUTE FUNCTION audit.f()",
		"CREATE VIEW audit.certificates AS SELECT * FROM public.certificates",
		"CREATE FUNCTION audit.g() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
		"CREATE EVENT TRIGGER g ON ddl_command_end EXECUTE FUNCTION audit.g()",
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC",
		"COMMENT ON TABLE entries IS 'the chain'", "ANALYZE", "ALTER TABLE entries SET (autovacuum_enabled = off)")
	for _, extension := range []string{"citext", "pg_stat_statements", "pg_trgm", "hstore"} {
		var there bool
		if err := l.db.QueryRow("SELECT count(*) > 0 FROM pg_available_extensions WHERE name = $1", extension).Scan(&there); err != nil {
			t.Fatal(err)
		}
		if there {
			execAll(t, l, "CREATE EXTENSION "+extension)
		}
	}
	if r := verify(t, l, ""); !r.OK() {
		t.Errorf("found %v", r.Faults)
	}
}

// A role's search_path chooses the ledger, and cannot take some of its tables from elsewhere.
func TestVerify_searchPath(t *testing.T) {
	where := testenv.Postgres(t)
	full(t, create(t, where))
	l := create(t, where)
	l.db.SetMaxOpenConns(1) // where SET lasts
	execAll(t, l, `CREATE SCHEMA "Odd ""name"`, `CREATE TABLE "Odd ""name".entries AS SELECT * FROM entries LIMIT 2`,
		`CREATE FUNCTION "Odd ""name".count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0'`,
		`CREATE VIEW "Odd ""name".pg_class AS SELECT * FROM pg_catalog.pg_class LIMIT 0`,
		"CREATE TEMP TABLE names AS SELECT * FROM names LIMIT 1",
		"SET standard_conforming_strings = off", "SET bytea_output = escape", "SET quote_all_identifiers = on",
		`SET search_path = "Odd ""name", public, pg_catalog`)
	if r := verify(t, l, ""); !r.OK() || r.Certificates != 10 {
		t.Errorf("a schema before that of the ledger: %+v", r)
	}
	execAll(t, l, "SET search_path = public, pg_temp", "CREATE SCHEMA real")
	for _, table := range []string{"entries", "certificates", "names", "crls", "authorities", "head", "lineages", "revocations", "tokens", "token_uses", "requests", "denials", "lists", "contacts", "notices", "segments", "kedge_schema"} {
		execAll(t, l, "ALTER TABLE public."+table+" SET SCHEMA real")
	}
	execAll(t, l, "SET search_path = public, real")
	if r := verify(t, l, ""); !r.OK() || r.Certificates != 10 {
		t.Errorf("the second schema of the path: %+v", r)
	}
	execAll(t, l, "CREATE TABLE public.kedge_schema AS SELECT * FROM real.kedge_schema")
	if r := verify(t, l, ""); r.OK() {
		t.Error("a ledger of which only the versions are there is taken")
	}
}
