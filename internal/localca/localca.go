// Package localca opens a CA whose configuration, certificates and keys are in a folder: its
// ledger, and its service with the keys of the folder. It creates such a CA, too, and adds
// authorities to it.
//
// The ledger is authoritative: the certificates in the folder are copies, which are rewritten if a
// crash prevented that. The package prints nothing and does not prompt: passwords come from the
// [config.Host] of the keys, and functions of the caller get what was done, warnings and
// questions.
package localca

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
)

// Config specifies where a CA is and how it is opened.
type Config struct {
	// Keys opens the keys of the folder. Its host has the clock, too.
	Keys *cadir.Keys
	// AnyClock allows a clock that is not the time of day: see ledger.Options.
	AnyClock bool
	// Warn gets warnings of what endangers the CA, and of repairs.
	Warn func(text string)
	// Done is called with each thing that was done, in order. It may be nil.
	Done func(text string)
}

// CA is an open CA. It is not safe for concurrent use; its ledger, its service and the authorities
// that it opens are.
type CA struct {
	Settings *cadir.Settings
	Ledger   *ledger.Ledger
	Service  *issuance.Service

	config  Config
	folder  cadir.Folder
	fresh   string          // the file of the ledger, if Open created it
	checked map[string]bool // authorities whose NAME.pem was compared with the ledger
	keys    []*cadir.Key    // of those opened
	closing chan error      // not nil: the ledger is being closed
}

// Open opens a CA: to change it, to read it or, with o.Create, to create its ledger if missing.
// Keys are opened when an authority is used. If there is no CA, the error is a *cadir.UnusableError
// with Absent set; if only the ledger is missing, a *ledger.MissingError.
func Open(ctx context.Context, c Config, o ledger.Options) (*CA, error) {
	folder := c.Keys.Folder
	settings, err := folder.Settings()
	if err != nil {
		return nil, err
	}
	where, warnings, err := folder.LedgerPlace(settings, c.Keys.Host.Stdin)
	if err != nil {
		return nil, err
	}
	fresh := ""
	if o.Create && !cadir.IsDSN(where) {
		if there, err := atomicfile.Exists(where); err != nil {
			return nil, err
		} else if !there {
			fresh = where
		}
	}
	o.Now, o.AnyClock = c.Keys.Host.Now, c.AnyClock
	l, err := openLedger(ctx, where, o)
	if missing, ok := errors.AsType[*ledger.MissingError](err); ok {
		return nil, withoutLedger(folder, missing)
	}
	if err != nil {
		return nil, err
	}
	if warning := settings.Server.EST.Warning(); warning != "" {
		warnings = append(warnings, warning)
	}
	c.warnAll(warnings)
	opened := &CA{Settings: settings, Ledger: l, config: c, folder: folder, fresh: fresh, checked: map[string]bool{}}
	opened.Service, err = issuance.New(issuance.Config{Ledger: l, Now: o.Now, Keys: opened, Certificate: cadir.ReadCertificate, LastList: folder.LastCRL, Expiry: opened.Expiry(), Sessions: opened.Sessions(), Published: settings.Server.Published})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return opened, nil
}

// openLedger opens a ledger. One with an older schema is migrated by opening it to write first,
// also for commands that only read, since those would not work after an upgrade otherwise.
func openLedger(ctx context.Context, where string, o ledger.Options) (*ledger.Ledger, error) {
	l, err := ledger.Open(ctx, where, o)
	older, ok := errors.AsType[*ledger.OlderSchemaError](err)
	if !ok {
		return l, err
	}
	write := o
	write.ReadOnly = false
	writing, err := ledger.Open(ctx, where, write)
	if err == nil {
		err = writing.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%w; to bring it there: %w", older, err)
	}
	return ledger.Open(ctx, where, o)
}

// withoutLedger returns the error for a folder without any CA, or for a CA that lost its ledger.
func withoutLedger(f cadir.Folder, missing *ledger.MissingError) error {
	for _, path := range []string{f.KeyPath(issuance.RootName), f.KeyURIPath(issuance.RootName), f.CertificatePath(issuance.RootName)} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return missing
		}
	}
	_, absent := os.Open(f.CertificatePath(issuance.RootName))
	where, err := filepath.Abs(f.Dir)
	if err != nil {
		where = f.Dir
	}
	return &cadir.UnusableError{Err: fmt.Errorf("there is no CA in %s: %w", where, absent), Absent: true}
}

// Expiry returns the configured warnings about leaves that expire without a renewal.
func (c *CA) Expiry() issuance.Expiry {
	e := c.Settings.Expiry
	return issuance.Expiry{Percent: e.Warn.Percent, Before: e.Warn.Before, Forget: time.Duration(e.Forget)}
}

// Sessions returns how many sessions hosts can get at AWS, as configured.
func (c *CA) Sessions() issuance.Sessions {
	aws := c.Settings.Server.AWS
	return issuance.Sessions{Duration: time.Duration(aws.SessionDuration), Quota: aws.CreateSessionQuota.PerSecond(), Per: aws.CreateSessionQuota.Per}
}

// CloseEarly starts to close the ledger in the background, once it is not used any more, which
// saves the time of writing a few files. Close still has to be called.
func (c *CA) CloseEarly() {
	c.closing = make(chan error, 1)
	go func() { c.closing <- c.Ledger.Close() }()
}

// Close closes the keys and the ledger. An error means that something may not have been written.
func (c *CA) Close() error {
	if c.closing == nil {
		c.CloseEarly()
	}
	var err error
	for _, key := range c.keys {
		err = errors.Join(err, key.Close())
	}
	return errors.Join(err, <-c.closing)
}
