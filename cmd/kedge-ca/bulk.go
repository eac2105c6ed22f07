package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/hostfiles"
	"kedge/internal/hostlist"
	"kedge/internal/report"
)

// runIssueFrom issues for each line of a list that has no certificate yet.
func runIssueFrom(ctx context.Context, o *issueOptions) (err error) {
	rows, err := o.readHosts(o.from)
	if err != nil {
		return err
	}
	if err := o.form.readPassword(o.host, "the PKCS#12 files"); err != nil {
		return err
	}
	// Issuing makes much garbage and keeps little: to collect less often is worth a tenth of the
	// speed, and costs some tens of megabytes.
	defer debug.SetGCPercent(debug.SetGCPercent(bulkGCPercent))
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	b, err := o.newBulk(ctx, s, rows)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	err = b.run(ctx, o.workers)
	if ctx.Err() != nil && err == nil && len(b.results)+b.elsewhere < len(b.requests) {
		err = errInterrupted
	}
	if err != nil {
		return b.failed(err)
	}
	return o.reportBulk(b)
}

// untilSignal returns a context that ends at a signal, so that what was begun can be finished. A
// second signal ends the process, where finishing takes too long.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// bulkGCPercent is how much garbage there may be while a list is worked on, of what is kept.
const bulkGCPercent = 400

// errInterrupted says that a signal came. What was begun was finished.
var errInterrupted = errors.New("it was interrupted")

// readHosts reads the list that --from names.
func (h host) readHosts(from string) ([]hostlist.Row, error) {
	if from == "-" {
		return hostlist.Parse("standard input", h.inputs.Stdin)
	}
	file, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return hostlist.Parse(from, file)
}

// bulk is the work on a list of hosts.
type bulk struct {
	issuer   *issuer
	requests []issueRequest
	done     int // there before
	ending   endingFiles
	progress *cli.Progress

	mu        sync.Mutex
	results   []issued
	elsewhere int   // what another process issued in the meantime
	err       error // the first
}

// newBulk makes a request of each line that is not done, and checks all of them: a list with a
// mistake in it is refused as a whole.
func (o *issueOptions) newBulk(ctx context.Context, s *store, rows []hostlist.Row) (*bulk, error) {
	i, err := o.issuer(ctx, s)
	if err != nil {
		return nil, err
	}
	b := &bulk{issuer: i}
	profiles := map[string]*ca.Profile{}
	for _, row := range rows {
		files, err := hostfiles.In(o.out, row.Name)
		if err != nil {
			return nil, err
		}
		finished, err := files.Finished()
		if err != nil {
			return nil, err
		}
		if finished {
			b.done++
			if err := b.ending.add(files.Certificate, s.Expiry(), o.inputs.Now()); err != nil {
				return nil, err
			}
			continue
		}
		if row.Profile == "" {
			row.Profile = o.leaf.profile
		}
		if profiles[row.Profile] == nil {
			if profiles[row.Profile], err = s.settings.Profile(row.Profile); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", o.from, row.Line, err)
			}
		}
		kind, err := o.keys.of(profiles[row.Profile])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", o.from, row.Line, err)
		}
		b.requests = append(b.requests, issueRequest{request: o.rowRequest(row), profile: profiles[row.Profile], key: kind, files: files})
	}
	b.progress = cli.NewProgress(o.Err, o.inputs.Now, len(b.requests))
	return b, b.rehearse(o, rows)
}

func (o *issueOptions) rowRequest(row hostlist.Row) ca.Request {
	r := o.leaf.request(row.Name, row.Names)
	r.Host = row.Host
	if row.Lifetime > 0 {
		r.Lifetime = row.Lifetime
	}
	return r
}

// rehearse prepares every certificate with one key for each profile, so that what would be
// refused is found before the first is issued.
func (b *bulk) rehearse(o *issueOptions, rows []hostlist.Row) error {
	keys := map[*ca.Profile]crypto.PublicKey{}
	lines := map[string]int{}
	for _, row := range rows {
		lines[row.Name] = row.Line
	}
	for _, r := range b.requests {
		if keys[r.profile] == nil {
			key, der, err := r.key.Generate()
			if err != nil {
				return err
			}
			clear(der)
			keys[r.profile] = key.Public()
		}
		if _, err := b.issuer.prepare(r, keys[r.profile]); err != nil {
			return fmt.Errorf("%s:%d: %w", o.from, lines[r.request.Name], err)
		}
	}
	return nil
}

// run issues with several workers, and stops at the first error.
func (b *bulk) run(ctx context.Context, workers int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer b.progress.End()
	queue := make(chan issueRequest)
	var group sync.WaitGroup
	for range min(workers, len(b.requests)) {
		group.Go(func() {
			for o := range queue {
				if err := b.one(o); err != nil {
					b.fail(err)
					cancel()
				}
			}
		})
	}
	for _, o := range b.requests {
		select {
		case queue <- o:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	group.Wait()
	return b.err
}

// one carries out a request to its end: an interruption is heeded between two of them.
func (b *bulk) one(r issueRequest) error {
	result, err := b.issuer.issue(context.Background(), r)
	if errors.Is(err, fs.ErrExist) {
		if finished, _ := r.files.Finished(); finished { // by another process, which has the same list
			b.progress.Add(1)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.elsewhere++
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("%q: %w", r.request.Name, err)
	}
	b.progress.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.results = append(b.results, result)
	return nil
}

func (b *bulk) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

// bulkError says how far a list came.
type bulkError struct {
	done, total int
	err         error
}

func (e *bulkError) Error() string {
	return fmt.Sprintf("%d of %d are done: %v", e.done, e.total, e.err)
}
func (e *bulkError) Unwrap() error { return e.err }

func (b *bulk) failed(err error) error {
	return &bulkError{b.done + b.elsewhere + len(b.results), b.done + len(b.requests), err}
}

func (o *issueOptions) reportBulk(b *bulk) error {
	text := "issued " + count(len(b.results), "certificate")
	if b.done > 0 {
		text += fmt.Sprintf("; %d were there before", b.done)
	}
	if b.elsewhere > 0 {
		text += fmt.Sprintf("; %d were issued by another process", b.elsewhere)
	}
	o.say(text)
	b.ending.tell(o.host, o.from, o.out)
	for _, r := range b.results {
		r.tell(o.host, fmt.Sprintf("%q: ", r.Certificate.Subject.CommonName))
	}
	if !o.output.json {
		return nil
	}
	return writeIssued(o.Out, nil, b.results)
}

// writeIssued writes the JSON document of what was issued, after the members of head.
func writeIssued(out io.Writer, head any, all []issued) error {
	l := report.Listing[issued]{Head: head, Key: "certificates", JSON: func(r issued) any { return issuedJSON{certinfo.OfIssued(r.Issued.Issued), r.files} }}
	return l.Write(out, report.JSON, func(yield func(issued, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	})
}
