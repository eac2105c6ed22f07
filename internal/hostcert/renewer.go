package hostcert

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
)

// Renewer renews certificates: with the same key, or with a new one.
type Renewer struct {
	Service *issuance.Service
	Ledger  *ledger.Ledger
	Now     func() time.Time
	Out     string           // the folder of NAME.pem
	Format  hostfiles.Format // the Issuer can supply its password
	Workers int
	// Terms apply to all renewals: the lifetime and what is allowed.
	Terms ca.Renewal
	// Profile returns the profile by which a certificate is renewed.
	Profile func(ledger.Certificate) (*ca.Profile, error)
	// NewKey, if not nil, rekeys instead of renewing.
	NewKey func(*ca.Profile) (hostfiles.Generate, error)
	// Within, if not 0, leaves out certificates that expire later than that from now.
	Within time.Duration
	// AffectsAll reports whether an error would affect each other certificate, too.
	AffectsAll func(error) bool
}

// Renewals is a renewal of several certificates, in the order in which they were named. It is not
// safe for concurrent use.
type Renewals struct {
	Named  int // how many were named, directly or by a pattern
	NotDue int // how many expire later than Within
	Done   []Result
	Failed []Failure
	Fatal  error // why the run ended early, or nil

	renewer *Renewer
	ready   []target // what can be renewed, as far as Plan can tell
}

// Failure is a certificate that was not renewed, and why.
type Failure struct {
	Name string
	Err  error
}

// NotRenewedError is returned for a certificate that must not be renewed: it is revoked, or a CA's.
type NotRenewedError struct {
	What, Why string
	Authority bool // it is a CA's
}

func (e *NotRenewedError) Error() string { return fmt.Sprintf("%s is not renewed: %s", e.What, e.Why) }

// errNotDue is returned for a certificate that expires later than Within.
var errNotDue = errors.New("it is not due")

// errAuthority is returned for the certificate of a CA that a pattern or All found.
var errAuthority = errors.New("it is no leaf")

// Plan reads everything that is named, and opens no key.
func (r *Renewer) Plan(ctx context.Context, what Named) (*Renewals, error) {
	targets, err := r.locate(ctx, what)
	if err != nil {
		return nil, err
	}
	w := &Renewals{renewer: r, Named: len(targets)}
	errs := make([]error, len(targets))
	inParallel(ctx, len(targets), r.Workers, func(i int) bool {
		targets[i], errs[i] = r.find(ctx, targets[i])
		return errs[i] == nil || !r.AffectsAll(errs[i])
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, t := range targets {
		switch err := errs[i]; {
		case err != nil && r.AffectsAll(err):
			return nil, err
		case errors.Is(err, errNotDue):
			w.NotDue++
		case errors.Is(err, errAuthority):
			w.Named--
		case err != nil:
			w.Failed = append(w.Failed, Failure{t.text, err})
		default:
			w.ready = append(w.ready, t)
		}
	}
	return w, nil
}

// find reads a target and checks whether it may be renewed and is due.
func (r *Renewer) find(ctx context.Context, t target) (target, error) {
	one, err := r.read(ctx, t)
	switch {
	case t.pattern && one.cert != nil && one.cert.IsCA:
		return t, errAuthority
	case err != nil:
		return t, err
	case r.Within > 0 && !one.cert.NotAfter.Before(r.Now().Add(r.Within)):
		return t, errNotDue
	}
	t.files, t.planned = one.files, one.fingerprint()
	if !t.inFile {
		t.record = &one.record
	}
	return t, one.check()
}

// Len returns how many are to be renewed.
func (w *Renewals) Len() int { return len(w.ready) }

// Run renews with several workers. The first error that affects all ends it. step is called after
// each certificate, renewed or not, concurrently.
func (w *Renewals) Run(ctx context.Context, i *Issuer, step func()) {
	results, errs := make([]*Result, len(w.ready)), make([]error, len(w.ready))
	inParallel(ctx, len(w.ready), w.renewer.Workers, func(n int) bool {
		result, err := w.renewer.carryOut(context.Background(), i, w.ready[n]) // not to be interrupted
		step()
		if errs[n] = err; err == nil {
			results[n] = &result
		}
		return err == nil || !w.renewer.AffectsAll(err)
	})
	for n := range w.ready {
		switch {
		case results[n] != nil:
			w.Done = append(w.Done, *results[n])
		case errs[n] != nil:
			w.failed(w.ready[n].files.Certificate, errs[n])
		}
	}
	if ctx.Err() != nil && w.Fatal == nil && len(w.Done)+len(w.Failed)+w.NotDue < w.Named {
		w.Fatal = ErrInterrupted
	}
}

func (w *Renewals) failed(path string, err error) {
	err = fmt.Errorf("%s: %w", path, err)
	switch {
	case !w.renewer.AffectsAll(err):
		w.Failed = append(w.Failed, Failure{strings.TrimSuffix(filepath.Base(path), ".pem"), err})
	case w.Fatal == nil:
		w.Fatal = err
	}
}

// Err returns the error of the one certificate that was named, or a *PartError if not everything
// was done.
func (w *Renewals) Err() error {
	switch {
	case w.Named == 1 && len(w.Failed) == 1 && w.Fatal == nil:
		return w.Failed[0].Err
	case len(w.Failed) > 0 || w.Fatal != nil:
		return &PartError{Verb: w.renewer.verb(), Done: len(w.Done), Total: w.Named - w.NotDue, Failed: w.Failed, Err: w.Fatal}
	}
	return nil
}

// PartError reports that only some of the named certificates were renewed.
type PartError struct {
	Verb        string
	Done, Total int
	Failed      []Failure
	Err         error // why the run ended early, or nil
}

func (e *PartError) Error() string {
	text := fmt.Sprintf("%s %d of %d", e.Verb, e.Done, e.Total)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *PartError) Unwrap() error { return e.Err }
