package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// afterSecond is soon after the last entry of testdata/schema-2.db.
func afterSecond() time.Time { return time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC) }

// openSecond opens a ledger at the time of the fixture of schema 2.
func openSecond(t *testing.T, where string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), where, Options{Now: afterSecond, AnyClock: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// tablesOfSecond prints the rows of the tables of schema 2, with the columns that it has.
func tablesOfSecond(t *testing.T, where string) string {
	t.Helper()
	return tablesOf(t, where, "SELECT seq, key_hash, issuer_key, lineage FROM certificates ORDER BY seq", "SELECT id, name, newest, old FROM lineages ORDER BY id",
		"SELECT issuer_key, serial, revoked_at, reason, seq FROM revocations ORDER BY serial", "SELECT seq, issuer_key FROM crls ORDER BY seq", "SELECT at FROM head")
}

func TestMigrate3(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeSchema(t, where, 2)
		before := tablesOfSecond(t, where)
		_, err := Open(t.Context(), where, Options{Now: afterSecond, ReadOnly: true})
		if older, ok := errors.AsType[*OlderSchemaError](err); !ok || older.Schema != 2 || older.Known != newestSchema {
			t.Errorf("to only read: %v", err)
		}
		openAtOnce(t, where, Options{Now: afterSecond, AnyClock: true})
		l := openSecond(t, where)
		verified(t, l)
		if after := tablesOfSecond(t, where); after != before {
			t.Errorf("the columns of schema 2 have changed:\n%s\nwere\n%s", after, before)
		}
		if seq, _, err := l.Head(t.Context()); seq != 33 || err != nil {
			t.Errorf("the chain has %d entries, %v", seq, err)
		}
		held := map[string]int{}
		for h, err := range l.Holders(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if h.Enrollment != nil || h.Recoveries != 0 {
				t.Errorf("%s: %+v, %d", h.CommonName, h.Enrollment, h.Recoveries)
			}
			held[h.CommonName]++
		}
		want := "map[app-01:1 gone-cessation-of-operation:1 gone-key-compromise:1 gone-superseded:1 held-01:1 held-02:1 low-01:1 new-01:1 past-01:1 short-01:1 web-01:1]"
		if fmt.Sprint(held) != want {
			t.Errorf("held are %v", held)
		}
	})
}

// What schema 2 issued holds its name, is renewed and decommissioned.
func TestMigrate3_rules(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeSchema(t, where, 2)
		l := openSecond(t, where)
		issuer := named(t, l, "ca-2").Certificate
		at := afterSecond()
		hold := func(token *Token) {
			token.At, token.Expires, token.Pattern, token.Names = at, at.Add(time.Hour), "*", nil
		}
		e := madeToken(t, l, 1, hold)
		var web Certificate
		for h, err := range l.Holders(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			i := ca.Issued{Certificate: successor(t, h.Certificate, issuer, newKey(t).Public()), Issuer: issuer, At: at, Profile: "workload", Enrollment: e}
			if _, err := l.Record(t.Context(), i); kindOfError(err) != "held" {
				t.Errorf("%s: %v", h.CommonName, err)
			}
			if h.CommonName == "web-01" {
				web = h.Certificate
			}
		}
		i := ca.Issued{Certificate: successor(t, web, issuer, nil), Issuer: issuer, At: at, Replaces: web.Fingerprint, Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal}}
		if err := l.RecordIssued(t.Context(), i); err != nil {
			t.Error(err)
		}
		if d, err := l.Decommission(t.Context(), "web-01", ""); err != nil || len(d.Certificates) != 4 {
			t.Errorf("%d, %v", len(d.Certificates), err)
		}
		verified(t, l)
	})
}

// A program of schema 2 that has the ledger open while another migrates it writes nothing more.
func TestMigrate3_olderProgram(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeSchema(t, where, 2)
		l := openSecond(t, where)
		before := tablesOfSecond(t, where)
		db, e := openSQL(t, where)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		head := some("UPDATE head SET seq = ?, hash = ?, tail = ?, at = ?", int64(34), make([]byte, hashSize), int64(34), afterSecond().UnixMicro())
		err = olderIssue(t.Context(), conn, e, 34, head)
		if err == nil || !strings.Contains(err.Error(), "this kedge-ca is older than the ledger, use the newer one") {
			t.Errorf("%v", err)
		}
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if tablesOfSecond(t, where) != before {
			t.Error("it has written")
		}
		verified(t, l)
	})
}

// What another hand did to a ledger of schema 2 is found in what became of it.
func TestMigrate3_tampered(t *testing.T) {
	for name, text := range map[string]string{
		"lineage":        "UPDATE lineages SET newest = newest - 1 WHERE name = 'CN=web-01'",
		"lineage's name": "UPDATE lineages SET name = 'CN=web-02' WHERE name = 'CN=web-01'",
		"ended lineage":  "DELETE FROM lineages WHERE name = 'CN=app-01'",
		"common name":    "UPDATE certificates SET common_name = 'web-02' WHERE common_name = 'web-01'",
		"key":            "UPDATE certificates SET key_hash = issuer_key WHERE common_name = 'new-01'",
		"revocation":     "UPDATE certificates SET revoked_at = NULL, reason = NULL, revoked_seq = NULL WHERE common_name = 'gone-key-compromise'",
		"entry":          "DELETE FROM entries WHERE seq = 20",
	} {
		for engine, where := range map[string]string{"sqlite": t.TempDir() + "/ledger.db", "postgres": testenv.Postgres(t)} {
			t.Run(name+"/"+engine, func(t *testing.T) {
				placeSchema(t, where, 2)
				bySQL(t, where, text)
				if report := verify(t, openSecond(t, where), ""); report.OK() {
					t.Error("it was not found")
				}
			})
		}
	}
}

// A migration that cannot be done leaves what was there.
func TestMigrate3_interrupted(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeSchema(t, where, 2)
		bySQL(t, where, "CREATE TABLE denials (other BIGINT)")
		before := tablesOfSecond(t, where)
		if _, err := Open(t.Context(), where, Options{Now: afterSecond, AnyClock: true}); err == nil {
			t.Error("it was migrated")
		}
		if version := versionOf(t, where); version != 2 || tablesOfSecond(t, where) != before {
			t.Errorf("schema %d, or it is not what it was", version)
		}
		bySQL(t, where, "DROP TABLE denials")
		verified(t, openSecond(t, where))
	})
}
