package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/ca"
)

// full fills a ledger with something in every column of every table.
func full(t *testing.T, l *Ledger) {
	t.Helper()
	root, sub := sample(t, l)
	last := root.leaf("last")
	add(t, l, ca.Issued{Certificate: last, Host: "rack-9", Profile: "workload", Why: "ticket 1"})
	add(t, l, ca.Issued{Certificate: root.leaf("last"), Host: "rack-9", Profile: "workload", Why: "ticket 2", Replaces: fingerprint(last)})
	for _, name := range []string{root.cert.Subject.CommonName, sub.cert.Subject.CommonName} {
		a := named(t, l, name)
		a.Issuing = true
		if err := l.SetAuthorities(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for n := range int64(2) {
		c := CRL{Authority: root.cert, Number: n + 1, Base: n, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, 32), Entries: 2}
		if err := l.RecordCRL(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	list := ForeignList{CRL: CRL{Authority: root.cert, Number: 9, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 300, SHA256: make([]byte, 32), Entries: 2},
		Revoked: []ca.Revocation{{Serial: big.NewInt(0x77), At: noon, Reason: 1}, {Serial: last.SerialNumber, At: noon, Reason: ca.CertificateHold}}}
	if err := l.TakeList(t.Context(), list, "restored"); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(t.Context(), [][]byte{heldOne(t, l)}, "found"); err != nil {
		t.Fatal(err)
	}
	if err := l.Revoke(t.Context(), [][]byte{fingerprint(last)}, Revocation{Reason: 4, At: noon, Why: "replaced"}); err != nil {
		t.Fatal(err)
	}
}

// named reads an authority.
func named(t *testing.T, l *Ledger, name string) Authority {
	t.Helper()
	all, err := l.Authorities(t.Context())
	i := slices.IndexFunc(all, func(a Authority) bool { return a.Name == name })
	if err != nil || i < 0 {
		t.Fatalf("%q in %v, %v", name, all, err)
	}
	return all[i]
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
		if !r.OK() || r.Entries != 21 || r.Certificates != 10 || r.Head != head {
			t.Errorf("%+v", r)
		}
		for _, bad := range []string{"7", "7:00", "x:" + hex.EncodeToString(hash), "0:" + hex.EncodeToString(hash)} {
			if _, err := l.Verify(t.Context(), VerifyOptions{Head: bad}); !strings.Contains(fmt.Sprint(err), "is not SEQ:HASH") {
				t.Errorf("head %s: %v", bad, err)
			}
		}
	})
}

func TestVerify_damage(t *testing.T) {
	tamper(t, func(t *testing.T, l *Ledger, damage func(string, ...any) []string) {
		seq, hash, err := readHead(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ what, text, want string }{
			{"two entries swapped", "UPDATE entries SET seq = -1 WHERE seq = 6; UPDATE entries SET seq = 6 WHERE seq = 7; UPDATE entries SET seq = 7 WHERE seq = -1",
				"entries 6: prev is not the hash of the entry before"},
			{"two certificates swapped", "UPDATE certificates SET seq = -1 WHERE seq = 6; UPDATE certificates SET seq = 6 WHERE seq = 7; UPDATE certificates SET seq = 7 WHERE seq = -1",
				"certificates 6: der has the SHA-256"},
			{"a host given to another", "UPDATE certificates SET host = 'rack-8' WHERE seq = 7",
				`certificates 7: host is "rack-8"; it was written as "rack-2"`},
			{"a revocation taken back", "UPDATE certificates SET revoked_at = NULL, reason = NULL, revoked_seq = NULL WHERE seq = 7",
				"certificates 7: entry "},
			{"a revocation made up", "UPDATE certificates SET revoked_at = 1, reason = 1, revoked_seq = 9 WHERE seq = 8",
				"certificates 8: revoked_at is 1; it was written as empty"},
			{"a released certificate held again", "UPDATE certificates SET revoked_at = 1, reason = 6, revoked_seq = 10 WHERE seq = 9",
				"certificates 9: reason is 6; it was written as empty"},
			{"a renewal denied", "UPDATE certificates SET replaced_seq = NULL WHERE seq = 5",
				"certificates 5: certificate 6 renews it, and replaced_seq does not say so"},
			{"a renewal made up", "UPDATE certificates SET replaced_seq = 7 WHERE seq = 8",
				"certificates 8: replaced_seq is 7, which does not renew it"},
			{"an entry that says something else", "UPDATE entries SET at = at + 1 WHERE seq = 21", "entries 21: the hash does not belong to what the entry says"},
			{"an entry added", "INSERT INTO entries SELECT 22, at, kind, body, prev, hash FROM entries WHERE seq = 21", "entries 22: prev is not"},
			{"a name added", "INSERT INTO names VALUES (5, 9, 'dns', 'evil', 0)", `names 5/9: its certificate has no such name: "evil"`},
			{"a name without certificate", "INSERT INTO names VALUES (99, 0, 'dns', 'evil', 0)", `names 99/0: its certificate has no such name`},
			{"an authority added", "INSERT INTO authorities SELECT 'x', fingerprint, parent, state, 1, seq FROM authorities WHERE name = 'Test CA'", `authorities "x": no entry records such`},
			{"a CRL added", "INSERT INTO crls SELECT 1, issuer_key_id, 9, base, this_update, next_update, size, sha256, entries, issuer_key FROM crls WHERE number = 1", "crls 1: no entry records it"},
			{"the tail cut", "DELETE FROM entries WHERE seq > 20", "head 1: seq is 21; it was written as 20"},
			{"a certificate after the tail", "UPDATE certificates SET seq = 50 WHERE seq = 13", "certificates 50: no entry records its issue"},
			{"a renewal noted that came before", "UPDATE certificates SET replaces = (SELECT fingerprint FROM certificates WHERE seq = 9) WHERE seq = 8; UPDATE certificates SET replaced_seq = 8 WHERE seq = 9",
				"certificates 9: replaced_seq is 8, which does not renew it"},
			{"entries from the middle", "DELETE FROM entries WHERE seq IN (7, 8, 9)", "entries 7: it is missing, and the others up to 9"},
		} {
			faults := damage(tt.text)
			if !slices.ContainsFunc(faults, func(s string) bool { return strings.HasPrefix(s, tt.want) }) {
				t.Errorf("%s: found %q\nwant %s", tt.what, faults, tt.want)
			}
		}
		_ = damage("UPDATE head SET seq = ?, tail = ?", seq, -seq) // changes nothing
		checkForged(t, l, damage, fmt.Sprintf("%d:%x", seq, hash))
	})
}

func readHead(l *Ledger) (seq int64, hash []byte, err error) {
	err = l.writer.session.queryRow(context.Background(), "SELECT seq, hash FROM head").Scan(&seq, &hash)
	return seq, hash, err
}

// checkForged: a user who can write everything can remove the end without a trace, except to a head
// that was kept elsewhere.
func checkForged(t *testing.T, l *Ledger, damage func(string, ...any) []string, head string) {
	t.Helper()
	var hash []byte
	if err := l.writer.session.queryRow(t.Context(), "SELECT hash FROM entries WHERE seq = 20").Scan(&hash); err != nil {
		t.Fatal(err)
	}
	const cut = `DELETE FROM entries WHERE seq = 21; UPDATE head SET seq = 20, tail = -20, hash = ?, at = (SELECT at FROM entries WHERE seq = 20);
		UPDATE certificates SET reason = 6, revoked_seq = 19 WHERE revoked_seq = 21`
	if faults := damage(cut, hash); faults != nil {
		t.Errorf("a forged end: %q", faults)
	}
	v := newVerifier()
	if err := v.expect(head); err != nil {
		t.Fatal(err)
	}
	v.seq = 20
	if v.missing(); len(v.report.Faults) != 1 || v.report.Faults[0].What != "the chain ends at 20; the head which was kept is 21: its end is missing" {
		t.Errorf("with the head that was kept: %v", v.report.Faults)
	}
	v.seq, v.prev = 20, hash
	v.link(&Entry{Seq: 21, At: noon, Kind: kindRelease, Body: "{}", Prev: hash, Hash: make([]byte, 32)})
	if !strings.Contains(v.report.Faults[len(v.report.Faults)-1].What, "the chain was written anew") {
		t.Errorf("with another entry in place of the head that was kept: %v", v.report.Faults)
	}
}

// A missing table is reported as such, without the error of the database.
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
	if _, err := Restore(t.Context(), backup, filepath.Join(dir, "new.db"), "", Options{Now: atNoon, AnyClock: true}); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, create(t, filepath.Join(dir, "new.db")), ""); !r.OK() || r.Certificates != 6 {
		t.Errorf("%+v", r)
	}
	if _, err := l.db.Exec("UPDATE certificates SET host = 'x' WHERE seq IN (3, 4, 6)"); err != nil {
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
