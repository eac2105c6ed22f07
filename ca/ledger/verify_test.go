package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/internal/testenv"
)

// full fills a ledger with something in every column of every table.
func full(t *testing.T, l *Ledger) {
	t.Helper()
	root, sub := sample(t, l)
	last := root.leaf("last")
	add(t, l, ca.Issued{Certificate: last, Host: "rack-9", Profile: "workload", Why: "ticket 1"})
	add(t, l, ca.Issued{Certificate: root.leaf("last"), Host: "rack-9", Profile: "workload", Why: "ticket 2", Replaces: fingerprint(last)})
	for _, a := range []Authority{
		{Name: "ca", Certificate: root.cert, State: Active, Issuing: true},
		{Name: "sub", Certificate: sub.cert, Parent: "ca", State: Next},
		{Name: "sub", Certificate: sub.cert, Parent: "ca", State: Active, Issuing: true},
	} {
		if err := l.SetAuthority(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for n := range int64(2) {
		c := CRL{Issuer: hex.EncodeToString(root.cert.SubjectKeyId), Number: n + 1, Base: n, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, 32), Entries: 2}
		if err := l.RecordCRL(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Release(t.Context(), [][]byte{heldOne(t, l)}, "found"); err != nil {
		t.Fatal(err)
	}
	if err := l.Revoke(t.Context(), [][]byte{fingerprint(last)}, Revocation{Reason: 4, At: noon, Why: "replaced"}); err != nil {
		t.Fatal(err)
	}
}

func heldOne(t *testing.T, l *Ledger) []byte {
	t.Helper()
	for c, err := range l.List(t.Context(), Filter{State: Held}) {
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint
	}
	t.Fatal("nothing is held")
	return nil
}

func verify(t *testing.T, l *Ledger, head string) Report {
	t.Helper()
	r, err := l.Verify(t.Context(), VerifyOptions{Head: head})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		if r := verify(t, l, ""); !r.OK() || r.Entries != 0 {
			t.Errorf("an empty ledger: %+v", r)
		}
		full(t, l)
		seq, hash, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		head := fmt.Sprintf("%d:%x", seq, hash)
		r := verify(t, l, head)
		if !r.OK() || r.Entries != 19 || r.Certificates != 10 || r.Head != head {
			t.Errorf("%+v", r)
		}
		for _, bad := range []string{"7", "7:00", "x:" + hex.EncodeToString(hash), "0:" + hex.EncodeToString(hash)} {
			if _, err := l.Verify(t.Context(), VerifyOptions{Head: bad}); !strings.Contains(fmt.Sprint(err), "is not SEQ:HASH") {
				t.Errorf("head %s: %v", bad, err)
			}
		}
	})
}

// tamper runs a test of the rows of a filled ledger again and again, each time with other
// damage, which is undone: f gets a function that changes the tables and returns what Verify
// finds then.
func tamper(t *testing.T, f func(t *testing.T, l *Ledger, damage func(string, ...any) []string)) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		full(t, l)
		l.db.SetMaxOpenConns(1)
		s, err := newSession(t.Context(), l.db, l.engine)
		if err != nil {
			t.Fatal(err)
		}
		l.writer.session = s // closed with the ledger
		f(t, l, func(text string, args ...any) []string { return damaged(t, s, (*verifier).rows, text, args) })
	})
}

// damaged carries out statements that ; divides; a NUL is one that does not.
func damaged(t *testing.T, s *session, check func(*verifier, context.Context) error, text string, args []any) []string {
	t.Helper()
	ctx := context.Background()
	exec := func(text string, args ...any) {
		t.Helper()
		if _, err := s.conn.ExecContext(ctx, s.e.sql(text), args...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	exec("BEGIN")
	defer exec("ROLLBACK")
	for one := range strings.SplitSeq(text, ";") {
		n := strings.Count(one, "?")
		exec(strings.ReplaceAll(one, "\x00", ";"), args[:n]...)
		args = args[n:]
	}
	v := newVerifier()
	v.session = s
	if err := check(v, ctx); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var words []string
	for _, fault := range v.report.Faults {
		words = append(words, fault.String())
	}
	return words
}

// Every byte counts: one changed in any column of any row is found, and the row is named.
func TestVerify_oneByte(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, damage func(string, ...any) []string) {
		for _, table := range []table{entriesTable(), certificatesTable(), namesTable(), authoritiesTable(), crlsTable(), headTable()} {
			for _, row := range rowsOf(t, l, table) {
				for i, column := range table.columns {
					if table.name == "head" && column == "id" {
						continue // CHECK (id = 1) holds it
					}
					changed, ok := flip(row[i])
					if !ok {
						continue // NULL has no byte
					}
					where, args := exactly(table, row)
					faults := damage("UPDATE "+table.name+" SET "+column+" = ? WHERE "+where, append([]any{changed}, args...)...)
					if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, table.name+" ") }) {
						t.Errorf("%s of %s %v: found %q", column, table.name, row[0], faults)
					}
				}
			}
		}
	})
}

// rowsOf reads a table. The writer's connection is the only one here.
func rowsOf(t *testing.T, l *Ledger, table table) [][]any {
	t.Helper()
	var all [][]any
	err := table.rows(t.Context(), l.writer.session, "", nil, func(row []any) error {
		all = append(all, row)
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %d rows, %v", table.name, len(all), err)
	}
	return all
}

// exactly is a condition for one row.
func exactly(t table, row []any) (string, []any) {
	if t.name == "names" {
		return "seq = ? AND place = ?", row[:2]
	}
	return t.key + " = ?", row[:1]
}

// flip changes the lowest bit of the last byte; that of a key goes where no other is.
func flip(v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v ^ 1<<40, true
	case string:
		if v == "" {
			return "x", true
		}
		return v[:len(v)-1] + string(v[len(v)-1]^1), true
	case []byte:
		b := slices.Clone(v)
		b[len(b)-1] ^= 1
		return b, true
	}
	return nil, false
}

func TestVerify_missingRows(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, damage func(string, ...any) []string) {
		for _, table := range []table{entriesTable(), certificatesTable(), namesTable(), authoritiesTable(), crlsTable(), headTable()} {
			for _, row := range rowsOf(t, l, table) {
				where, args := exactly(table, row)
				faults := damage("DELETE FROM "+table.name+" WHERE "+where, args...)
				want := fmt.Sprintf("%s %v", table.name, row[0])
				if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, want) }) && !lastEntry(table, row, faults) {
					t.Errorf("without %s: found %q", want, faults)
				}
			}
		}
	})
}

// lastEntry: what comes after the end of the chain cannot be named, but is found.
func lastEntry(t table, row []any, faults []string) bool {
	return t.name == "entries" && row[0] == int64(19) && len(faults) != 0
}

func TestVerify_damage(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, damage func(string, ...any) []string) {
		seq, hash, err := readHead(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ what, text, want string }{
			{"two entries swapped", "UPDATE entries SET seq = -1 WHERE seq = 4; UPDATE entries SET seq = 4 WHERE seq = 5; UPDATE entries SET seq = 5 WHERE seq = -1",
				"entries 4: prev is not the hash of the entry before"},
			{"two certificates swapped", "UPDATE certificates SET seq = -1 WHERE seq = 4; UPDATE certificates SET seq = 4 WHERE seq = 5; UPDATE certificates SET seq = 5 WHERE seq = -1",
				"certificates 4: der has the SHA-256"},
			{"a host given to another", "UPDATE certificates SET host = 'rack-8' WHERE seq = 5",
				`certificates 5: host is "rack-8"; it was written as "rack-2"`},
			{"a revocation taken back", "UPDATE certificates SET revoked_at = NULL, reason = NULL, revoked_seq = NULL WHERE seq = 5",
				"certificates 5: entry "},
			{"a revocation made up", "UPDATE certificates SET revoked_at = 1, reason = 1, revoked_seq = 9 WHERE seq = 6",
				"certificates 6: revoked_at is 1; it was written as empty"},
			{"a released certificate held again", "UPDATE certificates SET revoked_at = 1, reason = 6, revoked_seq = 10 WHERE seq = 7",
				"certificates 7: reason is 6; it was written as empty"},
			{"a renewal denied", "UPDATE certificates SET replaced_seq = NULL WHERE seq = 3",
				"certificates 3: certificate 4 renews it, and replaced_seq does not say so"},
			{"a renewal made up", "UPDATE certificates SET replaced_seq = 5 WHERE seq = 6",
				"certificates 6: replaced_seq is 5, which does not renew it"},
			{"an entry added", "INSERT INTO entries SELECT 20, at, kind, body, prev, hash FROM entries WHERE seq = 19", "entries 20: prev is not"},
			{"a name added", "INSERT INTO names VALUES (3, 9, 'dns', 'evil')", `names 3/9: its certificate has no such name: "evil"`},
			{"a name without certificate", "INSERT INTO names VALUES (99, 0, 'dns', 'evil')", `names 99/0: its certificate has no such name`},
			{"an authority added", "INSERT INTO authorities SELECT 'x', fingerprint, parent, state, 1, seq FROM authorities WHERE name = 'ca'", `authorities "x": no entry says that there is such`},
			{"a CRL added", "INSERT INTO crls SELECT 1, issuer_key_id, 9, base, this_update, next_update, size, sha256, entries FROM crls WHERE number = 1", "crls 1: no entry says that it was made"},
			{"the tail cut", "DELETE FROM entries WHERE seq > 18", "head 1: seq is 19; it was written as 18"},
			{"a certificate after the tail", "UPDATE certificates SET seq = 50 WHERE seq = 11", "certificates 50: no entry says that it was issued"},
			{"a renewal noted that came before", "UPDATE certificates SET replaces = (SELECT fingerprint FROM certificates WHERE seq = 7) WHERE seq = 6; UPDATE certificates SET replaced_seq = 6 WHERE seq = 7",
				"certificates 7: replaced_seq is 6, which does not renew it"},
			{"entries from the middle", "DELETE FROM entries WHERE seq IN (5, 6, 7)", "entries 5: it is missing, and the others up to 7"},
		} {
			faults := damage(tt.text)
			if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
				t.Errorf("%s: found %q\nwant %s", tt.what, faults, tt.want)
			}
		}
		_ = damage("UPDATE head SET seq = ?", seq) // changes nothing
		checkForged(t, l, damage, fmt.Sprintf("%d:%x", seq, hash))
	})
}

func readHead(l *Ledger) (seq int64, hash []byte, err error) {
	err = l.writer.session.queryRow(context.Background(), "SELECT seq, hash FROM head").Scan(&seq, &hash)
	return seq, hash, err
}

// checkForged: who can write everything can cut the end off without a trace, and is found by
// a head that was kept elsewhere.
func checkForged(t *testing.T, l *Ledger, damage func(string, ...any) []string, head string) {
	t.Helper()
	var hash []byte
	if err := l.writer.session.queryRow(t.Context(), "SELECT hash FROM entries WHERE seq = 18").Scan(&hash); err != nil {
		t.Fatal(err)
	}
	const cut = `DELETE FROM entries WHERE seq = 19; UPDATE head SET seq = 18, hash = ?;
		UPDATE certificates SET revoked_at = NULL, reason = NULL, revoked_seq = NULL WHERE revoked_seq = 19`
	if faults := damage(cut, hash); faults != nil {
		t.Errorf("a forged end: %q", faults)
	}
	v := newVerifier()
	if err := v.expect(head); err != nil {
		t.Fatal(err)
	}
	v.seq = 18
	if v.missing(); len(v.report.Faults) != 1 || v.report.Faults[0].What != "the chain ends at 18; the head which was kept is 19: its end is missing" {
		t.Errorf("with the head that was kept: %v", v.report.Faults)
	}
	v.seq, v.prev = 18, hash
	v.link(&Entry{Seq: 19, At: noon, Kind: kindRelease, Body: "{}", Prev: hash, Hash: make([]byte, 32)})
	if !strings.Contains(v.report.Faults[len(v.report.Faults)-1].What, "the chain was written anew") {
		t.Errorf("with another entry in place of the head that was kept: %v", v.report.Faults)
	}
}

// The rows are right, and the tables are not.
func TestVerify_schema(t *testing.T) {
	both := map[string]string{
		"DROP INDEX certificates_serial": "schema ",
		"ALTER TABLE certificates RENAME TO real; CREATE VIEW certificates AS SELECT * FROM real": "schema ",
		"ALTER TABLE crls ADD COLUMN more BIGINT":                                                 "schema ",
	}
	sqlite := map[string]string{
		"DROP INDEX certificates_expiry": `schema index certificates_expiry of certificates: it is missing: "CREATE INDEX certificates_expiry ON certificates (not_after)"`,
		"CREATE TRIGGER t AFTER INSERT ON certificates BEGIN DELETE FROM names WHERE seq = new.seq\x00 END":                                       `schema trigger t of certificates: it does not belong there: "CREATE TRIGGER t`,
		"DROP INDEX certificates_revoked; CREATE INDEX certificates_revoked ON certificates (seq) WHERE revoked_at IS NOT NULL AND host <> 'web'": `schema index certificates_revoked of certificates: it is "…WHERE revoked_at IS NOT NULL AND host <> 'web'"; it was made as "…WHERE revoked_at IS NOT NULL"`,
	}
	postgres := map[string]string{
		"DROP INDEX certificates_serial; CREATE INDEX certificates_serial ON certificates (serial, issuer_key_id)":                                                          `schema index certificates_serial of certificates: it is "CREATE INDEX certificates_serial ON`,
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL\x00 END'\x00 CREATE TRIGGER t BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION f()": `schema trigger t of names: it does not belong there: "CREATE TRIGGER t BEFORE INSERT ON names`,
		"CREATE RULE r AS ON UPDATE TO certificates DO INSTEAD NOTHING":                                                                                                     `schema rule r of certificates: it does not belong there: "CREATE RULE r`,
		"ALTER TABLE entries SET UNLOGGED":            `schema table entries: it is "lost in a crash, kept by heap"; it was made as "permanent, kept by heap"`,
		"ALTER TABLE names ENABLE ROW LEVEL SECURITY": `schema table names: it is "permanent, kept by heap, with hidden rows"; it was made as "permanent, kept by heap"`,
	}
	tamper(t, func(t *testing.T, l *Ledger, _ func(string, ...any) []string) {
		for _, cases := range []map[string]string{both, map[bool]map[string]string{true: postgres, false: sqlite}[l.engine.numbered]} {
			for text, want := range cases {
				faults := damaged(t, l.writer.session, (*verifier).checkSchema, text, nil)
				if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, want) }) {
					t.Errorf("%s: found %q\nwant %s", text, faults, want)
				}
			}
		}
	})
}

// What is left of a ledger without one of its tables is told, and not what the database says.
func TestVerify_droppedTable(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, _ func(string, ...any) []string) {
		for _, name := range []string{"names", "certificates", "head"} {
			faults := damaged(t, l.writer.session, (*verifier).run, "DROP TABLE "+name, nil)
			if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, "schema table "+name+": it is missing") }) {
				t.Errorf("%s: found %q", name, faults)
			}
			if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, "rows: they could not all be read: ") }) {
				t.Errorf("%s: found %q", name, faults)
			}
		}
	})
}

// Without the order of bytes a pattern would miss rows.
func TestVerify_columnType(t *testing.T) {
	l := create(t, testenv.Postgres(t))
	if _, err := l.db.Exec("ALTER TABLE certificates ALTER COLUMN host TYPE varchar"); err != nil {
		t.Fatal(err)
	}
	want := `schema column certificates.host: it is "character varying not null collate \"default\""; it was made as "text not null collate \"C\""`
	if r := verify(t, l, ""); len(r.Faults) != 1 || r.Faults[0].String() != want {
		t.Errorf("got  %v\nwant %s", r.Faults, want)
	}
}

// A page of the chain ends early where its rows are large.
func TestVerify_largeRows(t *testing.T) {
	dir := t.TempDir()
	l := create(t, filepath.Join(dir, "ledger.db"))
	root := newAuthority(t, "Test CA", nil)
	for i := range 5 {
		add(t, l, ca.Issued{Certificate: root.leaf("web"), Why: strings.Repeat(string(rune('a'+i)), pageBytes/2)})
	}
	backup := filepath.Join(dir, "backup.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, filepath.Join(dir, "new.db"), Options{Now: atNoon}); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, create(t, filepath.Join(dir, "new.db")), ""); !r.OK() || r.Certificates != 5 {
		t.Errorf("%+v", r)
	}
	if _, err := l.db.Exec("UPDATE certificates SET host = 'x' WHERE seq IN (2, 3, 5)"); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, l, ""); len(r.Faults) != 3 {
		t.Errorf("%+v", r)
	}
}

// The notes of the migrations decide which tables a program expects.
func TestVerify_versions(t *testing.T) {
	tamper(t, func(t *testing.T, _ *Ledger, damage func(string, ...any) []string) {
		for text, want := range map[string]string{
			"DELETE FROM kedge_schema WHERE version_id = 1":                       "kedge_schema 1: it is missing",
			"UPDATE kedge_schema SET is_applied = false WHERE version_id = 1":     "kedge_schema 1: is_applied says",
			"UPDATE kedge_schema SET version_id = 99 WHERE version_id = 1":        "kedge_schema 99: version_id: there is no such version",
			"INSERT INTO kedge_schema (version_id, is_applied) VALUES (1, true)":  "kedge_schema 1: version_id: there is no such version, or it is there twice",
			"INSERT INTO kedge_schema (version_id, is_applied) VALUES (-1, true)": "kedge_schema -1: version_id: there is no such version",
		} {
			if faults := damage(text); len(faults) == 0 || !strings.HasPrefix(faults[0], want) {
				t.Errorf("%s: found %q\nwant %s", text, faults, want)
			}
		}
	})
}
