package ledger

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger/segment"
)

// Certificate and SignText make an authority of the tests one that signs segments.
func (a *authority) Certificate() *x509.Certificate { return a.cert }

func (a *authority) SignText(text []byte) ([]byte, error) {
	sum := sha256.Sum256(text)
	return ecdsa.SignASN1(rand.Reader, a.key, sum[:])
}

// archiving is a ledger whose certificates expire, with the folder of its segments.
type archiving struct {
	t    *testing.T
	l    *Ledger
	root *authority
	dir  string
}

func newArchiving(t *testing.T, where string) *archiving {
	t.Helper()
	x := &archiving{t, create(t, where), newAuthority(t, "Archive CA", nil), t.TempDir()}
	register(t, x.l, x.root)
	return x
}

// renewed issues a certificate and renews it; all end before noon but the last, which ends at the time
// until. It returns them all.
func (x *archiving) renewed(name string, times int, until time.Duration) (all []*x509.Certificate) {
	x.t.Helper()
	for i := range times {
		end := time.Duration(i-times) * time.Hour
		if i == times-1 {
			end = until
		}
		next := ca.Issued{Certificate: x.root.leaf(name, valid(end-24*time.Hour, end)), Host: name, Why: "test"}
		if i > 0 {
			next.Replaces = fingerprint(all[i-1])
		}
		add(x.t, x.l, next)
		all = append(all, next.Certificate)
	}
	return all
}

// archive archives what expired before a time, counted from noon.
func (x *archiving) archive(before time.Duration) Archived {
	x.t.Helper()
	done, err := x.l.Archive(x.t.Context(), ArchiveOptions{Before: noon.Add(before), Dir: x.dir, Signer: x.root})
	if err != nil {
		x.t.Fatal(err)
	}
	return done
}

// has reports which certificates are in the database.
func (x *archiving) has(certs ...*x509.Certificate) (all []bool) {
	x.t.Helper()
	for _, c := range certs {
		_, err := x.l.Certificate(x.t.Context(), fingerprint(c))
		if _, missing := errors.AsType[*NotFoundError](err); err != nil && !missing {
			x.t.Fatal(err)
		}
		all = append(all, err == nil)
	}
	return all
}

func (x *archiving) want(what string, certs []*x509.Certificate, want ...bool) {
	x.t.Helper()
	if got := x.has(certs...); !slices.Equal(got, want) {
		x.t.Errorf("%s: the database has %v; want %v", what, got, want)
	}
}

// all returns every certificate of the database and of the segments, by number.
func (x *archiving) all() map[int64]Certificate {
	x.t.Helper()
	all := map[int64]Certificate{}
	take := func(c Certificate, err error) {
		if err != nil {
			x.t.Fatal(err)
		}
		if _, twice := all[c.Seq]; twice {
			x.t.Errorf("certificate %d is in two places", c.Seq)
		}
		all[c.Seq] = c
	}
	for c, err := range x.l.List(x.t.Context(), Filter{}) {
		take(c, err)
	}
	for c, err := range x.l.ListArchived(x.t.Context(), x.dir, Filter{}, func(e *SegmentError) { x.t.Error(e) }) {
		take(c, err)
	}
	return all
}

// verified checks that database and segments are the ledger as it was written.
func (x *archiving) verified() Report {
	x.t.Helper()
	r, err := x.l.Verify(x.t.Context(), VerifyOptions{Archive: x.dir})
	if err != nil || !r.OK() {
		x.t.Fatalf("%v, %+v", err, r)
	}
	return r
}

func TestArchive(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		for i := range 30 {
			x.renewed(fmt.Sprint("web-", i), 6, 24*time.Hour)
		}
		before, report := x.all(), x.verified()
		done := x.archive(0)
		if done.Records != 120 || len(done.Segments) != 1 {
			t.Errorf("%+v", done)
		}
		after := x.verified()
		if after.Entries != report.Entries+1 || after.Certificates != report.Certificates || after.Archived != 120 || after.Segments != 1 {
			t.Errorf("%+v\nwas %+v", after, report)
		}
		if all := x.all(); !reflect.DeepEqual(all, before) {
			t.Error("database and segments have not what the database had")
		}
		if again := x.archive(0); again.Records != 0 || len(again.Segments) != 0 {
			t.Errorf("again: %+v", again)
		}
		// Hosts go on to renew, and what they leave is archived in turn, with what was kept before.
		for i := range 30 {
			c := x.newest(fmt.Sprint("web-", i))
			add(t, x.l, ca.Issued{Certificate: x.root.leaf(c.CommonName), Replaces: c.Fingerprint})
		}
		before = x.all()
		if _, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root}); err != nil {
			t.Fatal(err)
		}
		x.verified()
		if all := x.all(); !reflect.DeepEqual(all, before) {
			t.Error("after the next: database and segments have not what the database had")
		}
		restored := x.restored()
		x.l = restored
		x.verified()
	})
}

// newest returns the newest certificate of a name.
func (x *archiving) newest(name string) Certificate {
	x.t.Helper()
	for c, err := range x.l.List(x.t.Context(), Filter{CommonName: name, Newest: true}) {
		if err != nil {
			x.t.Fatal(err)
		}
		return c
	}
	x.t.Fatalf("nothing has the name %s", name)
	return Certificate{}
}

// restored returns the ledger as it is restored from a backup.
func (x *archiving) restored() *Ledger {
	x.t.Helper()
	backup, to := filepath.Join(x.t.TempDir(), "backup.db"), filepath.Join(x.t.TempDir(), "restored.db")
	if err := x.l.Backup(x.t.Context(), backup); err != nil {
		x.t.Fatal(err)
	}
	if r, err := Restore(x.t.Context(), backup, to, x.dir, Options{Now: atNoon, AnyClock: true}); err != nil || !r.OK() {
		x.t.Fatalf("%+v, %v", r, err)
	}
	return create(x.t, to)
}

// Revoked certificates stay, also expired ones: their keys must not be certified again.
func TestArchive_revoked(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, 24*time.Hour)
		if err := x.l.Revoke(t.Context(), [][]byte{fingerprint(certs[1])}, Revocation{Reason: ca.KeyCompromise, At: noon}); err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("one is revoked", certs, false, true, true, true)
		r := x.root.sign(&x509.Certificate{Subject: certs[1].Subject, NotBefore: noon, NotAfter: noon.Add(time.Hour)}, x.root, newKey(t))
		r.PublicKey, r.RawSubjectPublicKeyInfo = certs[1].PublicKey, certs[1].RawSubjectPublicKeyInfo
		err := x.l.RecordIssued(t.Context(), ca.Issued{Certificate: r, Issuer: x.root.cert, At: noon})
		if _, ok := errors.AsType[*RevokedKeyError](err); !ok {
			t.Errorf("the compromised key again: %v", err)
		}
		x.verified()
	})
}

// The newest of a lineage stays: it holds the name, and a host that was away can renew it.
func TestArchive_newest(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("away", 3, -time.Hour)
		// A later certificate of the same subject, which is of no host's lineage any more.
		other := x.root.leaf("away", valid(-48*time.Hour, -30*time.Hour))
		add(t, x.l, ca.Issued{Certificate: other})
		seq := x.record(certs[2]).Seq
		err := x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
			return tx.send(ctx, some("UPDATE lineages SET newest = ?", seq)) // as if the other had lost the name
		})
		if err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("the newest of the lineage", certs, false, true, true)
	})
}

func (x *archiving) record(c *x509.Certificate) Certificate {
	x.t.Helper()
	found, err := x.l.Certificate(x.t.Context(), fingerprint(c))
	if err != nil {
		x.t.Fatal(err)
	}
	return found
}

// A held name stays held, and a name that was ever in use is known to have been.
func TestArchive_held(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		held, sold := x.renewed("held", 3, -time.Hour), x.renewed("sold", 3, -time.Hour)
		if _, err := x.l.Decommission(t.Context(), "sold", ""); err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("held", held, false, true, true)
		x.want("sold", sold, false, false, true)
		token := madeToken(t, x.l, 1, func(k *Token) { k.Names, k.Pattern, k.Uses = nil, "*", 9 })
		for _, name := range []string{"held", "sold"} {
			err := enroll(t, x.l, x.root, token, x.root.leaf(name))
			if _, ok := errors.AsType[*HeldError](err); !ok {
				t.Errorf("%s for another key: %v", name, err)
			}
		}
		x.verified()
	})
}

// The last certificate of a name stays, also if no lineage has it and it is not revoked.
func TestArchive_last(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("sold", 3, -time.Hour)
		err := x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
			return tx.send(ctx, some("DELETE FROM lineages WHERE common_name = 'sold'"))
		})
		if err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("sold", certs, false, false, true)
	})
}

// What was given for a token stays, so that the token can be revoked with the certificates that followed.
func TestArchive_token(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		token := madeToken(t, x.l, 1)
		certs := []*x509.Certificate{x.root.leaf("web", valid(-72*time.Hour, -48*time.Hour))}
		if err := enroll(t, x.l, x.root, token, certs[0]); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			next := x.root.leaf("web", valid(-71*time.Hour, time.Duration(i-2)*time.Hour+time.Minute))
			add(t, x.l, ca.Issued{Certificate: next, Replaces: fingerprint(certs[i])})
			certs = append(certs, next)
		}
		x.archive(0)
		x.want("given for a token", certs, true, false, true, true)
		revoked, err := x.l.RevokeToken(t.Context(), token.Token, true, "stolen")
		if err != nil || len(revoked) != 1 || revoked[0].Serial != x.record(certs[3]).Serial {
			t.Errorf("%+v, %v", revoked, err)
		}
		x.verified()
	})
}

// What the newest certificate has replaced stays: a host that did not get the answer has only that one, and
// asks again with the same key.
func TestArchive_answerLost(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 3, -time.Hour)
		key := newKey(t)
		next, err := renewBy(t, x.l, x.root, certs[2], key, ca.Enrollment{Grace: 48 * time.Hour}, noon)
		if err != nil {
			t.Fatal(err)
		}
		x.archive(0)
		x.want("the answer was lost", append(certs, next), false, false, true, true)
		_, err = renewBy(t, x.l, x.root, certs[2], key, ca.Enrollment{Grace: 48 * time.Hour}, noon)
		if kindOfError(err) != "answered" {
			t.Errorf("again: %v", err)
		}
		x.verified()
	})
}

// What a refused renewal names stays, and what was decided about it: the alarm lasts until it is resolved.
func TestArchive_cloned(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		c := newCopied(t, where)
		x := &archiving{t, c.l, c.root, t.TempDir()}
		certs := []*x509.Certificate{c.both, c.next, c.renewed(c.next)}
		c.want("another again", "clone", c.next, newKey(t))
		later := func() {
			for range 3 {
				c.c.set(c.c.get().Add(20 * time.Hour))
				certs = append(certs, c.renewed(certs[len(certs)-1]))
			}
			c.c.set(c.c.get().Add(20 * time.Hour))
			x.archive(c.c.get().Sub(noon))
			x.verified()
		}
		later()
		x.want("cloned", certs, true, true, true, false, true, true)
		if n := c.open(); n != 2 {
			t.Errorf("%d are open", n)
		}
		if r, err := c.resolve(certs[5]); err != nil || len(r.Revoked) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		later()
		x.want("resolved", certs, true, true, true, false, false, true, false, true, true)
		if n := c.open(); n != 0 {
			t.Errorf("%d are open when it is resolved", n)
		}
	})
}

// What has not expired stays, whatever was asked for; and so does what expired after that time.
func TestArchive_expired(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, 24*time.Hour)
		add(t, x.l, ca.Issued{Certificate: x.root.leaf("web"), Replaces: fingerprint(certs[3])})
		x.archive(-3*time.Hour + time.Second)
		x.want("those before", certs, false, false, true, true)
		x.archive(48 * time.Hour)
		x.want("in the future", certs, false, false, false, true)
		x.verified()
	})
}

// Certificates of a CA stay.
func TestArchive_authority(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	certs := x.renewed("web", 3, time.Hour) // the last and the one before it stay anyway
	err := x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
		return tx.send(ctx, some("UPDATE certificates SET kind = 'intermediate' WHERE fingerprint = ?", fingerprint(certs[0])))
	})
	if err != nil {
		t.Fatal(err)
	}
	x.archive(0)
	x.want("one of a CA", certs, true, true, true)
}

// sealed writes a segment with all that may leave, and does nothing else.
func (x *archiving) sealed() (*archiver, *segment.Sealed) {
	x.t.Helper()
	a := &archiver{Ledger: x.l, o: ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root}}
	var done Archived
	if err := a.resume(x.t.Context(), &done); err != nil {
		x.t.Fatal(err)
	}
	path, err := a.write(x.t.Context())
	if err != nil || path == "" {
		x.t.Fatalf("%q, %v", path, err)
	}
	sealed, err := a.seal(x.t.Context(), path)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { sealed.Segment().Close() })
	return a, sealed
}

// Nothing is deleted because of a segment that the ledger has no entry about.
func TestArchive_recordedFirst(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, time.Hour)
		a, sealed := x.sealed()
		seqs := []int64{x.record(certs[0]).Seq, x.record(certs[1]).Seq}
		if r, err := a.removeBatch(t.Context(), sealed, seqs); r.gone != 0 || err == nil {
			t.Errorf("%d are gone, %v", r.gone, err)
		}
		x.want("not recorded", certs, true, true, true, true)
		if err := a.record(t.Context(), sealed); err != nil {
			t.Fatal(err)
		}
		if r, err := a.removeBatch(t.Context(), sealed, seqs); r.gone != 2 || err != nil {
			t.Errorf("%d are gone, %v", r.gone, err)
		}
		x.verified()
	})
}

// What changes between the writing of a segment and the deletion stays in the database.
func TestArchive_changedMeanwhile(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 5, time.Hour)
		a, sealed := x.sealed()
		if err := a.record(t.Context(), sealed); err != nil {
			t.Fatal(err)
		}
		if err := x.l.Revoke(t.Context(), [][]byte{fingerprint(certs[1])}, Revocation{Reason: ca.KeyCompromise, At: noon}); err != nil {
			t.Fatal(err)
		}
		var done Archived
		if err := a.remove(t.Context(), sealed, &done); err != nil || done.Records != 2 {
			t.Errorf("%+v, %v", done, err)
		}
		x.want("one was revoked", certs, false, true, false, true, true)
		x.verified()
		if len(x.all()) != 6 {
			t.Errorf("%d certificates", len(x.all()))
		}
	})
}

// What was changed since its segment was written stays, until a later segment has it as it is then.
func TestArchive_resolvedOrReleased(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		for name, change := range map[string]func(certs []*x509.Certificate) error{
			"resolved": func(certs []*x509.Certificate) error {
				body := resolveBody{Name: "resolved", Keep: fmt.Sprintf("%x", fingerprint(certs[3]))}
				return x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
					_, err := tx.append(ctx, kindResolve, body)
					return err
				})
			},
			"on hold, and released": func(certs []*x509.Certificate) error {
				held := [][]byte{fingerprint(certs[1])}
				return errors.Join(x.l.Revoke(t.Context(), held, Revocation{Reason: ca.CertificateHold, At: x.l.now()}), x.l.Release(t.Context(), held, ""))
			},
		} {
			certs := x.renewed(name, 4, time.Hour)
			a, sealed := x.sealed()
			if err := errors.Join(a.record(t.Context(), sealed), change(certs)); err != nil {
				t.Fatal(err)
			}
			var done Archived
			if err := a.remove(t.Context(), sealed, &done); err != nil || done.Records != 0 {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
			x.want(name, certs, true, true, true, true)
			x.verified()
			x.archive(0)
			x.want(name+", then", certs, false, false, true, true)
			x.verified()
		}
	})
}

// Of two archivers one is refused, and nothing is lost or twice in the ledger.
func TestArchive_two(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		for i := range 10 {
			x.renewed(fmt.Sprint("web-", i), 4, time.Hour)
		}
		before := x.all()
		a, first := x.sealed()
		b, second := x.sealed()
		if err := a.record(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		err := b.record(t.Context(), second)
		if _, ok := errors.AsType[*ArchivingError](err); !ok {
			t.Errorf("the second: %v", err)
		}
		// Another one, which goes on with the first segment, at the same time.
		errs := make(chan error, 2)
		go func() {
			var done Archived
			errs <- a.remove(t.Context(), first, &done)
		}()
		other := createWith(t, where, Options{BusyTimeout: time.Minute})
		go func() {
			_, err := other.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root})
			errs <- err
		}()
		if err := errors.Join(<-errs, <-errs); err != nil {
			t.Error(err)
		}
		x.verified()
		if all := x.all(); !reflect.DeepEqual(all, before) {
			t.Error("database and segments have not what the database had")
		}
		if left, _ := filepath.Glob(filepath.Join(x.dir, "*")); len(left) != 1 { // both have the same contents
			t.Errorf("%v", left)
		}
	})
}
