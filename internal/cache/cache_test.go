package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// host is a user with a cache, a clock, and a service that can fail.
type host struct {
	t   *testing.T
	dir string

	mu    sync.Mutex
	at    time.Time
	life  time.Duration
	err   error
	calls int
	warn  []string
}

func newHost(t *testing.T) *host {
	t.Helper()
	return &host{t: t, dir: filepath.Join(t.TempDir(), "sub", "kedge"), at: time.Now(), life: 59 * time.Minute}
}

func (h *host) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *host) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// create is the service.
func (h *host) create(context.Context) (aws.Credentials, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if h.err != nil {
		return aws.Credentials{}, h.err
	}
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%d", h.calls), SecretAccessKey: "SECRET", SessionToken: "TOKEN",
		Source: "test", CanExpire: true, Expires: h.at.Add(h.life).Truncate(time.Second), AccountID: "111122223333",
	}, nil
}

func (h *host) open() (*Cache, error) {
	return Open(h.dir, Options{Now: h.now, Warn: func(text string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.warn = append(h.warn, text)
	}})
}

// get is one process's call.
func (h *host) get(key Key) (aws.Credentials, error) {
	c, err := h.open()
	if err != nil {
		return aws.Credentials{}, err
	}
	return c.Provider(key, aws.CredentialsProviderFunc(h.create)).Retrieve(h.t.Context())
}

// want fails the test unless a process gets the credentials of that call.
func (h *host) want(call int) {
	h.t.Helper()
	c, err := h.get(someKey())
	if err != nil || c.AccessKeyID != fmt.Sprintf("ASIA%d", call) || c.SecretAccessKey != "SECRET" || c.SessionToken != "TOKEN" ||
		!c.CanExpire || c.AccountID != "111122223333" || c.Source != "test" {
		h.t.Errorf("got %s of %s, %v; want those of call %d", c.AccessKeyID, c.AccountID, err, call)
	}
	if err == nil && !h.now().Before(c.Expires) {
		h.t.Errorf("got what expired at %s", c.Expires)
	}
}

// wantWarnings fails the test unless these were given since the last time.
func (h *host) wantWarnings(parts ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.warn) != len(parts) {
		h.t.Errorf("warnings: %q, want %q", h.warn, parts)
	}
	for i, text := range h.warn {
		if i < len(parts) && !strings.Contains(text, parts[i]) || strings.Contains(text, "SECRET") || strings.Contains(text, "TOKEN") {
			h.t.Errorf("warning %q, want %q", text, parts)
		}
	}
	h.warn = nil
}

func someKey() Key {
	return Key{
		Endpoint: "https://example.com", Region: "eu-west-1", TrustAnchorARN: "ta", ProfileARN: "p",
		RoleARN: "arn:aws:iam::111122223333:role/r", Duration: "1h", Certificate: "aa",
	}
}

func (h *host) entry() string {
	return filepath.Join(h.dir, someKey().name()+entryEnd)
}

func TestCache_shared(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for range 3 {
		h.want(1)
	}
	for path, want := range map[string]fs.FileMode{h.dir: fs.ModeDir | 0o700, filepath.Dir(h.dir): fs.ModeDir | 0o700, h.entry(): 0o600} {
		if info, err := os.Stat(path); err != nil || hasModes && info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	h.wantWarnings()
}

func TestCache_everyFieldCounts(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for i, change := range []func(k *Key){
		func(*Key) {},
		func(k *Key) { k.Endpoint = "https://example.org" },
		func(k *Key) { k.Region = "eu-west-2" },
		func(k *Key) { k.Variant = "fips" },
		func(k *Key) { k.TrustAnchorARN = "tb" },
		func(k *Key) { k.ProfileARN = "q" },
		func(k *Key) { k.RoleARN = "s" },
		func(k *Key) { k.SessionName = "n" },
		func(k *Key) { k.Duration = "15m" },
		func(k *Key) { k.Certificate = "bb" },
		func(k *Key) { k.More = []string{"a", "b"} },
		func(k *Key) { k.More = []string{"a b"} },
		func(k *Key) { k.More = []string{"b", "a"} },
		func(k *Key) { k.Final = "f" },
	} {
		key := someKey()
		change(&key)
		for range 2 {
			if c, err := h.get(key); err != nil || c.AccessKeyID != fmt.Sprintf("ASIA%d", i+1) {
				t.Errorf("key %d: %s, %v", i, c.AccessKeyID, err)
			}
		}
	}
}

// botocore runs the program again for every request once 15 minutes or less are left.
func TestCache_neverLessThan15MinutesWhileBetterCanBeHad(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.want(1)
	h.pass(43 * time.Minute)
	h.want(1)
	h.pass(time.Minute)
	h.want(2)

	h = newHost(t)
	h.life = 14 * time.Minute // the shortest session: there are none with more than 15
	h.want(1)
	h.pass(6 * time.Minute)
	h.want(1)
	h.pass(2 * time.Minute)
	h.want(2)
}

func TestCache_serviceFails(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.err = errors.New("down")
	if _, err := h.get(someKey()); err == nil || err.Error() != "down" {
		t.Errorf("a cold cache: %v", err)
	}
	h.err = nil
	h.want(2)
	h.pass(50 * time.Minute)
	h.err = errors.New("down")
	h.want(2)
	h.wantWarnings("which expire at " + h.at.Add(9*time.Minute).UTC().Format("2006-01-02T15:04") + "")
	h.want(2) // no retry within a minute
	h.wantWarnings()
	if h.calls != 3 {
		t.Errorf("%d calls", h.calls)
	}
	h.pass(retryAfter)
	h.want(2)
	h.wantWarnings("there are no better ones: down")
	h.pass(9 * time.Minute)
	if c, err := h.get(someKey()); err == nil || err.Error() != "down" || c.HasKeys() {
		t.Errorf("expired: %s, %v", c.AccessKeyID, err)
	}
	h.err = nil
	h.want(6)
}

func TestCache_newOnesEndSooner(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.want(1)
	h.pass(50 * time.Minute)
	h.life = time.Minute
	h.want(1)
	h.wantWarnings("the new ones end sooner")
}

func TestCache_clockSetBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.want(1)
	h.pass(-24 * time.Hour) // the entry would last a day longer than its session
	h.want(2)
}

// Credentials without expiration, or expired ones, are returned and not cached.
func TestCache_keepsNothingOdd(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.life = -time.Minute
	for range 2 {
		if _, err := h.get(someKey()); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(h.entry()); !errors.Is(err, fs.ErrNotExist) || h.calls != 2 {
		t.Errorf("%d calls, %v", h.calls, err)
	}
}

func TestCache_parallel(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { h.want(1) })
	}
	group.Wait()
	if h.calls != 1 {
		t.Errorf("%d calls", h.calls)
	}
	h.wantWarnings()
}
