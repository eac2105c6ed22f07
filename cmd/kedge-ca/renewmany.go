package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
)

// renewing is the work on several certificates, in the order in which they were named.
type renewing struct {
	options *renewOptions
	store   *store
	named   int       // how many were named, one by one or by a pattern
	notDue  int       // that expire later than --within
	ready   []renewal // what can be renewed, as far as that is known before
	failed  []notDone
	done    []issued
	fatal   error // which would befall each of the others, too
}

// notDone is a certificate that is not renewed, and why.
type notDone struct {
	name string
	err  error
}

// errNotDue says that a certificate expires later than --within.
var errNotDue = errors.New("it is not due")

// errNotMeant says that what a pattern or --all found is the certificate of a CA.
var errNotMeant = errors.New("it is no leaf")

// plan reads all that is named, and opens no key.
func (o *renewOptions) plan(ctx context.Context, s *store) (*renewing, error) {
	targets, err := o.locate(ctx, s)
	if err != nil {
		return nil, err
	}
	w := &renewing{options: o, store: s, named: len(targets)}
	all, errs := make([]*renewal, len(targets)), make([]error, len(targets))
	inParallel(ctx, len(targets), o.workers, func(i int) bool {
		all[i], errs[i] = o.find(ctx, s, targets[i])
		return errs[i] == nil || !affectsAll(errs[i])
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, t := range targets {
		switch err := errs[i]; {
		case err != nil && affectsAll(err):
			return nil, err
		case errors.Is(err, errNotDue):
			w.notDue++
		case errors.Is(err, errNotMeant):
			w.named--
		case err != nil:
			w.failed = append(w.failed, notDone{t.text, err})
		default:
			w.ready = append(w.ready, *all[i])
		}
	}
	return w, nil
}

// find reads a target and checks whether it may be renewed, and is to be.
func (o *renewOptions) find(ctx context.Context, s *store, t target) (*renewal, error) {
	r, err := o.read(ctx, s, t)
	switch {
	case t.pattern && r.cert != nil && r.cert.IsCA:
		return nil, errNotMeant
	case err != nil:
		return nil, err
	case o.within > 0 && !r.cert.NotAfter.Before(o.inputs.Now().Add(time.Duration(o.within))):
		return nil, errNotDue
	}
	return r, r.check(s)
}

// run renews with several workers. The first of an error that befalls all ends it.
func (w *renewing) run(ctx context.Context) error {
	o := w.options
	if err := o.form.readPassword(o.host, "the PKCS#12 file"); err != nil {
		return err
	}
	i, err := o.renewer(ctx, w.store)
	if err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(bulkGCPercent))
	ctx, stop := untilSignal(ctx)
	defer stop()
	bar := cli.NewProgress(o.Err, o.inputs.Now, len(w.ready))
	results, errs := make([]*issued, len(w.ready)), make([]error, len(w.ready))
	inParallel(ctx, len(w.ready), o.workers, func(n int) bool {
		result, err := w.ready[n].carryOut(context.Background(), i) // to its end
		bar.Add(1)
		if results[n], errs[n] = &result, err; err != nil {
			results[n] = nil
		}
		return err == nil || !affectsAll(err)
	})
	bar.End()
	w.collect(results, errs)
	if ctx.Err() != nil && w.fatal == nil && len(w.done)+len(w.failed)+w.notDue < w.named {
		w.fatal = errInterrupted
	}
	return nil
}

func (w *renewing) collect(results []*issued, errs []error) {
	for n, r := range w.ready {
		err := errs[n]
		switch {
		case results[n] != nil:
			w.done = append(w.done, *results[n])
			continue
		case err == nil: // not begun
			continue
		}
		name := r.files.Certificate
		if err = fmt.Errorf("%s: %w", name, err); affectsAll(err) {
			if w.fatal == nil {
				w.fatal = err
			}
			continue
		}
		w.failed = append(w.failed, notDone{strings.TrimSuffix(filepath.Base(name), ".pem"), err})
	}
}

// inParallel calls work for 0 to n-1 in several goroutines, until it returns false or the context
// ends.
func inParallel(ctx context.Context, n, workers int, work func(int) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan int)
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() {
			for i := range queue {
				if !work(i) {
					cancel()
				}
			}
		})
	}
	for i := range n {
		select {
		case queue <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	group.Wait()
}

// affectsAll reports whether an error has nothing to do with one certificate: the next would fail
// alike.
func affectsAll(err error) bool {
	return is[*ledger.UnreachableError](err) || is[*ledger.RefusedError](err) || is[*ledger.BusyError](err) || is[*ledger.ClockError](err) ||
		is[*ledger.BrokenError](err) || is[*ledger.RetiredError](err) || is[*ledger.RevokedIssuerError](err) || is[*ledger.UnknownIssuerError](err) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || advice.Hardware(err) != ""
}

// report writes what was done, and returns an error when something was not.
func (w *renewing) report() error {
	o := w.options
	if w.named == 1 && len(w.failed) == 1 && w.fatal == nil {
		return w.failed[0].err
	}
	if len(w.done) > maxNamed {
		o.say(fmt.Sprintf("%s %s", o.verb(false), count(len(w.done), "certificate")))
	}
	for _, r := range w.done {
		about := ""
		if len(w.done) <= maxNamed {
			o.say(fmt.Sprintf("%s %s: %s", o.verb(r.Again), certinfo.InWords(r.Certificate.Subject.CommonName, r.Certificate), r.files))
		} else {
			about = fmt.Sprintf("%q: ", r.Certificate.Subject.CommonName)
		}
		r.tell(o.host, about)
	}
	if w.notDue > 0 || w.named == 0 {
		o.say(w.rest())
	}
	for _, f := range w.failed {
		o.warn("not done: " + f.err.Error())
	}
	var err error
	if len(w.failed) > 0 || w.fatal != nil {
		err = &partError{verb: o.verb(false), done: len(w.done), total: w.named - w.notDue, failed: w.failed, err: w.fatal}
	}
	if !o.output.json {
		return err
	}
	if len(w.failed) == 0 {
		return errors.Join(err, writeIssued(o.Out, nil, w.done))
	}
	return errors.Join(err, writeIssued(o.Out, failedJSON(w.failed), w.done))
}

// rest says what was left as it is, since nothing is to be done.
func (w *renewing) rest() string {
	if w.named == 0 {
		return "there is nothing to renew in " + w.options.out
	}
	return fmt.Sprintf("left %s, valid for longer than %v", count(w.notDue, "certificate"), time.Duration(w.options.within))
}

// failedJSON is the head of the JSON document: what was not done.
func failedJSON(all []notDone) any {
	type failed struct {
		Name  string `json:"name"`
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}
	head := struct {
		Failed []failed `json:"failed"`
	}{}
	for _, f := range all {
		head.Failed = append(head.Failed, failed{f.name, f.err.Error(), advise(f.err).Hint})
	}
	return head
}

// partError says that not all that was named is done.
type partError struct {
	verb        string
	done, total int
	failed      []notDone
	err         error // why it ended; nil: it came to the end
}

func (e *partError) Error() string {
	text := fmt.Sprintf("%s %d of %d", e.verb, e.done, e.total)
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *partError) Unwrap() error { return e.err }

// hints are what to do about each, once.
func (e *partError) hints() string {
	var all []string
	for _, f := range e.failed {
		if hint := advise(f.err).Hint; hint != "" && !slices.Contains(all, hint) {
			all = append(all, hint)
		}
	}
	return strings.Join(all, "; ")
}
