package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// afterOld is soon after the last entry of testdata/schema-1.db.
func afterOld() time.Time { return time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC) }

// placeOld puts the ledger of schema 1 at where.
func placeOld(t *testing.T, where string) {
	t.Helper()
	placeSchema(t, where, 1)
}

// placeSchema puts the ledger of an older schema at where.
func placeSchema(t *testing.T, where string, schema int) {
	t.Helper()
	if !isPostgres(where) {
		data, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.db", schema))
		if err == nil {
			err = os.WriteFile(where, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.pg.sql", schema))
	if err != nil {
		t.Fatal(err)
	}
	bySQL(t, where, string(data))
}

// openSQL opens the database of a ledger, whatever is in it.
func openSQL(t *testing.T, where string) (*sql.DB, *engine) {
	t.Helper()
	open := openSQLite
	if isPostgres(where) {
		open = openPostgres
	}
	db, e, err := open(where, Options{Now: afterOld, BusyTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return db, e
}

// bySQL changes a ledger past kedge.
func bySQL(t *testing.T, where string, statements ...string) {
	t.Helper()
	db, _ := openSQL(t, where)
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%.80s: %v", text, err)
		}
	}
}

// tablesOf prints the rows of the tables of schema 1, with the columns that it has, and of more.
func tablesOf(t *testing.T, where string, more ...string) string {
	t.Helper()
	db, _ := openSQL(t, where)
	defer db.Close()
	var all strings.Builder
	for _, text := range append([]string{
		"SELECT seq, at, kind, body, prev, hash FROM entries ORDER BY seq",
		"SELECT id, seq, hash FROM head",
		`SELECT seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, revoked_at, reason, revoked_seq,
			replaces, replaced_seq, common_name, subject, issuer, host, profile, why, der FROM certificates ORDER BY seq`,
		"SELECT seq, place, kind, value FROM names ORDER BY seq, place",
		"SELECT name, fingerprint, parent, state, issuing, seq FROM authorities ORDER BY name",
		"SELECT seq, issuer_key_id, number, base, this_update, next_update, size, sha256, entries FROM crls ORDER BY seq",
	}, more...) {
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, targets := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				targets[i] = &row[i]
			}
			if err := rows.Scan(targets...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&all, row...)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// versionOf returns the schema of a ledger.
func versionOf(t *testing.T, where string) int64 {
	t.Helper()
	db, e := openSQL(t, where)
	defer db.Close()
	version, err := readSchema(t.Context(), db, e)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// openOld opens a ledger at the time of the fixture.
func openOld(t *testing.T, where string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), where, Options{Now: afterOld, AnyClock: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// migrated opens the ledger of schema 1.
func migrated(t *testing.T, where string) *Ledger {
	t.Helper()
	placeOld(t, where)
	return openOld(t, where)
}

// all returns the certificates of a ledger, in order.
func all(t *testing.T, l *Ledger) []Certificate {
	t.Helper()
	var certs []Certificate
	for c, err := range l.List(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	return certs
}

func TestMigrate(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeOld(t, where)
		before := tablesOf(t, where)
		_, err := Open(t.Context(), where, Options{Now: afterOld, ReadOnly: true})
		if older, ok := errors.AsType[*OlderSchemaError](err); !ok || older.Schema != 1 || older.Known != newestSchema {
			t.Errorf("to only read: %v", err)
		}
		l := openOld(t, where)
		verified(t, l)
		if after := tablesOf(t, where); after != before {
			t.Errorf("the columns of schema 1 have changed:\n%s\nwere\n%s", after, before)
		}
		if seq, _, err := l.Head(t.Context()); seq != 67 || err != nil {
			t.Errorf("the chain has %d entries, %v", seq, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openOld(t, where)
		verified(t, l)
		if after := tablesOf(t, where); after != before {
			t.Error("opening it again has changed it")
		}
	})
}

// What the rules go by follows from the certificates themselves.
func TestMigrate_columns(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		certs := all(t, l)
		issuers := map[string]*x509.Certificate{}
		for _, c := range certs {
			cert, err := c.X509()
			if err != nil {
				t.Fatal(err)
			}
			key := ca.KeyHash(cert)
			if !bytes.Equal(c.KeyHash, key[:]) {
				t.Errorf("%s, %d: the key is %x", c.Subject, c.Seq, c.KeyHash)
			}
			if c.Kind != Leaf {
				issuers[string(key[:])] = cert
			}
			issuer := issuers[string(c.IssuerKey)]
			if issuer == nil || issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
				t.Errorf("%s, %d: the issuer's key %x did not sign it", c.Subject, c.Seq, c.IssuerKey)
			}
			if (c.Lineage == 0) != (c.Kind != Leaf) || c.Lineage > c.Seq {
				t.Errorf("%s, %d: lineage %d", c.Subject, c.Seq, c.Lineage)
			}
		}
		if len(certs) != 38 || len(issuers) != 3 {
			t.Errorf("%d certificates, %d keys of authorities", len(certs), len(issuers))
		}
	})
}

// successor is a certificate for the name of another, with its key unless key is another one. The
// keys of the fixture's authorities are gone, and a ledger checks no signatures.
func successor(t *testing.T, of Certificate, issuer *x509.Certificate, key any) *x509.Certificate {
	t.Helper()
	cert, err := of.X509()
	if err != nil {
		t.Fatal(err)
	}
	if key == nil {
		key = cert.PublicKey
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, RawSubject: cert.RawSubject, NotBefore: afterOld().Add(-time.Minute), NotAfter: afterOld().Add(time.Hour)}
	parent := &x509.Certificate{RawSubject: issuer.RawSubject, SubjectKeyId: issuer.SubjectKeyId}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Every lineage can be renewed from each of its ends, also if a name has two of them, except those
// that are revoked or whose key is.
func TestMigrate_renew(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		issuer := named(t, l, "ca-2").Certificate
		got, ends := map[string]string{}, 0
		for _, c := range all(t, l) {
			if c.Kind != Leaf {
				continue
			}
			newest, err := l.Newest(t.Context(), c)
			if err != nil {
				t.Fatalf("%s, %d: %v", c.Subject, c.Seq, err)
			}
			if newest.Seq != c.Seq {
				continue
			}
			ends++
			err = l.RecordIssued(t.Context(), ca.Issued{Certificate: successor(t, c, issuer, nil), Issuer: issuer, At: afterOld(), Replaces: c.Fingerprint})
			got[c.CommonName] += strings.TrimPrefix(fmt.Sprintf("%T ", err), "*ledger.")
		}
		for name, want := range map[string]string{
			"web-01": "<nil> ", "db-01": "<nil> <nil> ", "db-02": "<nil> ", "app-01": "<nil> <nil> ", "mid-01": "<nil> ", "short-01": "<nil> ",
			"held-01": "<nil> ", "held-02": "RevokedKeyError ", "stolen-01": "RevokedKeyError ", "stolen-02": "RevokedKeyError ",
			"gone-key-compromise": "RevokedKeyError ", "gone-superseded": "RevokedError ", "low-01": "RevokedKeyError ", "low-02": "<nil> ", "low-03": "<nil> ",
		} {
			if got[name] != want {
				t.Errorf("%s: %s; want %s", name, got[name], want)
			}
		}
		if ends != 24 {
			t.Errorf("%d ends of lineages", ends)
		}
		verified(t, l)
	})
}

// A name of two lineages has one from when it is issued again.
func TestMigrate_issueForked(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		issuer := named(t, l, "ca-2").Certificate
		var forks []Certificate
		for _, c := range all(t, l) {
			if newest, err := l.Newest(t.Context(), c); c.CommonName == "db-01" && err == nil && newest.Seq == c.Seq {
				forks = append(forks, c)
			}
		}
		receipt, err := l.Record(t.Context(), ca.Issued{Certificate: successor(t, forks[0], issuer, newKey(t).Public()), Issuer: issuer, At: afterOld()})
		if err != nil || len(receipt.Ended) != 3 {
			t.Fatalf("%d of another key are valid, %v", len(receipt.Ended), err)
		}
		for _, fork := range forks {
			err := l.RecordIssued(t.Context(), ca.Issued{Certificate: successor(t, fork, issuer, nil), Issuer: issuer, At: afterOld(), Replaces: fork.Fingerprint})
			if _, ok := errors.AsType[*EndedError](err); !ok {
				t.Errorf("%d: %v", fork.Seq, err)
			}
		}
		verified(t, l)
	})
}

// A key that was revoked before the rules were is in use, and is not certified once more.
func TestMigrate_revokedKey(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		issuer := named(t, l, "ca-2").Certificate
		var states []string
		for _, c := range all(t, l) {
			if !strings.HasPrefix(c.CommonName, "stolen") {
				continue
			}
			states = append(states, c.State(afterOld()))
			err := l.RecordIssued(t.Context(), ca.Issued{Certificate: successor(t, c, issuer, nil), Issuer: issuer, At: afterOld(), AllowRevokedKey: true})
			if refused, ok := errors.AsType[*RevokedKeyError](err); !ok || refused.Allowable {
				t.Errorf("%s: %v", c.CommonName, err)
			}
		}
		if fmt.Sprint(states) != "[revoked valid valid]" {
			t.Errorf("the certificates of the key are %v", states)
		}
	})
}

// The intermediate was renewed with another key identifier, and schema 1 began its lists anew.
func TestMigrate_lists(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		for name, want := range map[string]string{"ca": "11 5", "iss": "1 3", "ca-2": "0 2"} {
			a := named(t, l, name)
			revoked, err := l.Revoked(t.Context(), a.Certificate, afterOld())
			if err != nil {
				t.Fatal(err)
			}
			next, err := l.NextCRL(t.Context(), a.Certificate)
			if got := fmt.Sprint(len(revoked), next); got != want || err != nil {
				t.Errorf("%s: %s, %v; want %s", name, got, err, want)
			}
		}
	})
}

func TestMigrate_atOnce(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeOld(t, where)
		openAtOnce(t, where, Options{Now: afterOld, AnyClock: true})
		verified(t, openOld(t, where))
	})
}

// openAtOnce opens a ledger several times at once, and closes it.
func openAtOnce(t *testing.T, where string, o Options) {
	t.Helper()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			l, err := Open(t.Context(), where, o)
			if err == nil {
				err = l.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A migration that ends half-way, here by a certificate that cannot be read, leaves what was there.
func TestMigrate_interrupted(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeOld(t, where)
		whole := tablesOf(t, where)
		bySQL(t, where, "CREATE TABLE kept AS SELECT seq, der FROM certificates WHERE seq = 40", "UPDATE certificates SET der = substr(der, 1, 99) WHERE seq = 40")
		before := tablesOf(t, where)
		_, err := Open(t.Context(), where, Options{Now: afterOld, AnyClock: true})
		if broken, ok := errors.AsType[*BrokenError](err); !ok || !strings.Contains(broken.Error(), "certificate 40") {
			t.Errorf("%v", err)
		}
		if after := tablesOf(t, where); after != before {
			t.Error("it is not what it was")
		}
		if version := versionOf(t, where); version != 1 {
			t.Errorf("schema %d", version)
		}
		bySQL(t, where, "UPDATE certificates SET der = (SELECT der FROM kept) WHERE seq = 40", "DROP TABLE kept")
		if tablesOf(t, where) != whole {
			t.Fatal("the test did not put back what it took")
		}
		verified(t, openOld(t, where))
	})
}

// What another hand did to a ledger of schema 1 is found in what became of it.
func TestMigrate_tampered(t *testing.T) {
	for name, text := range map[string]string{
		"revocation":     "UPDATE certificates SET revoked_at = NULL, reason = NULL, revoked_seq = NULL WHERE common_name = 'gone-key-compromise'",
		"reason":         "UPDATE certificates SET reason = 4 WHERE common_name = 'gone-key-compromise'",
		"key identifier": "UPDATE certificates SET issuer_key_id = (SELECT issuer_key_id FROM certificates WHERE common_name = 'low-03') WHERE common_name = 'low-02'",
		"replaces":       "UPDATE certificates SET replaces = NULL WHERE common_name = 'db-02'",
		"certificate":    "UPDATE certificates SET der = (SELECT der FROM certificates WHERE common_name = 'new-01') WHERE common_name = 'low-02'",
		"subject":        "UPDATE certificates SET subject = 'CN=web-01' WHERE common_name = 'new-01'",
		"authority":      "UPDATE authorities SET state = 'active' WHERE name = 'ca'",
		"number":         "UPDATE crls SET number = 9 WHERE seq = 67",
		"entry":          "UPDATE entries SET at = at + 1 WHERE seq = 30",
		"missing entry":  "DELETE FROM entries WHERE seq = 30",
		"head":           "UPDATE head SET seq = 66",
		"missing row":    "DELETE FROM certificates WHERE common_name = 'short-01'",
	} {
		for engine, where := range map[string]string{"sqlite": t.TempDir() + "/ledger.db", "postgres": testenv.Postgres(t)} {
			t.Run(name+"/"+engine, func(t *testing.T) {
				placeOld(t, where)
				bySQL(t, where, text)
				if report := verify(t, openOld(t, where), ""); report.OK() {
					t.Error("it was not found")
				}
			})
		}
	}
}

// A program of schema 1 that has the ledger open while another migrates it writes nothing more:
// these are its statements.
func TestMigrate_olderProgram(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := migrated(t, where)
		before := tablesOf(t, where)
		db, e := openSQL(t, where)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		err = olderWrites(t.Context(), conn, e)
		if err == nil || !strings.Contains(err.Error(), "this kedge-ca is older than the ledger, use the newer one") {
			t.Errorf("%v", err)
		}
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if tablesOf(t, where) != before {
			t.Error("it has written")
		}
		verified(t, l)
	})
}

// olderWrites issues a certificate as schema 1 did.
func olderWrites(ctx context.Context, conn *sql.Conn, e *engine) error {
	return olderIssue(ctx, conn, e, 68, some("UPDATE head SET seq = ?, hash = ?", int64(68), make([]byte, hashSize)))
}

// olderIssue writes an entry and a certificate with the columns of schema 1, and the head.
func olderIssue(ctx context.Context, conn *sql.Conn, e *engine, seq int64, head statement) error {
	hash := make([]byte, hashSize)
	for _, s := range []statement{
		some(e.begin),
		some(insertEntry, seq, afterOld().UnixMicro(), kindIssue, "{}", hash, hash),
		some(`INSERT INTO certificates (seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, replaces,
			common_name, subject, issuer, host, profile, why, der) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			seq, int64(0), hash, hash, hash, "leaf", int64(0), int64(0), nil, "a", "CN=a", "CN=b", "a", "", "", hash),
		head,
		some("COMMIT"),
	} {
		if _, err := conn.ExecContext(ctx, e.sql(s.text), s.args...); err != nil {
			return err
		}
	}
	return nil
}
