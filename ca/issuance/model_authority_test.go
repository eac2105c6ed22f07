package issuance_test

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
)

// intermediate makes an authority below another.
func (w *world) intermediate(sv *server) *operation {
	if w.authors >= 6 {
		return w.issue(sv)
	}
	w.authors++
	name := fmt.Sprintf("issuing-%d", w.authors)
	parent := pick(w, slices.Sorted(maps.Keys(w.ref.authorities)))
	keep := w.rng.IntN(3) == 0
	key := w.newKey(name)
	op := &operation{text: fmt.Sprintf("intermediate %s below %s, keep %v", name, parent, keep), want: w.ref.usable(parent, w.clock(sv))}
	if len(op.want) == 0 {
		cert := int64(0)
		state := w.ref.authorities[parent].state
		old, _, switched := w.ref.rotation()
		issuing := !keep && state == ledger.Active && !(switched && w.ref.rootOf(parent) == old)
		op.stages = []stage{{1, func(first int64) { cert = first; w.addCA(first) }}, {1, func(first int64) {
			w.ref.set(refAuthority{name: name, parent: parent, state: state, issuing: issuing, cert: cert}, first)
		}}}
	}
	op.run = func(ctx context.Context) error {
		path, err := sv.Path(ctx, parent)
		if err != nil {
			return err
		}
		above, err := sv.Authority(ctx, path)
		if err != nil {
			return err
		}
		config := modelConfig(name)
		config.Lifetime /= 2
		prepared, err := above.PrepareCA(key.Public(), config, w.clock(sv))
		if err != nil {
			return err
		}
		cert, _, err := sv.IssueCA(ctx, prepared)
		if err != nil {
			return err
		}
		_, err = sv.AddIntermediate(ctx, ledger.Authority{Name: name, Certificate: cert, Parent: parent}, keep)
		return err
	}
	return op
}

// renewAuthority renews the certificate of an authority, or plans to.
func (w *world) renewAuthority(sv *server) *operation {
	name := pick(w, slices.Sorted(maps.Keys(w.ref.authorities)))
	a := w.ref.authorities[name]
	op := &operation{text: "renew authority " + name}
	for _, b := range w.ref.path(name) {
		if w.ref.certs[b.cert].revoked {
			op.want = []string{"revoked issuer"}
		}
	}
	if a.parent == "" {
		op.want = append(op.want, w.ref.standing(name)...)
	} else {
		op.want = append(op.want, w.ref.usable(a.parent, w.clock(sv))...)
	}
	if rule := w.ref.keyRules(w.ref.certs[a.cert].key, false, w.ref.now(w.clock(sv))); rule != "" && len(op.want) == 0 {
		op.want = []string{rule}
	}
	if len(op.want) == 0 {
		op.stages = []stage{{2, func(first int64) {
			w.addCA(first)
			a.cert = first
			w.ref.set(a, first+1)
		}}}
	}
	plan := func(ctx context.Context) (func(context.Context) error, error) {
		p, err := sv.PlanAuthorityRenewal(ctx, name, ca.Renewal{})
		return func(ctx context.Context) error {
			_, err := sv.RenewAuthority(ctx, p)
			return err
		}, err
	}
	again := func() (why []string) { // of the plan, once the authorities have changed
		if w.ref.authorities[name].seq != a.seq {
			why = append(w.ref.standing(name), "changed")
		} else if a.parent == "" {
			why = w.ref.standing(name)
		} else {
			why = w.ref.recordable(a.parent, w.clock(sv))
		}
		if rule := w.ref.keyRules(w.ref.certs[a.cert].key, false, w.ref.now(w.clock(sv))); rule != "" {
			why = append(why, rule)
		}
		return why
	}
	return w.planned(sv, op, plan, again)
}

// plan is what a person has seen and not confirmed yet.
type plan struct {
	by      *server
	op      *operation
	refused func() []string // by now
}

// planned carries out a plan at once, or keeps it for later, when others have changed what it is
// about.
func (w *world) planned(sv *server, op *operation, prepare func(context.Context) (func(context.Context) error, error), refused func() []string) *operation {
	if w.rng.IntN(4) == 0 && len(op.want) == 0 && len(op.stages) != 0 {
		carryOut, err := prepare(w.t.Context())
		if err != nil {
			w.fail("plan: %s: %v", op.text, err)
		}
		op.run = carryOut
		w.plans = append(w.plans, &plan{sv, op, refused})
		return &operation{text: "plan: " + op.text, run: func(context.Context) error { return nil }}
	}
	op.run = func(ctx context.Context) error {
		carryOut, err := prepare(ctx)
		if err != nil {
			return err
		}
		return carryOut(ctx)
	}
	return op
}

// confirm carries out a plan from before.
func (w *world) confirm(sv *server) *operation {
	i := slices.IndexFunc(w.plans, func(p *plan) bool { return p.by == sv })
	if i < 0 {
		return w.issue(sv)
	}
	p := w.plans[i]
	w.plans = slices.Delete(w.plans, i, i+1)
	p.op.text += ", as planned before"
	if p.op.want = p.refused(); len(p.op.want) != 0 {
		p.op.stages = nil
	}
	return p.op
}

// start begins a rotation.
func (w *world) start(sv *server) *operation {
	_, next, switched := w.ref.rotation()
	op := &operation{text: "rotate start"}
	var key crypto.Signer
	name := ""
	switch {
	case switched:
		op.want = []string{"rotation"}
	case next == "":
		for n := 2; ; n++ {
			if name = fmt.Sprintf("ca-%d", n); w.ref.authorities[name].name == "" {
				break
			}
		}
		key = w.newKey(name)
		cert := int64(0)
		op.stages = []stage{{1, func(first int64) { cert = first; w.addCA(first) }}, {1, func(first int64) {
			w.ref.set(refAuthority{name: name, state: ledger.Next, cert: cert}, first)
		}}}
	}
	op.run = func(ctx context.Context) error {
		p, err := sv.PlanStart(ctx)
		if err != nil {
			return err
		}
		if p.Started != nil {
			if p.Started.Name != next {
				err = fmt.Errorf("the rotation to %s was begun, want %s", p.Started.Name, next)
			}
			return err
		}
		if p.Name != name {
			return fmt.Errorf("the new root is to be %s, want %s", p.Name, name)
		}
		config, err := p.Config(issuance.RootOptions{})
		if err != nil {
			return err
		}
		prepared, err := ca.PrepareRoot(key, config, w.clock(sv))
		if err != nil {
			return err
		}
		cert, _, err := sv.IssueCA(ctx, prepared)
		if err != nil {
			return err
		}
		_, err = sv.Start(ctx, p, cert)
		return err
	}
	return op
}

// ordered are the authorities of a root in the order in which a step of a rotation changes them:
// as they were last changed, the root last.
func (w *world) ordered(root string) (all []refAuthority) {
	for _, name := range w.ref.below(root) {
		all = append(all, w.ref.authorities[name])
	}
	slices.SortFunc(all, func(a, b refAuthority) int {
		if a.name == root || b.name == root {
			return map[bool]int{true: 1, false: -1}[a.name == root]
		}
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.name, b.name))
	})
	return all
}

// change is the stage that sets authorities together.
func (w *world) change(all []refAuthority) []stage {
	if len(all) == 0 {
		return nil
	}
	return []stage{{int64(len(all)), func(first int64) {
		for i, a := range all {
			w.ref.set(a, first+int64(i))
		}
	}}}
}

// unchanged returns a function that returns how a plan is refused by now.
func (w *world) unchanged(to string) func() []string {
	then := maps.Clone(w.ref.authorities)
	return func() []string {
		if !maps.Equal(then, w.ref.authorities) {
			return []string{"rotation"}
		}
		return w.ref.standing(to)
	}
}

// rotateSwitch lets an authority below the new root issue.
func (w *world) rotateSwitch(sv *server) *operation {
	_, next, switched := w.ref.rotation()
	op := &operation{text: "rotate switch"}
	var usable []refAuthority
	to, name := "", ""
	if next != "" {
		for _, a := range w.ordered(next) {
			if a.state != ledger.Retired {
				usable = append(usable, a)
			}
		}
		if w.rng.IntN(2) == 0 {
			name = pick(w, usable).name
			op.text += " to " + name
		}
	}
	switch {
	case next == "":
		op.want = []string{"rotation"}
	case name != "":
		to = name
	case switched:
		to = w.ref.issuing()
	case len(usable) <= 2:
		to = usable[0].name
	default:
		op.want = []string{"ambiguous"}
	}
	if to != "" {
		op.want = w.ref.standing(to)
	}
	if len(op.want) == 0 {
		var changes []refAuthority
		for _, a := range w.ordered(next) {
			switch {
			case a.name == to && (!a.issuing || a.state != ledger.Active):
				a.issuing, a.state = true, ledger.Active
			case a.name != to && a.state == ledger.Next:
				a.state = ledger.Active
			default:
				continue
			}
			changes = append(changes, a)
		}
		op.stages = w.change(changes)
	}
	return w.planned(sv, op, func(ctx context.Context) (func(context.Context) error, error) {
		p, err := sv.PlanSwitch(ctx, name)
		return func(ctx context.Context) error { return sv.Switch(ctx, p) }, err
	}, w.unchanged(to))
}

// finish retires the old root.
func (w *world) finish(sv *server) *operation {
	old, next, switched := w.ref.rotation()
	op := &operation{text: "rotate finish"}
	last := w.ref.lastRetired()
	switch {
	case next == "" && (last == 0 || numberOf(old) <= last), next != "" && !switched:
		op.want = []string{"rotation"}
	case next != "":
		op.stages = w.retire(old, next)
	}
	return w.planned(sv, op, func(ctx context.Context) (func(context.Context) error, error) {
		p, err := sv.PlanFinish(ctx)
		return func(ctx context.Context) error { return sv.Retire(ctx, p) }, err
	}, w.unchanged(""))
}

// abort retires the new root.
func (w *world) abort(sv *server) *operation {
	old, next, switched := w.ref.rotation()
	op := &operation{text: "rotate abort"}
	switch {
	case next == "" && numberOf(old) >= w.ref.lastRetired(), switched:
		op.want = []string{"rotation"}
	case next != "":
		op.stages = w.retire(next, old)
	}
	return w.planned(sv, op, func(ctx context.Context) (func(context.Context) error, error) {
		p, err := sv.PlanAbort(ctx)
		return func(ctx context.Context) error { return sv.Retire(ctx, p) }, err
	}, w.unchanged(""))
}

// reopenRotation takes the last finish back.
func (w *world) reopenRotation(sv *server) *operation {
	old, next, switched := w.ref.rotation()
	op := &operation{text: "rotate reopen"}
	root := w.ref.lastFinished(old)
	switch {
	case next != "" && !switched, next == "" && root == "":
		op.want = []string{"rotation"}
	case next == "" && w.clock(sv).After(w.ref.certs[w.ref.authorities[root].cert].notAfter):
		op.want = []string{"rotation"}
	case next == "":
		var changes []refAuthority
		for _, a := range w.ref.retiredWith(root) {
			a.state = ledger.Active
			changes = append(changes, a)
		}
		op.stages = w.change(changes)
	}
	return w.planned(sv, op, func(ctx context.Context) (func(context.Context) error, error) {
		p, err := sv.PlanReopen(ctx)
		return func(ctx context.Context) error { return sv.Reopen(ctx, p) }, err
	}, w.unchanged(""))
}

func (w *world) retire(root, stays string) []stage {
	var changes []refAuthority
	if a := w.ref.authorities[stays]; a.state != ledger.Active {
		a.state = ledger.Active
		changes = append(changes, a)
	}
	for _, a := range w.ordered(root) {
		if a.state != ledger.Retired {
			a.state, a.issuing = ledger.Retired, false
			changes = append(changes, a)
		}
	}
	return w.change(changes)
}

// backup keeps a copy of the ledger, and of the reference.
func (w *world) backup(sv *server) {
	path := filepath.Join(w.t.TempDir(), "backup.db")
	if err := sv.l.Backup(w.t.Context(), path); err != nil {
		w.fail("%v", err)
	}
	w.saved = &snapshot{path, w.ref.copy()}
	w.log = append(w.log, "backup")
}

// restore goes back to the backup, as after the loss of a disk: what has been published since is
// all that is known of the time in between.
func (w *world) restore() {
	if w.saved == nil {
		return
	}
	for _, sv := range w.pair {
		if err := sv.l.Close(); err != nil {
			w.fail("%v", err)
		}
	}
	w.where = w.place()
	now := func() time.Time { return w.now }
	if r, err := ledger.Restore(w.t.Context(), w.saved.path, w.where, w.segments, ledger.Options{Now: now, AnyClock: true}); err != nil || !r.OK() {
		w.fail("restore: %+v, %v", r, err)
	}
	w.ref = w.saved.ref.copy()
	w.ref.head++ // the entry of the restore
	w.plans, w.opened = nil, nil
	w.log = append(w.log, "restore")
	for _, sv := range w.pair {
		w.open(sv)
	}
	w.compare(w.pair[0])
	for _, name := range slices.Sorted(maps.Keys(w.lists)) {
		a, known := w.ref.authorities[name]
		if key := w.ref.certs[a.cert]; !known || w.ref.published[key.key] == nil {
			delete(w.lists, name) // of an authority that there never was
			continue
		}
		w.takeBack(pick(w, w.pair[:]), name)
	}
}

// takeBack compares the list of an authority with a ledger that was restored, and takes what that
// lacks into it, or drops it.
func (w *world) takeBack(sv *server, name string) {
	key := w.ref.certs[w.ref.authorities[name].cert].key
	take := w.rng.IntN(3) != 0
	op := &operation{text: fmt.Sprintf("take in the list of %s: %v", name, take)}
	now := w.ref.now(w.clock(sv))
	missing, number := w.ref.missing(key, now), w.ref.numbers[key]
	if len(missing) != 0 || !w.ref.lists[key][number] {
		op.stages = []stage{{1, func(int64) {
			w.ref.number(key, number, false)
			if take {
				w.take(key, missing)
			}
		}}}
	}
	der := w.lists[name]
	op.run = func(ctx context.Context) error {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(der)
		path, err := sv.Path(ctx, name)
		if err != nil {
			return err
		}
		foreign, err := ledger.ReadList(list, path[0].Certificate, sum[:])
		if err != nil {
			return err
		}
		found, err := sv.l.Missing(ctx, foreign, now)
		if err != nil {
			return err
		}
		if len(found.Revoked) != len(missing) {
			return fmt.Errorf("the ledger lacks %v, want %v", found.Revoked, missing)
		}
		if take {
			return sv.l.TakeList(ctx, foreign, "")
		}
		return sv.l.DropList(ctx, foreign, "")
	}
	for w.perform(sv, op); !w.ref.lists[key][number]; { // the answer was lost, and it is not done
		w.perform(sv, op)
	}
}

// take revokes what a list has.
func (w *world) take(key string, missing map[string]ca.Reason) {
	for serial, reason := range missing {
		if c := w.ref.bySerial(key, serial); c != nil {
			c.revoked, c.reason = true, reason
			continue
		}
		if w.ref.serials[key] == nil {
			w.ref.serials[key] = map[string]ca.Reason{}
		}
		w.ref.serials[key][serial] = reason
	}
}
