package ledger

import (
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
)

// step is a request for a certificate of the name "web", in a table of them.
type step struct {
	what     string
	key      int // which key asks
	replaces int // which of the certificates that were issued, from 1; 0: none
	want     string
}

// walk makes the requests one after another, and returns what was issued.
func walk(t *testing.T, l *Ledger, root *authority, keys []*ecdsa.PrivateKey, issued []*x509.Certificate, steps ...step) []*x509.Certificate {
	t.Helper()
	for _, s := range steps {
		cert := root.leafOf("web", keys[s.key])
		i := ca.Issued{Certificate: cert}
		if s.replaces != 0 {
			i.Replaces = fingerprint(issued[s.replaces-1])
		}
		_, err := attempt(t, l, root, i)
		if got := kindOfError(err); got != s.want {
			t.Errorf("%s: %v; want %s", s.what, err, s.want)
		}
		if err == nil {
			issued = append(issued, cert)
		}
	}
	return issued
}

// A certificate replaces the newest of its lineage. An earlier one is answered for the newest's key,
// and is a clone for any other.
func TestRecord_lineage(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, keys := newAuthority(t, "root", nil), []*ecdsa.PrivateKey{newKey(t), newKey(t), newKey(t)}
		register(t, l, root)
		issued := walk(t, l, root, keys, nil,
			step{"issue", 0, 0, "<nil>"},
			step{"renew the newest", 0, 1, "<nil>"},
			step{"the reply was lost", 0, 1, "answered"},
			step{"rekey the newest", 1, 2, "<nil>"},
			step{"rekey, the reply was lost", 1, 2, "answered"},
			step{"one of before with its own key", 0, 1, "clone"},
			step{"one of before with a third key", 2, 2, "clone"},
			step{"one of before with the newest's key", 1, 1, "answered"},
			step{"the newest", 1, 3, "<nil>"},
			step{"of another key, joins nothing", 2, 0, "<nil>"},
			step{"the lineage of before has ended", 1, 4, "ended"},
			step{"and those of before", 0, 1, "ended"},
			step{"the new one goes on", 2, 5, "<nil>"},
			step{"issue to the same key joins", 2, 0, "<nil>"},
			step{"so the one before is answered", 2, 6, "answered"},
			step{"the newest again", 2, 7, "<nil>"},
		)
		var lineages []int64
		for _, cert := range issued {
			c, err := l.Certificate(t.Context(), fingerprint(cert))
			if err != nil {
				t.Fatal(err)
			}
			lineages = append(lineages, c.Lineage)
		}
		first, second := lineages[0], lineages[len(lineages)-1]
		if want := []int64{first, first, first, first, second, second, second, second}; !slices.Equal(lineages, want) || first == second {
			t.Errorf("lineages %v", lineages)
		}
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("db"), Replaces: fingerprint(issued[7])}); err == nil {
			t.Error("it was renewed for another name")
		}
		if _, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("web"), Replaces: make([]byte, hashSize)}); kindOfError(err) != "not found" {
			t.Errorf("of an unknown one: %v", err)
		}
		verified(t, l)
	})
}

// A clone is an entry, once for each that was presented, newest and key.
func TestRecord_cloneNoted(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, keys := newAuthority(t, "root", nil), []*ecdsa.PrivateKey{newKey(t), newKey(t), newKey(t)}
		register(t, l, root)
		issued := walk(t, l, root, keys, nil, step{"issue", 0, 0, "<nil>"}, step{"rekey", 1, 1, "<nil>"})
		clone := step{"clone", 0, 1, "clone"}
		other := step{"another key", 2, 1, "clone"}
		walk(t, l, root, keys, issued, clone, clone, other, clone, other)
		if got := clones(t, l); len(got) != 2 {
			t.Errorf("%d entries: %v", len(got), got)
		}
		issued = walk(t, l, root, keys, issued, step{"the newest goes on", 1, 2, "<nil>"})
		walk(t, l, root, keys, issued, clone)
		got := clones(t, l)
		if len(got) != 3 || !strings.Contains(got[2], fmt.Sprintf("%x", fingerprint(issued[2]))) {
			t.Errorf("after another newest: %v", got)
		}
		verified(t, l)
	})
}

// A clone that cannot be recorded is another error: the host asks again, and the alarm is not lost.
func TestRecord_cloneUnrecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := create(t, path)
	root, keys := newAuthority(t, "root", nil), []*ecdsa.PrivateKey{newKey(t), newKey(t), newKey(t)}
	register(t, l, root)
	issued := walk(t, l, root, keys, nil, step{"issue", 0, 0, "<nil>"}, step{"rekey", 1, 1, "<nil>"})
	old, err := l.Certificate(t.Context(), fingerprint(issued[0]))
	if err != nil {
		t.Fatal(err)
	}
	short, unlock := openLocked(t, l, path)
	hash := ca.KeyHash(root.leafOf("web", keys[2]))
	if err := short.CheckRenewal(t.Context(), old, hash[:], &ca.Enrollment{Proof: ca.ProofRenewal}); !isError[*BusyError](err) || isError[*CloneError](err) {
		t.Errorf("%v", err)
	}
	unlock()
	if err := short.CheckRenewal(t.Context(), old, hash[:], &ca.Enrollment{Proof: ca.ProofRenewal}); !isError[*CloneError](err) || len(clones(t, l)) != 1 {
		t.Errorf("%v", err)
	}
}

// Whoever has the key of an old certificate, and asks with a new key each time, does not make the
// ledger grow without end.
func TestRecord_clonesBounded(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, keys := newAuthority(t, "root", nil), []*ecdsa.PrivateKey{newKey(t), newKey(t)}
		register(t, l, root)
		issued := walk(t, l, root, keys, nil, step{"issue", 0, 0, "<nil>"}, step{"rekey", 1, 1, "<nil>"})
		for range maxClones + 3 {
			walk(t, l, root, []*ecdsa.PrivateKey{newKey(t)}, issued, step{"clone", 0, 1, "clone"})
		}
		if got := clones(t, l); len(got) != maxClones {
			t.Errorf("%d entries", len(got))
		}
		issued = walk(t, l, root, keys, issued, step{"the newest goes on", 1, 2, "<nil>"})
		walk(t, l, root, keys, issued, step{"clone of another newest", 0, 1, "clone"})
		if got := clones(t, l); len(got) != maxClones+1 {
			t.Errorf("%d entries with those of another newest", len(got))
		}
		verified(t, l)
	})
}

// clones are the entries of renewals that were refused.
func clones(t *testing.T, l *Ledger) (all []string) {
	t.Helper()
	for e, err := range l.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == kindClone {
			all = append(all, e.Body)
		}
	}
	return all
}

// Issuing a name to another key reports which certificates of before are valid.
func TestRecord_ended(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, key := newAuthority(t, "root", nil), newKey(t)
		register(t, l, root)
		first, second := root.leafOf("web", key), root.leafOf("web", key)
		gone, old := root.leafOf("web", key), root.leafOf("web", key, valid(-2*time.Hour, -time.Hour))
		var previous []byte
		for _, cert := range []*x509.Certificate{old, gone, first, second} {
			if _, err := attempt(t, l, root, ca.Issued{Certificate: cert, Replaces: previous}); err != nil {
				t.Fatal(err)
			}
			previous = fingerprint(cert)
		}
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(gone)}, Revocation{Reason: ca.Superseded, At: noon}); err != nil {
			t.Fatal(err)
		}
		receipt, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("web")})
		var ended []string
		for _, c := range receipt.Ended {
			ended = append(ended, string(c.Fingerprint))
		}
		if want := []string{string(fingerprint(second)), string(fingerprint(first))}; err != nil || !slices.Equal(ended, want) {
			t.Errorf("%d are named, %v", len(ended), err)
		}
		if receipt, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf("db")}); err != nil || len(receipt.Ended) != 0 {
			t.Errorf("another name: %+v, %v", receipt, err)
		}
		verified(t, l)
	})
}

// An expired newest is renewed; a revoked or held one is not, until it is released.
func TestRecord_newestRevoked(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "root", nil)
		register(t, l, root)
		renew := func(of *x509.Certificate) string {
			_, err := attempt(t, l, root, ca.Issued{Certificate: root.leaf(of.Subject.CommonName), Replaces: fingerprint(of)})
			return kindOfError(err)
		}
		expired, held, revoked := root.leaf("expired", valid(-2*time.Hour, -time.Hour)), root.leaf("held"), root.leaf("revoked", valid(-2*time.Hour, -time.Hour))
		for _, cert := range []*x509.Certificate{expired, held, revoked} {
			add(t, l, ca.Issued{Certificate: cert})
		}
		if got := renew(expired); got != "<nil>" {
			t.Errorf("an expired one: %s", got)
		}
		for cert, reason := range map[*x509.Certificate]ca.Reason{held: ca.CertificateHold, revoked: ca.Superseded} {
			if err := l.Revoke(t.Context(), [][]byte{fingerprint(cert)}, Revocation{Reason: reason, At: noon}); err != nil {
				t.Fatal(err)
			}
			if got := renew(cert); got != "revoked" {
				t.Errorf("%s: %s", reason, got)
			}
		}
		if err := l.Release(t.Context(), [][]byte{fingerprint(held)}, "found"); err != nil {
			t.Fatal(err)
		}
		if got := renew(held); got != "<nil>" {
			t.Errorf("one that was released: %s", got)
		}
		verified(t, l)
	})
}

// An earlier member that was not revoked does not renew a lineage whose newest was.
func TestRecord_earlierOfRevoked(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, keys := newAuthority(t, "root", nil), []*ecdsa.PrivateKey{newKey(t), newKey(t)}
		register(t, l, root)
		issued := walk(t, l, root, keys, nil, step{"issue", 0, 0, "<nil>"}, step{"rekey", 1, 1, "<nil>"})
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(issued[1])}, Revocation{Reason: ca.CessationOfOperation, At: noon}); err != nil {
			t.Fatal(err)
		}
		walk(t, l, root, keys, issued, step{"the earlier", 0, 1, "revoked"}, step{"the newest", 0, 2, "revoked"})
	})
}

// Two processes renew one certificate at once: one does.
func TestRecord_renewedAtOnce(t *testing.T) {
	for name, same := range map[string]bool{"one key": true, "different keys": false} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, where string) {
				ledgers := []*Ledger{create(t, where), create(t, where)}
				root, key := newAuthority(t, "root", nil), newKey(t)
				cert := root.leafOf("web", key)
				add(t, ledgers[0], ca.Issued{Certificate: cert})
				var group sync.WaitGroup
				results := make([]string, 20)
				for i := range results {
					next := root.leafOf("web", key)
					if !same {
						next = root.leaf("web")
					}
					group.Go(func() {
						_, err := attempt(t, ledgers[i%2], root, ca.Issued{Certificate: next, Replaces: fingerprint(cert)})
						results[i] = kindOfError(err)
					})
				}
				group.Wait()
				slices.Sort(results)
				loser := "answered"
				if !same {
					loser = "clone"
				}
				if want := append([]string{"<nil>"}, slices.Repeat([]string{loser}, 19)...); !slices.Equal(results, want) {
					t.Errorf("%v", results)
				}
				if !same && len(clones(t, ledgers[0])) != 19 {
					t.Errorf("%d clones are noted", len(clones(t, ledgers[0])))
				}
				verified(t, ledgers[1])
			})
		})
	}
}

// Certificates of one name in one transaction: each sees what the one before it did.
func TestRecord_equalNames(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "root", nil)
		register(t, l, root)
		for i, j := range together(t, l, root, nil) {
			if err := <-j.done; err != nil || len(j.receipt.Ended) != i {
				t.Errorf("%d: %d are ended, %v", i, len(j.receipt.Ended), err)
			}
		}
		cert := root.leaf("web")
		add(t, l, ca.Issued{Certificate: cert})
		for i, j := range together(t, l, root, fingerprint(cert)) {
			want := "clone"
			if i == 0 {
				want = "<nil>"
			}
			if err := <-j.done; kindOfError(err) != want {
				t.Errorf("renewal %d: %v; want %s", i, err, want)
			}
		}
		verified(t, l)
	})
}

// together records five certificates of one name and different keys in one batch.
func together(t *testing.T, l *Ledger, root *authority, replaces []byte) (jobs []*job) {
	t.Helper()
	for range 5 {
		r, err := newRecord(ca.Issued{Certificate: root.leaf("web"), Issuer: root.cert, At: noon, Replaces: replaces})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, &job{record: r, done: make(chan error, 1)})
	}
	l.writer.write(&batch{jobs: jobs})
	return jobs
}
