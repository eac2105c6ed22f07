package issuance_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"kedge/ca/ledger"
)

// together lets the services do several things at the same moment. What comes of it must be what
// one after the other does, in some order.
func (w *world) together() {
	w.t.Helper()
	var all []*turn
	for range 2 + w.rng.IntN(2) {
		t := &turn{sv: pick(w, w.pair[:])}
		switch n := w.rng.IntN(10); {
		case n < 4:
			t.op = w.issue(t.sv)
		case n < 8:
			t.op = w.renew(t.sv)
		case n < 9:
			t.op = w.revokeSome(t.sv)
		default:
			t.op = w.release(t.sv)
		}
		all = append(all, t)
	}
	var group sync.WaitGroup
	for _, t := range all {
		group.Go(func() { t.err = t.op.run(w.t.Context()) })
	}
	group.Wait()
	var texts, why []string
	for _, t := range all {
		texts = append(texts, fmt.Sprintf("%s %s: %s -> %s", w.clock(t.sv).Format("02T15:04:05"), t.sv.name, t.op.text, kindOf(t.err)))
	}
	w.log = append(w.log, "at once: "+strings.Join(texts, "\n    "))
	before := w.ref
	for order := range orders(all) {
		w.ref = before.copy()
		fault := w.try(func() {
			for _, s := range order {
				w.replay(s)
			}
			w.compare(w.pair[0])
		})
		if fault == "" {
			for _, s := range order {
				if t := s.turn; t.op.done != nil && len(t.op.want) == 0 {
					t.op.done()
				}
			}
			return
		}
		why = append(why, fault)
	}
	w.ref = before
	w.fail("no order of what was done at once explains the ledger:\n  %s", strings.Join(why, "\n  "))
}

// turn is one of several operations, and what it ended in.
type turn struct {
	sv  *server
	op  *operation
	err error
}

// step is what a turn did in one transaction: all of it or, for a clone that was refused, the entry
// about that alone, which comes later.
type step struct {
	*turn
	entry bool
}

// orders are those in which the steps may have come.
func orders(all []*turn) iter.Seq[[]step] {
	var steps []step
	for _, t := range all {
		steps = append(steps, step{turn: t})
		if kindOf(t.err) == "clone" {
			steps = append(steps, step{t, true})
		}
	}
	return func(yield func([]step) bool) {
		for _, order := range permutations(len(steps)) {
			var sorted []step
			for _, n := range order {
				s := steps[n]
				if s.entry && !slices.Contains(sorted, step{turn: s.turn}) {
					break
				}
				sorted = append(sorted, s)
			}
			if len(sorted) == len(steps) && !yield(sorted) {
				return
			}
		}
	}
}

// replay does to the reference what a step did, if it was next.
func (w *world) replay(s step) {
	op := s.op
	if s.entry {
		if op.stages = nil; !w.ref.clones[op.refusal] {
			op.stages = []stage{{1, func(int64) { w.ref.clones[op.refusal] = true }}}
		}
	} else {
		op.predict()
		if !s.asPredicted() && op.instead != nil {
			op.instead()
		}
		if !s.asPredicted() {
			w.fail("%s: %s %s, want %q %s", op.text, op.outcome(s.err), cloneID(s.err), op.want, op.refusal)
		}
		if kindOf(s.err) == "clone" {
			return
		}
	}
	for _, one := range op.stages {
		first := w.ref.head + 1
		w.ref.head += one.entries
		w.ref.at = w.ref.now(w.clock(s.sv))
		one.apply(first)
	}
}

// asPredicted reports whether a turn ended in what its operation wants.
func (t *turn) asPredicted() bool {
	switch got := t.op.outcome(t.err); {
	case got == "clone":
		return slices.Contains(t.op.want, got) && cloneID(t.err) == t.op.refusal
	case got == "ok" && len(t.op.want) == 0, slices.Contains(t.op.want, got):
		return true
	default:
		return isRefusal(got) && slices.ContainsFunc(t.op.want, isRefusal) // for another reason
	}
}

// isRefusal reports whether a kind of error is the reason of a rule. The ledger looks for the reason
// once it has refused, and by then others may have made it another.
func isRefusal(kind string) bool {
	return slices.Contains([]string{"revoked", "revoked key", "ended", "revoked issuer", "retired", "validity"}, kind)
}

// cloneID names what the entry about a clone is about.
func cloneID(err error) string {
	c, ok := errors.AsType[*ledger.CloneError](err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d %d %x", c.Presented.Seq, c.Newest.Seq, c.Key)
}

// try reports why something fails that is one of several possibilities; empty: it does not.
func (w *world) try(possibility func()) (why string) {
	w.trying = true
	defer func() {
		w.trying = false
		switch r := recover().(type) {
		case nil:
		case mismatch:
			why = string(r)
		default:
			panic(r)
		}
	}()
	possibility()
	return ""
}

// permutations are all orders of 0 to n-1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for i := range n {
			order := append([]int{}, shorter[:i]...)
			all = append(all, append(append(order, n-1), shorter[i:]...))
		}
	}
	return all
}
