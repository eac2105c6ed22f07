package issuance

import (
	"slices"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

func TestStatus_leaves(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("gone", time.Hour)
	x.leaf("renewed", time.Hour)
	x.leaf("day", 24*time.Hour)
	x.leaf("week", 100*time.Hour)
	want := func(step string, expired, expiring int64, needs ...string) {
		t.Helper()
		if s := x.status(); s.Leaves != (LeavesStatus{expired, expiring}) || !slices.Equal(s.Needs, needs) {
			t.Errorf("%s: %+v, %q", step, s.Leaves, s.Needs)
		}
	}
	want("at first", 0, 0)
	x.now = x.now.Add(50 * time.Minute)
	x.leaf("renewed", 20*time.Hour)
	const advice = ": kedge-ca renew NAME, or kedge-ca revoke NAME for what is out of use"
	want("nearly expired", 0, 1, "1 leaf is nearly expired without a successor (gone)"+advice)
	x.now = x.now.Add(16 * time.Hour)
	want("expired", 1, 1, "1 leaf has expired without a successor (gone)"+advice, "1 leaf is nearly expired without a successor (renewed)"+advice)
	x.now = x.now.Add(3 * time.Hour)
	want("both", 1, 2, "1 leaf has expired without a successor (gone)"+advice, "2 leaves are nearly expired without a successor (renewed, day)"+advice)
	x.revoke(ca.Superseded, "day")
	x.publish("ca")
	want("revoked", 1, 1, "1 leaf has expired without a successor (gone)"+advice, "1 leaf is nearly expired without a successor (renewed)"+advice)

	x.now = x.now.Add(40 * 24 * time.Hour)
	if s := x.status(); s.Leaves != (LeavesStatus{}) {
		t.Errorf("forgotten: %+v", s.Leaves)
	}
}

func TestExpiry_State(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		e    Expiry
		life time.Duration
		at   time.Duration
		want string
	}{
		{Expiry{}, 24 * time.Hour, 18 * time.Hour, ""},
		{Expiry{}, 24 * time.Hour, 18*time.Hour + time.Second, Expiring},
		{Expiry{}, 24 * time.Hour, 24 * time.Hour, Expiring},
		{Expiry{}, 24 * time.Hour, 24*time.Hour + time.Second, ledger.Expired},
		{Expiry{}, 90000 * time.Hour, 60000 * time.Hour, ""},
		{Expiry{}, 90000 * time.Hour, 70000 * time.Hour, Expiring},
		{Expiry{Before: time.Hour}, 24 * time.Hour, 22 * time.Hour, ""},
		{Expiry{Before: time.Hour}, 24 * time.Hour, 23*time.Hour + time.Second, Expiring},
	} {
		if got := tt.e.State(start, start.Add(tt.life), start.Add(tt.at)); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
