package refresh

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// in runs a test in a bubble with a world whose provider answers so.
func in(t *testing.T, answer func(ctx context.Context, w *world, call int) (aws.Credentials, error), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t, answer)) })
}

// hours answers at once with sessions of an hour, less a minute.
func hours(_ context.Context, w *world, call int) (aws.Credentials, error) {
	return w.session(call, 59*time.Minute), nil
}

func TestRefresher_renewsInTime(t *testing.T) {
	in(t, hours, func(w *world) {
		for range 1000 {
			c, err := w.Retrieve(w.t.Context())
			if left := c.Expires.Sub(w.clock()); err != nil || left <= 25*time.Minute {
				t.Fatalf("%s left, %v", left, err)
			}
			pass(time.Minute)
		}
		if n := w.count(); n != 1+1000*60/(1740-87) { // 29 minutes, less the jitter
			t.Errorf("%d calls", n)
		}
		s := w.Status()
		if !s.Valid || s.Err != nil || s.Renewals != uint64(w.count()) || s.Failures != 0 || !s.Next.Before(s.Expires) {
			t.Errorf("status: %+v", s)
		}
		if w.logged("\n") != 1 || w.logged("credentials renewed") != 1 {
			t.Errorf("the log of what is as expected:\n%s", &w.log)
		}
	})
}

func TestRefresher_waitsForTheFirst(t *testing.T) {
	slow := func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		time.Sleep(3 * time.Second)
		return w.session(call, time.Hour), nil
	}
	in(t, slow, func(w *world) {
		short, cancel := context.WithTimeoutCause(w.t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		if _, err := w.Retrieve(short); err == nil || err.Error() != "enough" {
			t.Errorf("a reader that waited enough: %v", err)
		}
		if c, err := w.Retrieve(w.t.Context()); err != nil || c.AccessKeyID != "ASIA1" {
			t.Errorf("a patient reader: %v", err)
		}
	})
}

// Fault: 20 parallel requests in the refresh window make 20 CreateSession calls.
func Test20ParallelRequestsMakeOneCall(t *testing.T) {
	slow := func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		time.Sleep(time.Second)
		return w.session(call, time.Hour), nil
	}
	in(t, slow, func(w *world) {
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if c, err := w.Retrieve(w.t.Context()); err != nil || c.AccessKeyID != "ASIA1" {
					t.Errorf("got %q, %v", c.AccessKeyID, err)
				}
			})
		}
		group.Wait()
		if n := w.count(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func Test20000ParallelReadsAcrossARefreshMakeOneCall(t *testing.T) {
	slow := func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		if call > 1 {
			time.Sleep(10 * time.Second)
		}
		return w.session(call, 59*time.Minute), nil
	}
	in(t, slow, func(w *world) {
		synctest.Wait()
		pass(time.Until(w.Status().Next) - 5*time.Second)
		var group sync.WaitGroup
		for i := range 20000 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond) // 5 s before to 5 s after the renewal
				c, err := w.Retrieve(w.t.Context())
				if err != nil || c.AccessKeyID != "ASIA1" && c.AccessKeyID != "ASIA2" {
					t.Errorf("got %q, %v", c.AccessKeyID, err)
				}
			})
		}
		group.Wait()
		if n := w.count(); n != 2 {
			t.Errorf("%d calls, of which one was the first", n)
		}
		w.want(2)
	})
}

func TestRefresher_Renew(t *testing.T) {
	fails := func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		if call == 2 {
			return aws.Credentials{}, errors.New("down")
		}
		return w.session(call, time.Hour), nil
	}
	in(t, fails, func(w *world) {
		synctest.Wait()
		for call := range 3 {
			if n := w.count(); n != call+1 {
				t.Errorf("%d calls, want %d", n, call+1)
			}
			w.Renew()
			synctest.Wait()
		}
		w.want(w.count())
	})
}

func TestRefresher_ends(t *testing.T) {
	hangs := func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		if call > 1 { // as a key in hardware can hang, deaf to ctx
			time.Sleep(30 * time.Minute)
		}
		return w.session(call, 59*time.Minute), nil
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.answer = func(ctx context.Context, call int) (aws.Credentials, error) { return hangs(ctx, w, call) }
		w.Refresher = New(aws.CredentialsProviderFunc(w.retrieve), Options{Now: w.clock})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		synctest.Wait()
		w.Renew()
		pass(10 * time.Minute)
		if err := w.Run(ctx); err == nil {
			t.Error("run twice")
		}
		start := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(start) != 0 {
			t.Errorf("it ended with %v after %s", err, time.Since(start))
		}
		w.want(1)
		pass(time.Hour)
		w.wantError("the credentials expired at ")

		never := New(aws.CredentialsProviderFunc(w.retrieve), Options{Now: w.clock})
		if err := never.Run(ctx); err != nil {
			t.Error(err)
		}
		if _, err := never.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "not renewed any more") {
			t.Errorf("after the end: %v", err)
		}
	})
}
