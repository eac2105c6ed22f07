package issuance

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// start begins a rotation to a new root.
func (x *testCA) start() ledger.Authority {
	x.t.Helper()
	plan, err := x.PlanStart(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	next, err := x.Start(x.t.Context(), plan, x.newRoot(plan))
	if err != nil {
		x.t.Fatal(err)
	}
	return next
}

func (x *testCA) newRoot(plan *StartPlan) *x509.Certificate {
	x.t.Helper()
	config, err := plan.Config(RootOptions{})
	if err != nil {
		x.t.Fatal(err)
	}
	prepared, err := ca.PrepareRoot(x.key(plan.Name), config, x.now)
	if err != nil {
		x.t.Fatal(err)
	}
	cert, _, err := x.IssueCA(x.t.Context(), prepared)
	if err != nil {
		x.t.Fatal(err)
	}
	return cert
}

func (x *testCA) switchTo(name string) {
	x.t.Helper()
	plan, err := x.PlanSwitch(x.t.Context(), name)
	if err == nil {
		err = x.Switch(x.t.Context(), plan)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *testCA) wantStates(step, want string) {
	x.t.Helper()
	states := map[string]string{}
	for one := range strings.SplitSeq(want, ", ") {
		name, state, _ := strings.Cut(one, " ")
		states[name] = state
	}
	if got := x.states(); !maps.Equal(got, states) {
		x.t.Errorf("%s: %v, want %s", step, got, want)
	}
}

// wantIdle wants a step to be refused, since the rotation is not there.
func wantIdle[T any](t *testing.T, step string, plan T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*RotationError](err); !ok {
		t.Errorf("%s: %+v, %v", step, plan, err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	for i := range 7 {
		x.leaf(fmt.Sprintf("web-%02d", i), 20*time.Hour)
	}
	finish, err := x.PlanFinish(t.Context())
	wantIdle(t, "finish without a rotation", finish, err)
	abort, err := x.PlanAbort(t.Context())
	wantIdle(t, "abort without a rotation", abort, err)
	to, err := x.PlanSwitch(t.Context(), "")
	wantIdle(t, "switch without a rotation", to, err)

	if next := x.start(); next.Name != "ca-2" || next.Certificate.Subject.CommonName != "kedge CA 2" {
		t.Errorf("new root: %+v", next)
	}
	x.wantStates("started", "ca active issuing, ca-2 next")
	if plan, err := x.PlanStart(t.Context()); err != nil || plan.Started == nil || plan.Started.Name != "ca-2" {
		t.Errorf("started again: %+v, %v", plan, err)
	}
	finish, err = x.PlanFinish(t.Context())
	wantIdle(t, "finish before the switch", finish, err)

	x.switchTo("")
	x.wantStates("switched", "ca active, ca-2 active issuing")
	abort, err = x.PlanAbort(t.Context())
	wantIdle(t, "abort after the switch", abort, err)
	start, err := x.PlanStart(t.Context())
	wantIdle(t, "start before the finish", start, err)
	x.now = x.now.Add(time.Hour)
	x.leaf("web-00", 20*time.Hour)
	if finish, err = x.PlanFinish(t.Context()); err != nil || finish.Needed.Moved != 1 || finish.Needed.Remaining != 6 || finish.Needed.Names() != "web-01, web-02, web-03, web-04, web-05 and 1 more" {
		t.Fatalf("%+v, %v", finish, err)
	}
	if err := x.Retire(t.Context(), finish); err != nil {
		t.Fatal(err)
	}
	x.wantStates("finished", "ca retired, ca-2 active issuing")
	if finish, err = x.PlanFinish(t.Context()); err != nil || !finish.Done {
		t.Errorf("finished again: %+v, %v", finish, err)
	}
	if next := x.start(); next.Name != "ca-3" || next.Certificate.Subject.CommonName != "kedge CA 3" {
		t.Errorf("the next rotation: %+v", next)
	}
	if abort, err = x.PlanAbort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.Retire(t.Context(), abort); err != nil {
		t.Fatal(err)
	}
	x.wantStates("aborted", "ca retired, ca-2 active issuing, ca-3 retired")
}

// TestRetire_interrupted: a switch ended after the entry that counts, and the finish after the
// first authority was retired. The root that stays is active all the same.
func TestRetire_interrupted(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.start()
	x.intermediate("issuing-2", "ca-2")
	set := func(name, state string, issuing bool) {
		t.Helper()
		a, _, err := x.Known(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		a.State, a.Issuing = state, issuing
		if err := x.setAuthorities(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	set("issuing-2", ledger.Active, true)
	x.wantStates("cut off", "ca active, issuing-1 active, ca-2 next, issuing-2 active issuing")
	set("issuing-1", ledger.Retired, false)
	plan, err := x.PlanFinish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Retire(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	x.wantStates("finished", "ca retired, issuing-1 retired, ca-2 active, issuing-2 active issuing")
}

func TestPlanSwitch(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.start()
	x.intermediate("issuing-1", "ca-2")
	if plan, err := x.PlanSwitch(t.Context(), ""); err != nil || plan.To.Name != "issuing-1" || plan.Again {
		t.Errorf("the only intermediate: %+v, %v", plan, err)
	}
	x.intermediate("issuing-2", "ca-2")
	_, err := x.PlanSwitch(t.Context(), "")
	if several, ok := errors.AsType[*AmbiguousError](err); !ok || len(several.Names) != 3 {
		t.Errorf("two intermediates: %v", err)
	}
	if _, err = x.PlanSwitch(t.Context(), RootName); !errors.As(err, new(*UnknownAuthorityError)) {
		t.Errorf("the old root: %v", err)
	}
	delete(x.keys, "issuing-2")
	if _, err = x.PlanSwitch(t.Context(), "issuing-2"); !errors.As(err, new(*NoKeyError)) {
		t.Errorf("a key elsewhere: %v", err)
	}
	x.revoke(ca.CACompromise, "issuing-1")
	if _, err = x.PlanSwitch(t.Context(), "issuing-1"); !errors.As(err, new(*RevokedAuthorityError)) {
		t.Errorf("revoked: %v", err)
	}
}

// TestWorkloads: a host moves with its newest valid certificate, name by name.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", 20*time.Hour)
	x.leaf("web-02", 20*time.Hour)
	x.start()
	x.switchTo("")
	x.now = x.now.Add(time.Hour)
	moved := x.now
	x.leaf("web-01", 20*time.Hour)
	x.now = x.now.Add(time.Hour)
	x.leaf("web-01", 20*time.Hour)
	r, err := x.Rotation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Workload{}
	for w, err := range x.Workloads(t.Context(), r, "ca-2") {
		if err != nil {
			t.Fatal(err)
		}
		all[w.Host] = w
	}
	if one, two := all["web-01"], all["web-02"]; len(all) != 2 || !one.Moved || one.Authority != "ca-2" || two.Moved || two.Authority != RootName {
		t.Errorf("%+v", all)
	}
	if at, err := x.MovedAt(t.Context(), r, "ca-2", all["web-01"]); err != nil || !at.Equal(moved) {
		t.Errorf("moved at %v, %v, want %v", at, err, moved)
	}
	if at, err := x.MovedAt(t.Context(), r, "ca-2", all["web-02"]); err != nil || !at.IsZero() {
		t.Errorf("not moved: %v, %v", at, err)
	}
}

func TestRecordRoot(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	root := x.open(RootName).Certificate()
	if err := x.RecordRoot(t.Context(), root, ""); !errors.As(err, new(*KnownRootError)) {
		t.Errorf("known: %v", err)
	}
	if err := x.RecordRoot(t.Context(), x.intermediate("issuing-1", RootName).Certificate, ""); !errors.As(err, new(*NotRootError)) {
		t.Errorf("an intermediate: %v", err)
	}
	other := newCA(t).open(RootName).Certificate()
	x.now = other.NotAfter.Add(time.Second)
	if err := x.RecordRoot(t.Context(), other, ""); !errors.As(err, new(*ca.ValidityError)) {
		t.Errorf("expired: %v", err)
	}
	x.now = other.NotBefore
	if err := x.RecordRoot(t.Context(), uselessRoot(t, x.now), ""); !errors.As(err, new(*ca.LintError)) {
		t.Errorf("hosts could not use what it issues: %v", err)
	}
	for range 2 { // the second time after it was interrupted
		if err := x.RecordRoot(t.Context(), other, ""); err != nil {
			t.Error(err)
		}
	}
}

// TestRotation_changed: a confirmed plan is refused when another process has changed the
// authorities since: an aborted rotation is not resumed, and a new root is not overwritten.
func TestRotation_changed(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	mine, err := x.PlanStart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := x.newRoot(mine)
	theirs := x.start()
	_, err = x.Start(t.Context(), mine, root)
	wantIdle(t, "another root", mine, err)
	if again, err := x.Start(t.Context(), mine, theirs.Certificate); err != nil || again.Name != theirs.Name {
		t.Errorf("the same root: %+v, %v", again, err)
	}
	to, err := x.PlanSwitch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	abort, err := x.PlanAbort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Retire(t.Context(), abort); err != nil {
		t.Fatal(err)
	}
	wantIdle(t, "switch after an abort", to, x.Switch(t.Context(), to))
	wantIdle(t, "abort after an abort", abort, x.Retire(t.Context(), abort))
	x.wantStates("aborted", "ca active issuing, ca-2 retired")
}

// uselessRoot is a root whose extended key usage rules its leaves out as clients.
func uselessRoot(t *testing.T, now time.Time) *x509.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "useless"}, NotBefore: now, NotAfter: now.Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// finish ends a rotation, even if hosts are left behind.
func (x *testCA) finish() {
	x.t.Helper()
	plan, err := x.PlanFinish(x.t.Context())
	if err == nil {
		err = x.Retire(x.t.Context(), plan)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func TestRotation_reopen(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	reopen, err := x.PlanReopen(t.Context())
	wantIdle(t, "reopen without a rotation", reopen, err)
	x.intermediate("issuing-1", "ca")
	x.intermediate("issuing-2", "ca")
	x.start()
	reopen, err = x.PlanReopen(t.Context())
	wantIdle(t, "reopen before the switch", reopen, err)
	abort, err := x.PlanAbort(t.Context()) // ca-2: not what a reopen is about
	if err == nil {
		err = x.Retire(t.Context(), abort)
	}
	if err != nil {
		t.Fatal(err)
	}
	reopen, err = x.PlanReopen(t.Context())
	wantIdle(t, "reopen after an abort", reopen, err)
	x.start()
	x.switchTo("")
	if reopen, err = x.PlanReopen(t.Context()); err != nil || !reopen.Done {
		t.Errorf("reopen of what is open: %+v, %v", reopen, err)
	}
	x.finish()
	x.wantStates("finished", "ca retired, issuing-1 retired, issuing-2 retired, ca-2 retired, ca-3 active issuing")

	if reopen, err = x.PlanReopen(t.Context()); err != nil || reopen.Root != "ca" || reopen.Stays != "ca-3" || len(reopen.Back) != 3 {
		t.Fatalf("%+v, %v", reopen, err)
	}
	late, err := x.PlanReopen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Reopen(t.Context(), reopen); err != nil {
		t.Fatal(err)
	}
	x.wantStates("reopened", "ca active, issuing-1 active, issuing-2 active, ca-2 retired, ca-3 active issuing")
	wantIdle(t, "a plan of before", late, x.Reopen(t.Context(), late))
	x.leafBy("issuing-1", "web-01", time.Hour)
	x.finish()
	x.wantStates("finished again", "ca retired, issuing-1 retired, issuing-2 retired, ca-2 retired, ca-3 active issuing")

	x.now = x.authority("ca").Certificate.NotAfter.Add(time.Second)
	reopen, err = x.PlanReopen(t.Context())
	wantIdle(t, "the old root has ended", reopen, err)
}

func (x *testCA) authority(name string) ledger.Authority {
	x.t.Helper()
	path, err := x.Path(x.t.Context(), name)
	if err != nil {
		x.t.Fatal(err)
	}
	return path[0]
}
