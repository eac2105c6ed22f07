package issuance

import (
	"database/sql"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// events describes what is to be reported, as "kind name".
func (x *testCA) events() (names []string, left []Event) {
	x.t.Helper()
	all, err := x.Events(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	left, err = x.Unreported(x.t.Context(), all)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, e := range left {
		names = append(names, e.Kind+" "+e.Name)
	}
	return names, left
}

// TestEvents: each event comes until it was reported, and then not again.
func TestEvents(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	expect := func(what string, want ...string) []Event {
		t.Helper()
		names, all := x.events()
		current, err := x.Events(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q", what, names, want)
		}
		if again, _ := x.events(); !slices.Equal(again, names) {
			t.Errorf("%s: not reported, and forgotten: %q", what, again)
		}
		if err := x.Reported(t.Context(), all, current); err != nil {
			t.Fatal(err)
		}
		if again, _ := x.events(); len(again) != 0 {
			t.Errorf("%s: reported, and again: %q", what, again)
		}
		return all
	}
	expect("a new CA")
	first := x.leaf("web-01", 24*time.Hour)
	x.leaf("web-02", 48*time.Hour)
	x.publish(RootName) // for an hour
	expect("two hosts and a list")
	issuer, err := x.Issuer(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, _ = issuer.Renew(t.Context(), Renewal{Old: x.inLedger(first), Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: newKey(t).Public()},
			Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal, Address: netip.MustParseAddr("198.51.100.7"), KeyPlace: ca.KeyInFile}})
	}
	all := expect("a copy", "clone web-01")
	if e := all[0]; e.Address != "198.51.100.7" || len(e.Key) != 64 || len(e.NewestKey) != 64 || e.Key == e.NewestKey || e.Serial == "" || !e.At.Equal(x.now) || !strings.Contains(e.Text, `"web-01"`) {
		t.Errorf("%+v", e)
	}
	x.now = x.now.Add(46 * time.Minute)
	expect("a list in its last quarter", "list ca")
	x.now = x.now.Add(22 * time.Hour)
	expect("a certificate in its last quarter", "overdue web-01")
	x.now = x.now.Add(30 * time.Hour)
	expect("another that has expired", "overdue web-02")
	x.publish(RootName)
	x.now = x.now.Add(time.Hour)
	expect("the next list", "list ca")
	x.revoke(ca.CessationOfOperation, "web-02")
	x.leaf("web-03", time.Hour)
	x.revoke(ca.CessationOfOperation, "web-03")
	x.now = x.now.Add(40 * 24 * time.Hour)
	expect("later")
	x.now = x.now.Add(3600 * 24 * time.Hour)
	expect("a CA that is about to end", "authority ca")
	x.verified()
}

// TestOverview: what a monitor reads at each look.
func TestOverview(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	x.leaf("web-02", 24*time.Hour)
	x.leaf("web-03", 100*time.Hour)
	list := x.publish(RootName)
	x.now = x.now.Add(20 * time.Hour)
	o, err := x.Overview(t.Context())
	if err != nil || len(o.Authorities) != 1 || o.Late != 1 || o.Expired != 1 || o.Clones != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	if a := o.Authorities[0]; a.Name != RootName || !a.ListEnd.Equal(list.NextUpdate) || a.ListBegin.IsZero() || !a.NotAfter.Equal(list.End) {
		t.Errorf("%+v", a)
	}
}

// TestEvents_certificateLost: a refused renewal about a certificate that the ledger does not have stops
// neither the status nor the other events.
func TestEvents_certificateLost(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	issuer, err := x.Issuer(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var newest *Issued
	for _, name := range []string{"web-01", "web-02"} {
		first := x.leaf(name, 24*time.Hour)
		for range 2 {
			issued, err := issuer.Renew(t.Context(), Renewal{Old: x.inLedger(first), Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: newKey(t).Public()},
				Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal, Address: netip.MustParseAddr("198.51.100.7"), KeyPlace: ca.KeyInFile}})
			if err == nil && name == "web-01" {
				newest = issued
			}
		}
	}
	lost := x.inLedger(newest.Certificate)
	db, err := sql.Open("sqlite", x.l.Where())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM certificates WHERE seq = ?", lost.Seq); err != nil {
		t.Fatal(err)
	}
	if needs := x.needs(); !strings.Contains(needs, "another key wanted to renew a certificate of web-02, ") {
		t.Errorf("status: %s", needs)
	}
	events, err := x.Events(t.Context())
	if err != nil || !slices.ContainsFunc(events, func(e Event) bool { return e.Kind == EventClone && e.Name == "web-02" }) {
		t.Errorf("%+v, %v", events, err)
	}
}
