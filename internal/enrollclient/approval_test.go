package enrollclient

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// asking is a host that asks for approval, and never waits longer than a moment: pauses counts how often,
// and reports has what is reported.
type asking struct {
	Enrolling
	pauses  int
	reports []string
}

func asks(t testing.TB, s *enrolltest.Server, dir string) *asking {
	t.Helper()
	a := &asking{Enrolling: enrolling(t, s, dir)}
	a.Token = enrollapi.Token{URL: s.URL, CAKey: s.Pin}
	now := time.Now()
	a.Now = func() time.Time { return now }
	a.Approval = &Approval{
		Wait: time.Hour,
		Report: func(p Progress) {
			text := p.ID
			if p.Err != nil {
				text = p.Err.Error()
			}
			a.reports = append(a.reports, text)
		},
		pause: func(ctx context.Context, d time.Duration) error {
			a.pauses++
			now = now.Add(d)
			return ctx.Err()
		},
	}
	return a
}

func TestEnroll_approval(t *testing.T) {
	s := enrolltest.New(t)
	s.Approve = 4
	dir := filepath.Join(t.TempDir(), "web-01")
	a := asks(t, s, dir)
	got, err := Enroll(t.Context(), a.Enrolling)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Pair.Record; r.Token != "" || r.Server != s.URL || r.SystemRoots || r.Name != "web-01" {
		t.Errorf("the record is %+v", r)
	}
	checkUsable(t, dir)
	if a.pauses != 3 || !slices.Equal(a.reports, s.Waiting) || s.Issued != 1 {
		t.Errorf("%d pauses, reported %q of %q, %d certificates", a.pauses, a.reports, s.Waiting, s.Issued)
	}
	if again, err := Enroll(t.Context(), a.Enrolling); err != nil || !again.Already || len(s.Asked) != 4 {
		t.Errorf("again: %+v, %v, %d requests", again, err, len(s.Asked))
	}
}

// Until the operator decides, each run goes on with the key, and so with the request, of the one before.
func TestEnroll_approvalResumed(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "web-01")
	a := asks(t, s, dir)
	for _, wait := range []time.Duration{0, time.Second / 2, 20 * time.Second} {
		a.Approval.Wait = wait
		_, err := Enroll(t.Context(), a.Enrolling)
		if waits, ok := errors.AsType[*WaitingError](err); !ok || waits.ID != s.Waiting[0] || waits.Name != "web-01" {
			t.Fatalf("waited %v: %v", wait, err)
		}
	}
	a.step = func(what string) error { // killed while it waits
		if what == "ask" {
			return context.Canceled
		}
		return nil
	}
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	a.step = nil
	if len(s.Waiting) != 1 {
		t.Errorf("%d requests", len(s.Waiting))
	}
	s.Decided[s.Waiting[0]] = true
	if got, err := Enroll(t.Context(), a.Enrolling); err != nil || !got.Resumed || s.Issued != 1 {
		t.Errorf("%+v, %v, %d certificates", got, err, s.Issued)
	}
}

// A denied request ends the wait; the next run asks with a new key, which is another request.
func TestEnroll_approvalDenied(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "web-01")
	a := asks(t, s, dir)
	a.Approval.Wait = 0
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.As(err, new(*WaitingError)) {
		t.Fatal(err)
	}
	s.Decided[s.Waiting[0]] = false
	_, err := Enroll(t.Context(), a.Enrolling)
	if refusal, ok := errors.AsType[*enrollapi.Error](err); !ok || refusal.Code != enrollapi.RequestDenied {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "enroll", "leaf.key")); err == nil {
		t.Error("the key of the denied request is still there")
	}
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.As(err, new(*WaitingError)) || len(s.Waiting) != 2 {
		t.Errorf("%v, %d requests", err, len(s.Waiting))
	}
}

// What goes wrong once the server has the request is waited out; before that, it ends the run.
func TestEnroll_approvalTrouble(t *testing.T) {
	busy := &enrollapi.Error{Code: enrollapi.Overloaded, Message: "too much to do", RetryAfter: 40}
	for _, tt := range []struct {
		what    string
		trouble func(s *enrolltest.Server, n int)
		ends    string // a part of the error; empty: it enrolls
		reports int    // besides the ID
	}{
		{what: "unreachable at first", trouble: func(s *enrolltest.Server, n int) { s.Lose = func(string) bool { return n == 1 } }, ends: "no answer from "},
		{what: "unreachable later", trouble: func(s *enrolltest.Server, n int) { s.Lose = func(string) bool { return n == 2 || n == 3 } }, reports: 2},
		{what: "busy at first", trouble: func(s *enrolltest.Server, n int) { s.Refuse = refusing(busy, n == 1) }, reports: 1},
		{what: "busy later", trouble: func(s *enrolltest.Server, n int) { s.Refuse = refusing(busy, n == 2 || n == 3) }, reports: 2},
		{what: "always busy", trouble: func(s *enrolltest.Server, _ int) { s.Refuse = refusing(busy, true) }, ends: "waits for approval", reports: 1},
		{what: "refused later", trouble: func(s *enrolltest.Server, n int) {
			s.Refuse = refusing(&enrollapi.Error{Code: enrollapi.Held, Message: "taken"}, n == 3)
		}, ends: "taken"},
	} {
		t.Run(strings.ReplaceAll(tt.what, " ", "-"), func(t *testing.T) {
			s := enrolltest.New(t)
			s.Approve = 6
			a := asks(t, s, filepath.Join(t.TempDir(), "web-01"))
			n := 0
			a.step = func(what string) error {
				if what == "ask" {
					n++
					s.Between(func() { tt.trouble(s, n) })
				}
				return nil
			}
			_, err := Enroll(t.Context(), a.Enrolling)
			if tt.ends == "" && err != nil || tt.ends != "" && (err == nil || !strings.Contains(err.Error(), tt.ends)) {
				t.Fatalf("%v", err)
			}
			known := 0
			if len(s.Waiting) > 0 {
				known = 1
			}
			if got := len(a.reports) - known; got != tt.reports && tt.ends == "" {
				t.Errorf("reported %q", a.reports)
			}
		})
	}
}

func refusing(e *enrollapi.Error, now bool) func(string) error {
	return func(string) error {
		if now {
			return e
		}
		return nil
	}
}

// A server cannot make a host show the operator another request than the one that it sent.
func TestEnroll_approvalOfAnother(t *testing.T) {
	s := enrolltest.New(t)
	a := asks(t, s, filepath.Join(t.TempDir(), "web-01"))
	other := asks(t, s, filepath.Join(t.TempDir(), "other"))
	other.Approval.Wait = 0
	if _, err := Enroll(t.Context(), other.Enrolling); !errors.As(err, new(*WaitingError)) {
		t.Fatal(err)
	}
	id := s.Waiting[0]
	s.Swap = func(w *enrollapi.Waiting) { w.ID = id }
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.As(err, new(*AnswerError)) || len(a.reports) != 0 {
		t.Errorf("%v, reported %q", err, a.reports)
	}
}

// The CA that answers is the one whose key was named, or nothing is sent.
func TestEnroll_approvalPin(t *testing.T) {
	s := enrolltest.New(t)
	a := asks(t, s, filepath.Join(t.TempDir(), "web-01"))
	a.Token.CAKey[0] ^= 1
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.As(err, new(*UntrustedError)) || len(s.Asked) != 0 {
		t.Errorf("%v, asked %q", err, s.Asked)
	}
	a.Name = ""
	if _, err := Enroll(t.Context(), a.Enrolling); !errors.As(err, new(*NameError)) {
		t.Errorf("without a name: %v", err)
	}
}
