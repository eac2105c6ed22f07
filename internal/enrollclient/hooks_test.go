package enrollclient

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/hostdir"
)

// Commands run once for each certificate that came into use, the first included; those that fail run
// again, and those that succeeded do not. The certificate stays in use.
func TestRenew_hooks(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	var ran []string
	fails := ""
	run := func(hooks string, after time.Duration, change func(*Renewing)) (*Renewed, error) {
		t.Helper()
		ran = nil
		r := at(dir, after)
		r.Hooks = strings.Fields(hooks)
		r.RunHook = func(_ context.Context, line string, pair *hostdir.Pair) error {
			if current, err := hostdir.Current(dir); err != nil || current.Record.Serial != pair.Record.Serial {
				t.Errorf("%s runs for %s while the current one is %+v, %v", line, pair.Record.Serial, current, err)
			}
			ran = append(ran, line)
			if line == fails {
				return errors.New("it says no")
			}
			return nil
		}
		change(&r)
		return Renew(t.Context(), r)
	}
	as := func(*Renewing) {}
	stopAt := func(step string) func(*Renewing) {
		return func(r *Renewing) {
			r.step = func(what string) error {
				if what == step {
					return errStopped
				}
				return nil
			}
		}
	}
	day := 19 * time.Hour
	for _, test := range []struct {
		name, hooks, fails string
		after              time.Duration
		change             func(*Renewing)
		done               bool
		want, err          string
	}{
		{name: "for the first certificate", hooks: "a b", want: "a b"},
		{name: "once", hooks: "a b"},
		{name: "a new command", hooks: "a c b", want: "c"},
		{name: "no commands"},
		{name: "a renewal, and one fails", hooks: "a b c", fails: "b", after: day, done: true, want: "a b c", err: `failed: "b": it says no`},
		{name: "again what failed", hooks: "a b c", fails: "b", after: day, want: "b", err: `failed: "b": it says no`},
		{name: "until it does not", hooks: "a b c", after: day, want: "b"},
		{name: "nothing more", hooks: "a b c", after: day},
		{name: "killed after the switch", hooks: "a b", after: 2 * day, change: stopAt("mark"), err: errStopped.Error()},
		{name: "the next run", hooks: "a b", after: 2 * day, want: "a b"},
		{name: "a renewal by hand", after: 3 * day, done: true},
		{name: "and the timer after it", hooks: "a b", after: 3 * day, want: "a b"},
	} {
		fails = test.fails
		if test.change == nil {
			test.change = as
		}
		got, err := run(test.hooks, test.after, test.change)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if strings.Join(ran, " ") != test.want || !strings.HasSuffix(text, test.err) || test.err == "" && err != nil || test.done && (got == nil || !got.Done) {
			t.Errorf("%s: ran %q, %+v, %v", test.name, ran, got, err)
		}
		pair := checkUsable(t, dir)
		if current, err := hostdir.Current(dir); err != nil || !pair.Leaf().Equal(current.Leaf) || text == "" && !hostdir.Marked(dir, current.Record.Serial) {
			t.Errorf("%s: the mark is not of the current pair: %v", test.name, err)
		}
	}
}

// A failed renewal does not forget which commands ran, and a process that is to end leaves them owed.
func TestRenew_hooksKept(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	ran := 0
	ctx, cancel := context.WithCancel(t.Context())
	r := at(dir, 0)
	r.Hooks = []string{"a"}
	r.RunHook = func(context.Context, string, *hostdir.Pair) error {
		ran++
		cancel()
		return ctx.Err()
	}
	if _, err := Renew(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.RunHook = func(context.Context, string, *hostdir.Pair) error { ran++; return nil }
	if _, err := Renew(t.Context(), r); err != nil || ran != 2 {
		t.Errorf("ran %d times, %v", ran, err)
	}
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.Overloaded} }
	r.Now = func() time.Time { return time.Now().Add(19 * time.Hour) }
	if _, err := Renew(t.Context(), r); err == nil || ran != 2 {
		t.Errorf("ran %d times, %v", ran, err)
	}
	if state := hostdir.ReadState(dir); state.Hooks == nil || !slices.Equal(state.Hooks.Ran, r.Hooks) || state.Failures != 1 {
		t.Errorf("the state is %+v", state)
	}
}
