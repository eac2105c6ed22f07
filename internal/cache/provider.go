package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/filelock"
)

// Provider returns a provider of the cached credentials of key, which renews them with from when
// too little time is left. It is safe for concurrent use if from is.
func (c *Cache) Provider(key Key, from aws.CredentialsProvider) aws.CredentialsProvider {
	return &provider{Cache: c, key: key, from: from}
}

type provider struct {
	*Cache
	key  Key
	from aws.CredentialsProvider
}

const (
	lockTimeout = 10 * time.Second // default of Options.LockTimeout

	// pollInterval is the time between attempts to take the lock. The entry is re-read each time:
	// once one process has renewed it, the others need no lock.
	pollInterval = 30 * time.Millisecond

	// renewTimeout bounds a renewal while the old credentials are still valid.
	renewTimeout = 10 * time.Second
)

// Retrieve returns cached credentials with more than 15 minutes left, or renews them under the
// lock. If that fails, it returns the old ones until they expire. Its errors are those of from and
// of ctx.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	r := &retrieval{provider: p, name: p.key.name()}
	if r.reload() {
		return r.found("")
	}
	unlock, err := r.wait(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer unlock()
	if r.enough(p.options.Now()) {
		return r.found(" by now")
	}
	return r.renew(ctx)
}

// retrieval is one call of Retrieve, with the entry as last read.
type retrieval struct {
	*provider
	*entry
	name   string
	warned bool
}

// warnOnce warns of the first fault only; later ones follow from it.
func (r *retrieval) warnOnce(err error) {
	if !r.warned {
		r.warned = true
		r.warn("%v", err)
	}
}

// reload re-reads the entry and reports whether it is enough.
func (r *retrieval) reload() bool {
	e, err := r.read(r.name)
	if err != nil && !errors.Is(err, errMiss) {
		r.warnOnce(err)
	}
	r.entry = e
	return e.enough(r.options.Now())
}

func (r *retrieval) found(when string) (aws.Credentials, error) {
	r.options.Trace("credentials from the cache%s: %s, until %s", when, r.path(r.name, entryEnd), r.Expires.Format(time.RFC3339))
	return r.credentials(), nil
}

// wait returns when this process holds the lock, or goes on without it: another process has
// renewed the entry, LockTimeout has passed, or locking fails. The error is ctx's.
func (r *retrieval) wait(ctx context.Context) (unlock func(), err error) {
	nothing := func() {}
	path := r.path(r.name, lockEnd)
	for range r.options.LockTimeout / pollInterval {
		if err := r.touch(path); err != nil {
			r.warnOnce(fmt.Errorf("the cache cannot be locked: %w", err))
			return nothing, nil
		}
		unlock, err := filelock.Lock(ctx, path, pollInterval)
		_, held := errors.AsType[*filelock.HeldError](err)
		switch {
		case err == nil:
			r.reload()
			return unlock, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !held && !errors.Is(err, fs.ErrNotExist): // fs.ErrNotExist: the cache was just cleared
			r.warnOnce(fmt.Errorf("the cache cannot be locked: %w", err))
			return nothing, nil
		}
		if r.reload() {
			return nothing, nil
		}
	}
	r.options.Trace("another process has renewed the same credentials for %s; they are not waited for any more", r.options.LockTimeout)
	return nothing, nil
}

// touch creates an empty file, and the folder, unless they exist.
func (c *Cache) touch(path string) error {
	const flags = os.O_RDONLY | os.O_CREATE | noFollow
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.create(); err != nil {
			return err
		}
		f, err = os.OpenFile(path, flags, 0o600)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// renew gets new credentials and writes them to the cache. While the old ones are valid they are
// the fallback.
func (r *retrieval) renew(ctx context.Context) (aws.Credentials, error) {
	usable := r.valid(r.options.Now())
	limited := ctx
	if usable {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, renewTimeout)
		defer cancel()
	}
	fresh, err := r.from.Retrieve(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("nothing came within %s: %w", renewTimeout, err)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return aws.Credentials{}, err
	case err != nil && r.valid(r.options.Now()):
		return r.useOld(err), nil
	case err != nil:
		return aws.Credentials{}, err
	case usable && fresh.Expires.Before(r.Expires):
		return r.useOld(fmt.Errorf("the new ones end sooner, at %s", fresh.Expires.UTC().Format(time.RFC3339))), nil
	}
	r.keep(fresh)
	return fresh, nil
}

// useOld returns the old credentials because of err, and records the attempt so that no process
// retries before retryAfter.
func (r *retrieval) useOld(err error) aws.Credentials {
	r.warn("credentials from the cache are used, which expire at %s, since there are no better ones: %v", r.Expires.Format(time.RFC3339), err)
	r.warned = true
	tried := *r.entry
	tried.Tried = r.options.Now().UTC()
	if err := r.write(r.name, &tried); err != nil {
		r.warnOnce(err)
	}
	return r.credentials()
}

// keep writes new credentials and then removes old files. Credentials without an expiration, or
// expired ones, are not cached.
func (r *retrieval) keep(fresh aws.Credentials) {
	now := r.options.Now()
	if !fresh.CanExpire || !now.Before(fresh.Expires) {
		return
	}
	if err := r.write(r.name, newEntry(r.key, fresh, now)); err != nil {
		r.warnOnce(fmt.Errorf("the cache cannot be written: %w", err))
		return
	}
	r.sweep(now)
}
