package hostcert

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
	"kedge/internal/hostlist"
)

// ListOptions say how the rows of a list of hosts become requests.
type ListOptions struct {
	Name    string // of the list, for errors
	Out     string // the folder of the files
	Request func(hostlist.Row) ca.Request
	Profile func(name string) (*ca.Profile, error) // empty name: the default
	NewKey  func(*ca.Profile) (hostfiles.Generate, error)
	Expiry  issuance.Expiry
	Now     time.Time
}

// List is a list of hosts being issued, with its results. It is not safe for concurrent use.
type List struct {
	Done      []Result
	Before    int      // how many had their files already
	Expired   []string // paths of certificates that have expired
	Nearly    []string // and of those that soon expire
	Elsewhere int      // how many another process has issued meanwhile

	issuer   *Issuer
	requests []Request
}

// ErrInterrupted is returned if the context ended before all were done. Certificates in progress
// were finished.
var ErrInterrupted = errors.New("it was interrupted")

// ListError reports how many hosts of a list are done, and why the others are not.
type ListError struct {
	Done, Total int
	Err         error
}

func (e *ListError) Error() string {
	return fmt.Sprintf("%d of %d are done: %v", e.Done, e.Total, e.Err)
}
func (e *ListError) Unwrap() error { return e.Err }

// List returns a request for each row that has no files yet, and rehearses all of them: a list with
// a mistake is refused as a whole, with an error that names the list and the line.
func (i *Issuer) List(rows []hostlist.Row, o ListOptions) (*List, error) {
	l := &List{issuer: i}
	rehearsed := map[*ca.Profile]crypto.PublicKey{}
	byName := map[string]*ca.Profile{}
	for _, row := range rows {
		files, err := hostfiles.In(o.Out, row.Name)
		if err != nil {
			return nil, err
		}
		finished, err := files.Finished()
		if err != nil {
			return nil, err
		}
		if finished {
			if err := l.before(files.Certificate, o); err != nil {
				return nil, err
			}
			continue
		}
		if byName[row.Profile] == nil {
			if byName[row.Profile], err = o.Profile(row.Profile); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", o.Name, row.Line, err)
			}
		}
		r := Request{Leaf: o.Request(row), Profile: byName[row.Profile], Files: files}
		if r.NewKey, err = o.NewKey(r.Profile); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", o.Name, row.Line, err)
		}
		if err := i.rehearse(r, rehearsed); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", o.Name, row.Line, err)
		}
		l.requests = append(l.requests, r)
	}
	return l, nil
}

// before counts an existing certificate, and records whether it expires soon.
func (l *List) before(path string, o ListOptions) error {
	l.Before++
	cert, err := hostfiles.ReadCertificate(path)
	if err != nil {
		return err
	}
	switch o.Expiry.State(cert.NotBefore, cert.NotAfter, o.Now) {
	case ledger.Expired:
		l.Expired = append(l.Expired, path)
	case issuance.Expiring:
		l.Nearly = append(l.Nearly, path)
	}
	return nil
}

// rehearse prepares a certificate, with one throw-away key for each profile.
func (i *Issuer) rehearse(r Request, keys map[*ca.Profile]crypto.PublicKey) error {
	if keys[r.Profile] == nil {
		key, der, err := r.NewKey()
		if err != nil {
			return err
		}
		clear(der)
		keys[r.Profile] = key.Public()
	}
	_, err := i.prepare(r, keys[r.Profile])
	return err
}

// Len returns how many are to be issued.
func (l *List) Len() int { return len(l.requests) }

// Run issues with several workers, and stops at the first error, which is a *ListError. step is
// called after each certificate that is issued, concurrently.
func (l *List) Run(ctx context.Context, workers int, step func()) error {
	results, errs := make([]*Result, len(l.requests)), make([]error, len(l.requests))
	elsewhere := make([]bool, len(l.requests))
	inParallel(ctx, len(l.requests), workers, func(n int) bool {
		r := l.requests[n]
		result, err := l.issuer.Make(context.Background(), r) // not to be interrupted
		if errors.Is(err, fs.ErrExist) {
			if elsewhere[n], _ = r.Files.Finished(); elsewhere[n] { // by another process with the same list
				err = nil
			}
		} else if err == nil {
			results[n] = &result
		}
		if err != nil {
			errs[n] = fmt.Errorf("%q: %w", r.Leaf.Name, err)
			return false
		}
		step()
		return true
	})
	for n, result := range results {
		switch {
		case result != nil:
			l.Done = append(l.Done, *result)
		case elsewhere[n]:
			l.Elsewhere++
		}
	}
	err := first(errs)
	done := len(l.Done) + l.Elsewhere
	if err == nil && ctx.Err() != nil && done < len(l.requests) {
		err = ErrInterrupted
	}
	if err != nil {
		return &ListError{l.Before + done, l.Before + len(l.requests), err}
	}
	return nil
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
