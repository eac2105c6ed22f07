package localca

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/filelock"
	"kedge/internal/testenv"
)

// TestChangePlaces: of what several processes keep at the same time, as aws up and crl push, nothing is lost.
func TestChangePlaces(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	const each, arn = 6, "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/6b656467-6500-4000-8000-000000000002"
	var all sync.WaitGroup
	for n := range each {
		all.Go(func() {
			if err := c.ChangePlaces(t.Context(), func(known *cadir.Places) {
				known.SetAnchor(fmt.Sprint("up-", n), strings.Replace(arn, "crl", "trust-anchor", 1))
			}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if err := c.keepCRL(t.Context(), fmt.Sprint("push-", n), arn); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	known, err := c.Places()
	if err != nil || len(known.All) != 1 || len(known.All[0].TrustAnchors) != each || len(known.All[0].CRLs) != each {
		t.Errorf("%v: %+v", err, known)
	}
}

// TestLockAccount: one operator at a time changes the account, also of two with a folder each and one database.
func TestLockAccount(t *testing.T) {
	t.Parallel()
	x, y := newTestCA(t), newTestCA(t)
	settings := []byte("ledger: " + testenv.Postgres(t) + "\n")
	for _, one := range []*testCA{x, y} {
		if err := os.WriteFile(one.path(cadir.SettingsName), settings, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x.found()
	y.copyFrom(x, "ca.pem", "ca.pem")
	first, sameFolder, otherFolder := x.open(), x.open(), y.open()
	unlock, err := first.LockAccount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]*CA{"the same folder": sameFolder, "another folder": otherFolder} {
		if again, err := c.LockAccount(t.Context()); !is[*filelock.HeldError](err) {
			t.Errorf("%s: %v", what, err)
			if err == nil {
				again()
			}
		}
	}
	unlock()
	for what, c := range map[string]*CA{"the same folder": sameFolder, "another folder": otherFolder} {
		again, err := c.LockAccount(t.Context())
		if err != nil {
			t.Fatalf("%s, afterwards: %v", what, err)
		}
		again()
	}
}
