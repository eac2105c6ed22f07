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

// Provider returns what gives the credentials of key from the cache, and asks from when there
// are none with enough time left. It is safe for concurrent use, if from is.
func (c *Cache) Provider(key Key, from aws.CredentialsProvider) aws.CredentialsProvider {
	return &provider{Cache: c, key: key, from: from}
}

type provider struct {
	*Cache
	key  Key
	from aws.CredentialsProvider
}

const (
	patience = 10 * time.Second // by default

	// slice is how long is waited for the lock before the file is looked at again: of many that
	// wait none needs the lock once one has made the session.
	slice = 30 * time.Millisecond

	// hurry is how long better credentials may take where there are some that will do.
	hurry = 10 * time.Second
)

// Retrieve returns credentials from the cache with more than 15 minutes left, or asks for new
// ones while others wait. If that fails, those that have not expired do. The errors are those of
// from, and that of ctx.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	r := &retrieval{provider: p, name: p.key.name()}
	if r.look() {
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

// retrieval is one Retrieve: the entry as it was read last.
type retrieval struct {
	*provider
	*entry
	name   string
	warned bool
}

// trouble is said once; what follows from it needs no words.
func (r *retrieval) trouble(err error) {
	if !r.warned {
		r.warned = true
		r.warn("%v", err)
	}
}

// look reads the entry and tells whether it is enough.
func (r *retrieval) look() bool {
	e, err := r.read(r.name)
	if err != nil && !errors.Is(err, errNone) {
		r.trouble(err)
	}
	r.entry = e
	return e.enough(r.options.Now())
}

func (r *retrieval) found(when string) (aws.Credentials, error) {
	r.options.Trace("credentials from the cache%s: %s, until %s", when, r.path(r.name, entryEnd), r.Expires.Format(time.RFC3339))
	return r.credentials(), nil
}

// wait returns when this process has the lock, or needs none: when another has renewed the
// entry, when it was waited long enough, or when there is trouble with the lock. The error is
// ctx's.
func (r *retrieval) wait(ctx context.Context) (unlock func(), err error) {
	nothing := func() {}
	path := r.path(r.name, lockEnd)
	for range r.options.Patience / slice {
		if err := r.touch(path); err != nil {
			r.trouble(fmt.Errorf("the cache cannot be locked: %w", err))
			return nothing, nil
		}
		unlock, err := filelock.Lock(ctx, path, slice)
		_, held := errors.AsType[*filelock.HeldError](err)
		switch {
		case err == nil:
			r.look()
			return unlock, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !held && !errors.Is(err, fs.ErrNotExist): // which is a cache that was just cleared
			r.trouble(fmt.Errorf("the cache cannot be locked: %w", err))
			return nothing, nil
		}
		if r.look() {
			return nothing, nil
		}
	}
	r.options.Trace("another process has renewed the same credentials for %s; they are not waited for any more", r.options.Patience)
	return nothing, nil
}

// touch makes an empty file, unless there is one, and the folder first where that is missing.
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

// renew asks for new credentials and keeps them.
func (r *retrieval) renew(ctx context.Context) (aws.Credentials, error) {
	usable := r.valid(r.options.Now())
	limited := ctx
	if usable {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, hurry)
		defer cancel()
	}
	fresh, err := r.from.Retrieve(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("nothing came within %s: %w", hurry, err)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return aws.Credentials{}, err
	case err != nil && r.valid(r.options.Now()):
		return r.makeDo(err), nil
	case err != nil:
		return aws.Credentials{}, err
	case usable && fresh.Expires.Before(r.Expires):
		return r.makeDo(fmt.Errorf("the new ones end sooner, at %s", fresh.Expires.UTC().Format(time.RFC3339))), nil
	}
	r.keep(fresh)
	return fresh, nil
}

// makeDo hands out the old credentials, and keeps others from trying the same at once.
func (r *retrieval) makeDo(err error) aws.Credentials {
	r.warn("credentials from the cache are used, which expire at %s, since there are no better ones: %v", r.Expires.Format(time.RFC3339), err)
	r.warned = true
	tried := *r.entry
	tried.Tried = r.options.Now().UTC()
	if err := r.write(r.name, &tried); err != nil {
		r.trouble(err)
	}
	return r.credentials()
}

// keep writes new credentials, and cleans up where that works. Those that do not expire, or did
// already, are nothing for others.
func (r *retrieval) keep(fresh aws.Credentials) {
	now := r.options.Now()
	if !fresh.CanExpire || !now.Before(fresh.Expires) {
		return
	}
	if err := r.write(r.name, newEntry(r.key, fresh, now)); err != nil {
		r.trouble(fmt.Errorf("the cache cannot be written: %w", err))
		return
	}
	r.sweep(now)
}
