package ledger

import (
	"bytes"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"kedge/ca"
)

// imports makes what Import takes.
func imports(a *authority, all ...Import) []Import {
	for i := range all {
		all[i].Issuer, all[i].At = a.cert, noon
	}
	return all
}

func mustImport(t *testing.T, l *Ledger, all []Import) Imported {
	t.Helper()
	done, err := l.Import(t.Context(), "", all)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func mustVerify(t *testing.T, l *Ledger) {
	t.Helper()
	report, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report, err)
	}
}

// TestImport_newest: whatever the order of imports, the certificate that is valid from the latest
// time is the newest of its name, also beside those that this CA issued.
func TestImport_newest(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		newest, middle, oldest := root.leaf("web", valid(-time.Hour, time.Hour)), root.leaf("web", valid(-2*time.Hour, time.Hour)), root.leaf("web", valid(-3*time.Hour, time.Hour))
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: middle}}, Import{Issued: ca.Issued{Certificate: newest}}))
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: oldest}}))
		checkNewest(t, l, newest.Raw)
		mustVerify(t, l)

		ours := root.leaf("web")
		add(t, l, ca.Issued{Certificate: ours})
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: root.leaf("web", valid(-90*time.Minute, time.Hour))}}))
		checkNewest(t, l, ours.Raw)
		mustVerify(t, l)
	})
}

// checkNewest wants one certificate to be the one that may be renewed, and no other.
func checkNewest(t *testing.T, l *Ledger, want []byte) {
	t.Helper()
	for c, err := range l.List(t.Context(), Filter{Kind: Leaf}) {
		if err != nil {
			t.Fatal(err)
		}
		newest, err := l.Newest(t.Context(), c)
		if bytes.Equal(c.DER, want) {
			if err != nil || newest.Seq != c.Seq {
				t.Errorf("certificate %d: the newest is %d, %v", c.Seq, newest.Seq, err)
			}
			continue
		}
		if ended, ok := errors.AsType[*EndedError](err); !ok || ended.By == nil || !bytes.Equal(ended.By.DER, want) {
			t.Errorf("certificate %d may go on: %v, %v", c.Seq, newest.Seq, err)
		}
	}
}

// TestImport_revoked: a certificate that was revoked for good ends no lineage of its name, however
// late it was issued.
func TestImport_revoked(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, key := newAuthority(t, "Test CA", nil), newKey(t)
		register(t, l, root)
		ours := root.leafOf("web", key)
		add(t, l, ca.Issued{Certificate: ours})
		late := valid(-time.Minute, time.Hour)
		gone := func(reason ca.Reason) *ca.Revocation { return &ca.Revocation{At: noon, Reason: reason} }
		done := mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: root.leaf("web", late)}, Revoked: gone(ca.KeyCompromise)},
			Import{Issued: ca.Issued{Certificate: root.leafOf("web", key, late)}, Revoked: gone(ca.Superseded)},
			Import{Issued: ca.Issued{Certificate: root.leaf("other", late)}, Revoked: gone(ca.KeyCompromise)}))
		if done.Recorded != 3 || done.Revoked != 3 {
			t.Errorf("%+v", done)
		}
		mustVerify(t, l)
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leafOf("web", key), Replaces: fingerprint(ours)}); err != nil {
			t.Errorf("the host does not go on: %v", err)
		}
		held := root.leaf("held")
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: held}, Revoked: gone(ca.CertificateHold)}))
		if err := l.Release(t.Context(), [][]byte{fingerprint(held)}, "found"); err != nil {
			t.Fatal(err)
		}
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("held"), Replaces: fingerprint(held)}); err != nil {
			t.Errorf("one that was released does not go on: %v", err)
		}
		mustVerify(t, l)
	})
}

// What was archived, and is imported again, is known, and does not get back a name that was taken from its host.
func TestImport_archived(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		var certs []*x509.Certificate
		for i := range 4 {
			next := ca.Issued{Certificate: x.root.leaf("web", valid(time.Duration(i-9)*time.Hour, time.Duration(i-5)*time.Hour))}
			if i > 0 {
				next.Replaces = fingerprint(certs[i-1])
			}
			add(t, x.l, next)
			certs = append(certs, next.Certificate)
		}
		if _, err := x.l.Decommission(t.Context(), "web", ""); err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("archived", certs, false, false, false, true)
		of := func(i int, revoked *ca.Revocation) []Import {
			return imports(x.root, Import{Issued: ca.Issued{Certificate: certs[i]}, Revoked: revoked})
		}
		if done, err := x.l.Import(t.Context(), x.dir, of(0, nil)); err != nil || done.Recorded != 0 {
			t.Errorf("it is recorded again: %+v, %v", done, err)
		}
		for _, dir := range []string{"", t.TempDir()} {
			_, err := x.l.Import(t.Context(), dir, of(0, nil))
			if _, ok := errors.AsType[*SegmentError](err); !ok {
				t.Errorf("without its segment, in %q: %v", dir, err)
			}
		}
		x.want("imported", certs, false, false, false, true)
		// Revoked by now, it is recorded with that.
		done := mustImport(t, x.l, of(1, &ca.Revocation{At: noon, Reason: ca.KeyCompromise}))
		if done.Recorded != 1 || done.Revoked != 1 {
			t.Errorf("revoked: %+v", done)
		}
		x.want("revoked", certs, false, true, false, true)
		if held := found(t, x.l, Filter{Newest: true, Kind: Leaf}); len(held) != 0 {
			t.Errorf("%v are held", held)
		}
		x.verified()
	})
}

// One that has expired does not take a name back that was taken from its host.
func TestImport_late(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		add(t, x.l, ca.Issued{Certificate: x.root.leaf("web", valid(-4*time.Hour, -time.Hour))})
		if _, err := x.l.Decommission(t.Context(), "web", ""); err != nil {
			t.Fatal(err)
		}
		earlier := x.root.leaf("web", valid(-5*time.Hour, -2*time.Hour))
		if done := mustImport(t, x.l, imports(x.root, Import{Issued: ca.Issued{Certificate: earlier}})); done.Recorded != 1 {
			t.Errorf("%+v", done)
		}
		if held := found(t, x.l, Filter{Newest: true, Kind: Leaf}); len(held) != 0 {
			t.Errorf("%v are held", held)
		}
		x.verified()
	})
}

// What is archived between the search of the segments and the transaction is known as well.
func TestImport_archivedMeanwhile(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, time.Hour)
		var records []*importRecord
		for _, one := range imports(x.root, Import{Issued: ca.Issued{Certificate: certs[0]}}, Import{Issued: ca.Issued{Certificate: certs[2]}}) {
			r, err := newRecord(one.Issued)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, &importRecord{record: r})
		}
		archived, err := x.l.findArchived(t.Context(), x.dir, records)
		if err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		var done Imported
		if err := x.l.importSome(t.Context(), records, archived, &done); err != nil || done.Recorded != 0 {
			t.Errorf("%+v, %v", done, err)
		}
		x.verified()
	})
}
