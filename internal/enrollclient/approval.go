package enrollclient

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

// Approval is what a host has in place of a token: the operator of the CA approves its request.
type Approval struct {
	Profile string        // empty: the default one of the CA
	Wait    time.Duration // for the operator; 0: ask once
	Report  func(Progress)

	pause func(ctx context.Context, d time.Duration) error // in tests
}

// Progress is what changed while a host waits for approval.
type Progress struct {
	Server string // host and port
	ID     string // of the request, in hexadecimal: the operator must see the same
	Err    error  // why the server does not answer at present; nil: it does, and the request waits
}

// WaitingError reports that the operator has not decided on a request in time. The next run goes on with
// the same key.
type WaitingError struct{ Name, Server, ID string }

func (e *WaitingError) Error() string {
	return fmt.Sprintf("%s waits for approval at %s, as request %s", e.Name, e.Server, e.ID)
}

// unapprovedError is the answer with status 202.
type unapprovedError struct{ enrollapi.Waiting }

func (*unapprovedError) Error() string { return "the request waits for approval" }

const (
	troublePause = 15 * time.Second // while the server cannot be reached
	leastPause   = time.Second
	mostPause    = 10 * time.Minute // what a server may ask for
)

// waiter is a host that waits for approval.
type waiter struct {
	*Approval
	server, id string
	known      bool      // the server has the request
	reported   string    // the last trouble; empty: none
	until      time.Time // by the wall clock
}

// await sends the request until the operator has decided on it, and checks the answer.
func (e *Enrolling) await(ctx context.Context, c *client, key Key) (*hostdir.Pair, error) {
	request, err := firstRequest(e.Name, key)
	if err != nil {
		return nil, err
	}
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, err
	}
	id := enrollapi.RequestID(csr, e.Approval.Profile)
	w := &waiter{Approval: e.Approval, server: c.name, id: hex.EncodeToString(id[:]), until: e.Now().Round(0).Add(e.Approval.Wait)}
	message := enrollapi.ApprovalRequest{Request: request, Profile: e.Approval.Profile, KeyPlace: e.Keys.Place, Version: e.Version}
	for {
		var answer enrollapi.Answer
		date, err := c.post(ctx, enrollapi.PathRequest, message, &answer)
		if err == nil {
			return e.accept(c, key, &answer, date)
		}
		pause, err := w.pauseAfter(err)
		if err != nil {
			return nil, err
		}
		pause += time.Duration(randomly() * float64(pause) / 10)
		if e.Now().Add(pause).After(w.until) {
			return nil, &WaitingError{Name: e.Name, Server: w.server, ID: w.id}
		}
		if err := w.sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// pauseAfter returns how long to wait after an answer that brings no certificate. The error is that
// answer if it is the last.
func (w *waiter) pauseAfter(err error) (time.Duration, error) {
	if waits, ok := errors.AsType[*unapprovedError](err); ok {
		if waits.ID != w.id {
			return 0, &AnswerError{Server: w.server, Problem: "it is about another request"}
		}
		if !w.known || w.reported != "" {
			w.report(nil)
		}
		w.known, w.reported = true, ""
		return min(max(seconds(waits.PollAfter), leastPause), mostPause), nil
	}
	pause := troublePause
	refusal, refused := errors.AsType[*enrollapi.Error](err)
	switch {
	case refused && refusal.Temporary():
		pause = min(max(seconds(int64(refusal.RetryAfter)), pause), mostPause)
	case !w.known || !errors.As(err, new(*UnreachableError)):
		return 0, err
	}
	if w.Wait == 0 {
		return 0, err
	}
	if w.reported != err.Error() {
		w.report(err)
	}
	w.reported = err.Error()
	return pause, nil
}

func (w *waiter) report(err error) {
	if w.Report != nil {
		w.Report(Progress{Server: w.server, ID: w.id, Err: err})
	}
}

func (w *waiter) sleep(ctx context.Context, d time.Duration) error {
	if w.pause != nil {
		return w.pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
