package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/atomicfile"
	"kedge/internal/refresh"
)

// entry is the content of a file of credentials.
type entry struct {
	Key             Key
	Renewed         time.Time // when the credentials came
	Expires         time.Time
	Tried           time.Time // when renewing them last failed
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	AccountID       string
	Source          string
}

// maxEntry is in bytes; a session token has about one thousand.
const maxEntry = 64 << 10

// errMiss reports a cache miss.
var errMiss = errors.New("not in the cache")

func newEntry(key Key, c aws.Credentials, now time.Time) *entry {
	return &entry{
		Key: key, Renewed: now.UTC(), Expires: c.Expires.UTC(),
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		AccountID: c.AccountID, Source: c.Source,
	}
}

func (e *entry) credentials() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: e.AccessKeyID, SecretAccessKey: e.SecretAccessKey, SessionToken: e.SessionToken,
		Source: e.Source, CanExpire: true, Expires: e.Expires, AccountID: e.AccountID,
	}
}

// valid reports whether the credentials have not expired; those of a nil entry have. Credentials
// that were renewed in the future are not valid: the clock was set back, and how much time they
// have left is unknown.
func (e *entry) valid(now time.Time) bool {
	return e != nil && now.Before(e.Expires) && now.After(e.Renewed.Add(-time.Minute))
}

// enough reports whether the credentials are returned without an attempt to renew them.
func (e *entry) enough(now time.Time) bool {
	return e.valid(now) && (refresh.Enough(e.Renewed, e.Expires, now) || e.justTried(now))
}

// retryAfter delays the next renewal after one that failed.
const retryAfter = time.Minute

func (e *entry) justTried(now time.Time) bool {
	since := now.Sub(e.Tried)
	return since >= 0 && since < retryAfter
}

// read returns the entry of that name. The error is errMiss when there is none.
func (c *Cache) read(name string) (*entry, error) {
	path := c.path(name, entryEnd)
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errMiss
	case errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("%s is not used: it is a symbolic link", path)
	case err != nil:
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if problem := badFile(info); problem != "" {
		return nil, fmt.Errorf("%s is not used: it %s", path, problem)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
	if err != nil {
		return nil, err
	}
	e, ok := parse(data)
	if !ok || e.Key.name() != name {
		return nil, fmt.Errorf("%s is not used: it holds no credentials that kedge wrote there", path)
	}
	return e, nil
}

// write replaces the entry of that name. If its path is not a regular file, that is removed first.
func (c *Cache) write(name string, e *entry) error {
	path := c.path(name, entryEnd)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return atomicfile.Write(path, e.format(), 0o600)
}
