package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPublishedCRL: the last complete list is read as it was recorded, whatever was recorded without
// its bytes since.
func TestPublishedCRL(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, ctx := create(t, where), t.Context()
		root, other := newAuthority(t, "Test CA", nil), newAuthority(t, "Other CA", nil)
		register(t, l, root)
		register(t, l, other)
		record := func(a *authority, number, base int64, der string) error {
			sum := sha256.Sum256([]byte(der))
			return l.RecordCRL(ctx, CRL{Authority: a.cert, Number: number, Base: base, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 1, SHA256: sum[:], DER: []byte(der)})
		}
		for _, tt := range []struct {
			by           *authority
			number, base int64
			der          string
			want         string // the list of root
		}{
			{root, 1, 0, "one", "one"}, {root, 2, 0, "two", "two"}, {root, 3, 2, "a delta", "two"}, {other, 1, 0, "other", "two"}, {root, 4, 0, "", "two"}, {root, 5, 0, "five", "five"},
		} {
			if err := record(tt.by, tt.number, tt.base, tt.der); err != nil {
				t.Fatal(err)
			}
			if got, err := l.PublishedCRL(ctx, root.cert); err != nil || string(got) != tt.want {
				t.Errorf("after list %d: %q, %v", tt.number, got, err)
			}
		}
		if _, err := l.PublishedCRL(ctx, newAuthority(t, "Third CA", nil).cert); kindOfError(err) != "not found" {
			t.Errorf("of another CA: %v", err)
		}
		wrong := CRL{Authority: root.cert, Number: 6, ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 7), Size: 1, SHA256: make([]byte, 32), DER: []byte("six")}
		if err := l.RecordCRL(ctx, wrong); !strings.Contains(fmt.Sprint(err), "hash is wrong") {
			t.Errorf("with another hash: %v", err)
		}
		verified(t, l)
	})
}

// TestContacts: the later of two contacts stays, in whatever order servers write them.
func TestContacts(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, ctx := create(t, where), t.Context()
		fullOfHosts(t, l)
		seen := func() map[string]string {
			found := map[string]string{}
			for h, err := range l.Holders(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				if h.Contact != nil {
					found[h.CommonName] = h.Contact.At.Sub(noon).String() + " " + h.Contact.RenewAt.Sub(noon).String() + " " + h.Contact.Version
				}
			}
			return found
		}
		for _, one := range []struct {
			add  Contact
			want string
		}{
			{Contact{Name: "host-1", At: noon.Add(2 * time.Hour), RenewAt: noon.Add(3 * time.Hour), Version: "2"}, "2h0m0s 3h0m0s 2"},
			{Contact{Name: "host-1", At: noon.Add(time.Hour), Version: "older"}, "2h0m0s 3h0m0s 2"},
			{Contact{Name: "unknown", At: noon, RenewAt: noon}, "2h0m0s 3h0m0s 2"},
		} {
			if err := l.AddContacts(ctx, []Contact{one.add}); err != nil {
				t.Fatal(err)
			}
			if got := seen(); len(got) != 1 || got["host-1"] != one.want {
				t.Errorf("%v: %v", one.add, got)
			}
		}
		many := make([]Contact, page+7)
		for i := range many {
			many[i] = Contact{Name: fmt.Sprintf("many-%d", i), At: noon, RenewAt: noon}
		}
		head, _, err := l.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.AddContacts(ctx, many); err != nil {
			t.Fatal(err)
		}
		if after, _, err := l.Head(ctx); err != nil || after != head {
			t.Errorf("the chain grew from %d to %d, %v", head, after, err)
		}
		verified(t, l)
	})
}

// TestNotices: an event is known until it is forgotten.
func TestNotices(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, ctx := create(t, where), t.Context()
		var all []string
		for i := range page + 2 {
			all = append(all, fmt.Sprintf("event:%d", i))
		}
		var current []string
		reported := func(forget time.Time, add ...string) []string {
			t.Helper()
			if err := l.AddNotices(ctx, add, current, forget); err != nil {
				t.Fatal(err)
			}
			found, err := l.Noticed(ctx, all)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Sorted(maps.Keys(found))
		}
		if got := reported(time.Time{}, all[1], all[page+1]); !slices.Equal(got, []string{all[1], all[page+1]}) {
			t.Error(got)
		}
		if got := reported(time.Time{}, all[1], all[3]); len(got) != 3 {
			t.Error(got)
		}
		bySQL(t, where, "UPDATE notices SET at = 0")
		current = []string{all[3], all[4]}
		if got := reported(noon, all[2]); !slices.Equal(got, []string{all[2], all[3]}) {
			t.Error(got)
		}
		if found, err := l.Noticed(ctx, nil); err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
	})
}

// TestTryLock: one at a time has a lock, of several ledgers on one database too, and it is free
// again. The other locks are not in its way.
func TestTryLock(t *testing.T) {
	type locking func(*Ledger, context.Context) (func(), bool, error)
	engines(t, func(t *testing.T, where string) {
		l, ctx := create(t, where), t.Context()
		others := []*Ledger{l}
		if l.engine.remote {
			others = append(others, create(t, where))
		}
		locks := []locking{(*Ledger).TryLock, (*Ledger).TryPushLock, (*Ledger).TryAccountLock}
		for i, try := range locks {
			for range 3 {
				release, ok, err := try(l, ctx)
				if !ok || err != nil {
					t.Fatalf("%v, %v", ok, err)
				}
				for i, other := range others {
					if _, ok, err := try(other, ctx); ok || err != nil {
						t.Errorf("ledger %d has it, too: %v", i, err)
					}
				}
				for j, another := range locks {
					if j == i {
						continue
					}
					releaseAnother, ok, err := another(others[len(others)-1], ctx)
					if !ok || err != nil {
						t.Fatalf("lock %d with lock %d: %v, %v", j, i, ok, err)
					}
					releaseAnother()
				}
				release()
			}
			for i, other := range others {
				release, ok, err := try(other, ctx)
				if !ok || err != nil {
					t.Fatalf("ledger %d: %v, %v", i, ok, err)
				}
				release()
			}
		}
	})
}
