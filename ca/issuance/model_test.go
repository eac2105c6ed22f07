package issuance_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/testenv"
)

// Random sequences of all that a CA does, by two services on one ledger whose clocks differ, one
// after the other or at once, with answers that are lost and connections that break around the COMMIT, and now and then a restore
// from an older backup or an archive of what has expired. After each step the ledger is compared with a reference that has the
// rules in plain maps: what is valid, what may be renewed by whom, what is on the next lists.
//
// KEDGE_TEST_SEQUENCES is how many ("make model"), an eighth of them on PostgreSQL;
// KEDGE_TEST_SEED runs one sequence again, as a failure shows. What is given up after a time may
// end in another way then.
func TestModel(t *testing.T) {
	t.Parallel()
	sequences := map[string]int{"sqlite": 32 / testenv.Slowdown, "postgres": 4 / testenv.Slowdown}
	if n := testenv.Number(t, "KEDGE_TEST_SEQUENCES"); n != 0 {
		sequences = map[string]int{"sqlite": int(n - n/8), "postgres": int(n / 8)}
	}
	seed := testenv.Number(t, "KEDGE_TEST_SEED")
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			if seed != 0 {
				sequence(t, engine, seed)
				return
			}
			for range sequences[engine] {
				seed := rand.Uint64()
				t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
					t.Parallel()
					sequence(t, engine, seed)
				})
			}
		})
	}
}

// sequence is one life of a CA.
func sequence(t *testing.T, engine string, seed uint64) {
	w := newWorld(t, engine, seed)
	steps := 30 + w.rng.IntN(31)
	for range steps {
		w.step()
	}
	r, err := w.pair[0].l.Verify(t.Context(), ledger.VerifyOptions{Archive: w.segments})
	if err != nil || !r.OK() {
		w.fail("verify: %+v, %v", r, err)
	}
	w.close()
}

// step is one thing that happens.
func (w *world) step() {
	w.now = w.now.Add(w.pause())
	sv := pick(w, w.pair[:])
	switch n := w.rng.IntN(100); {
	case n < 3:
		w.backup(sv)
		return
	case n < 5:
		w.restore()
		return
	case n < 9:
		w.clone()
		return
	case n < 19:
		w.together()
		return
	case n < 23:
		w.archive(sv)
		return
	}
	weights := []struct {
		weight int
		choose func(*server) *operation
	}{
		{22, w.issue}, {23, w.renew}, {5, w.revokeName}, {9, w.revokeSome}, {5, w.release}, {10, w.list},
		{4, w.intermediate}, {4, w.renewAuthority}, {3, w.start}, {4, w.rotateSwitch}, {2, w.finish}, {1, w.abort}, {2, w.reopenRotation}, {3, w.takeIn}, {3, w.confirm},
	}
	n := w.rng.IntN(100)
	for _, one := range weights {
		if n -= one.weight; n < 0 {
			w.perform(sv, one.choose(sv))
			return
		}
	}
	panic(fmt.Sprint("the weights do not add up: ", n))
}

// pause is for how long nothing happens.
func (w *world) pause() time.Duration {
	longest := []time.Duration{time.Second, time.Minute, time.Hour, 6 * time.Hour}[w.rng.IntN(4)]
	return time.Duration(w.rng.Int64N(int64(longest))).Truncate(time.Millisecond)
}
