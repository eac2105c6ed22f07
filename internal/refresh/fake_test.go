package refresh

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// world is a host in a synctest bubble: its clock can be set, and its provider does what the
// test says.
type world struct {
	*Refresher
	t   *testing.T
	log syncBuffer

	mu     sync.Mutex
	offset time.Duration // of the clock
	calls  int
	most   int // maximum of concurrent calls
	now    int
	answer func(ctx context.Context, call int) (aws.Credentials, error)
}

// newWorld runs a Refresher for the length of the test.
func newWorld(t *testing.T, answer func(ctx context.Context, w *world, call int) (aws.Credentials, error)) *world {
	t.Helper()
	w := &world{t: t}
	w.answer = func(ctx context.Context, call int) (aws.Credentials, error) { return answer(ctx, w, call) }
	w.Refresher = New(aws.CredentialsProviderFunc(w.retrieve), Options{
		Now: w.clock, Jitter: func() float64 { return 0.5 },
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if w.most > 1 {
			t.Errorf("%d calls at a time", w.most)
		}
	})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Round(0).Add(w.offset)
}

// set sets the clock forward, or back.
func (w *world) set(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += by
}

func (w *world) retrieve(ctx context.Context) (aws.Credentials, error) {
	w.mu.Lock()
	w.calls++
	w.now++
	w.most = max(w.most, w.now)
	call := w.calls
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	return w.answer(ctx, call)
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// session returns valid credentials of the call.
func (w *world) session(call int, life time.Duration) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%d", call), SecretAccessKey: "secret", SessionToken: "token",
		CanExpire: true, Expires: w.clock().Add(life),
	}
}

// want reads, and fails the test unless that takes no time and returns the credentials of a call.
func (w *world) want(call int) {
	w.t.Helper()
	start := time.Now()
	c, err := w.Retrieve(w.t.Context())
	if err != nil || c.AccessKeyID != fmt.Sprintf("ASIA%d", call) {
		w.t.Errorf("got %q, %v, want the credentials of call %d", c.AccessKeyID, err, call)
	}
	if waited := time.Since(start); waited != 0 {
		w.t.Errorf("a reader waited %s", waited)
	}
}

// wantError reads, and fails the test unless that takes no time and returns an error with this
// text.
func (w *world) wantError(text string) {
	w.t.Helper()
	start := time.Now()
	c, err := w.Retrieve(w.t.Context())
	if err == nil || !strings.Contains(err.Error(), text) || c.HasKeys() {
		w.t.Errorf("got %q, %v, want the error %q", c.AccessKeyID, err, text)
	}
	if waited := time.Since(start); waited != 0 {
		w.t.Errorf("a reader waited %s", waited)
	}
}

// pass lets time pass, with everything that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// logged returns how many lines of the log have the text.
func (w *world) logged(text string) int {
	return strings.Count(w.log.String(), text)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// born is when every bubble begins.
func (w *world) born() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }
