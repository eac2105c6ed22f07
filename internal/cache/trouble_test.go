//go:build unix

package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/filelock"
)

// makes returns a function that runs a step that must succeed.
func makes(t *testing.T) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_refusals(t *testing.T) {
	t.Parallel()
	must := makes(t)
	top := t.TempDir()
	at := func(name string) string { return filepath.Join(top, name) }
	must(os.Mkdir(at("good"), 0o700))
	must(os.Mkdir(at("readable"), 0o755)) // the files in it are not
	must(os.Symlink(at("good"), at("link")))
	must(os.WriteFile(at("file"), nil, 0o600))
	for name, mode := range map[string]os.FileMode{"group": 0o770, "all": 0o1777} {
		must(os.Mkdir(at(name), 0o700))
		must(os.Chmod(at(name), mode))
	}
	tests := map[string]string{
		"good": "", "readable": "", "missing": "",
		"link":  "is a symbolic link",
		"file":  "is not a folder",
		"group": "can be written to by other users (mode 0770)",
		"all":   "can be written to by other users (mode 0777)",
	}
	if os.Geteuid() == 0 {
		must(os.Mkdir(at("other"), 0o700))
		must(os.Chown(at("other"), 65534, 65534))
		tests["other"] = "belongs to another user"
	}
	for name, problem := range tests {
		_, err := Open(at(name), Options{Now: time.Now})
		folder, refused := errors.AsType[*FolderError](err)
		if refused != (problem != "") || refused && (folder.Dir != at(name) || folder.Problem != problem) {
			t.Errorf("%s: %v", name, err)
		}
		if private := Private(at(name)); name != "link" && name != "missing" && private == refused {
			t.Errorf("%s is private: %t", name, private)
		}
	}
}

// Whatever is in place of the entry, credentials are returned, with a warning; and the next process
// finds a good file, unless the path cannot be cleared.
func TestCache_garbage(t *testing.T) {
	t.Parallel()
	write := func(text string) func(h *host) error {
		return func(h *host) error { return os.WriteFile(h.entry(), []byte(text), 0o600) }
	}
	const none = "it holds no credentials that kedge wrote there"
	for name, tt := range map[string]struct {
		put     func(h *host) error
		warning string
		stays   bool
	}{
		"empty":     {write(""), none, false},
		"garbage":   {write("\x00\xff TOKEN"), none, false},
		"no fields": {write(header), none, false},
		"longer": {func(h *host) error {
			data, err := os.ReadFile(h.entry())
			return errors.Join(err, os.WriteFile(h.entry(), append(data, "more \"x\"\n"...), 0o600))
		}, none, false},
		"huge": {write(strings.Repeat(" ", 10<<20)), none, false},
		"cut off": {func(h *host) error {
			data, err := os.ReadFile(h.entry())
			return errors.Join(err, os.WriteFile(h.entry(), data[:len(data)/2], 0o600))
		}, none, false},
		"another key's": {func(h *host) error {
			other := someKey()
			other.RoleARN = "other"
			_, err := h.get(other)
			return errors.Join(err, os.Rename(filepath.Join(h.dir, other.name()+entryEnd), h.entry()))
		}, none, false},
		"readable by others": {func(h *host) error { return os.Chmod(h.entry(), 0o644) }, "can be read by other users (mode 0644)", false},
		"another user's": {func(h *host) error {
			if os.Geteuid() != 0 {
				return os.Chmod(h.entry(), 0o660) // also refused
			}
			return os.Chown(h.entry(), 65534, 65534)
		}, "is not used: it ", false},
		"symbolic link": {func(h *host) error {
			return errors.Join(os.Rename(h.entry(), h.entry()+".target"), os.Symlink(h.entry()+".target", h.entry()))
		}, "is a symbolic link", false},
		"pipe":         {func(h *host) error { return errors.Join(os.Remove(h.entry()), syscall.Mkfifo(h.entry(), 0o600)) }, "is not a regular file", false},
		"empty folder": {func(h *host) error { return errors.Join(os.Remove(h.entry()), os.Mkdir(h.entry(), 0o700)) }, "is not a regular file", false},
		"full folder":  {func(h *host) error { return errors.Join(os.Remove(h.entry()), os.MkdirAll(h.entry()+"/x", 0o700)) }, "is not a regular file", true},
		"lock is a folder": {func(h *host) error {
			lock := strings.TrimSuffix(h.entry(), entryEnd) + lockEnd
			return errors.Join(os.Remove(h.entry()), os.Remove(lock), os.Mkdir(lock, 0o700))
		}, "", false},
		"lock is a symbolic link": {func(h *host) error {
			lock := strings.TrimSuffix(h.entry(), entryEnd) + lockEnd
			return errors.Join(os.Remove(h.entry()), os.Remove(lock), os.Symlink("/dev/null", lock))
		}, "the cache cannot be locked", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.want(1)
			makes(t)(tt.put(h))
			calls := h.calls
			h.want(calls + 1)
			if tt.warning != "" {
				h.wantWarnings(tt.warning)
			}
			if !tt.stays {
				h.want(calls + 1)
			}
		})
	}
}

// The folder cannot be created.
func TestCache_noFolder(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.dir = "/proc/kedge/cache"
	h.want(1)
	h.wantWarnings("the cache cannot be locked: mkdir /proc")
	h.dir = filepath.Join(t.TempDir(), "file")
	makes(t)(os.WriteFile(h.dir, nil, 0o600))
	h.dir += "/cache"
	if _, err := h.open(); err == nil {
		t.Error("a folder in a file")
	}
}

// lockEntry holds the lock as another process would.
func (h *host) lockEntry() (unlock func()) {
	h.t.Helper()
	c, err := h.open()
	makes(h.t)(err)
	path := strings.TrimSuffix(h.entry(), entryEnd) + lockEnd
	makes(h.t)(c.touch(path))
	unlock, err = filelock.Lock(context.Background(), path, time.Minute)
	makes(h.t)(err)
	return unlock
}

// A process that hangs while it holds the lock delays the others for ten seconds.
func TestLockHeld_bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		defer h.lockEntry()()
		start := time.Now()
		h.want(1)
		if waited := time.Since(start); waited < lockTimeout*9/10 || waited > lockTimeout*11/10 {
			t.Errorf("it took %s", waited)
		}
		h.want(1)
		if h.calls != 1 {
			t.Errorf("%d calls", h.calls)
		}
	})
}

func TestLockHeld_deadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		defer h.lockEntry()()
		c, err := Open(h.dir, Options{Now: h.now, LockTimeout: time.Second})
		makes(t)(err)
		start := time.Now()
		if _, err := c.Provider(someKey(), aws.CredentialsProviderFunc(h.create)).Retrieve(t.Context()); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited > time.Second || h.calls != 1 {
			t.Errorf("it took %s and %d calls", waited, h.calls)
		}
	})
}

// A process that waits for the lock does not need it once the entry is renewed.
func TestLockHeld_renewedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		defer h.lockEntry()()
		go func() {
			time.Sleep(time.Second)
			c, err := h.open()
			if err != nil {
				t.Error(err)
				return
			}
			fresh, err := h.create(t.Context())
			if err := errors.Join(err, c.write(someKey().name(), newEntry(someKey(), fresh, h.now()))); err != nil {
				t.Error(err)
			}
		}()
		start := time.Now()
		h.want(1)
		if waited := time.Since(start); waited > 2*time.Second {
			t.Errorf("it took %s", waited)
		}
	})
}

func TestLockHeld_interrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		defer h.lockEntry()()
		c, err := h.open()
		makes(t)(err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Provider(someKey(), aws.CredentialsProviderFunc(h.create)).Retrieve(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || h.calls != 0 {
			t.Errorf("%d calls, %v", h.calls, err)
		}
	})
}

// A service that hangs delays a process with a valid entry by ten seconds, once a minute.
func TestServiceHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.want(1)
		h.pass(50 * time.Minute)
		c, err := h.open()
		makes(t)(err)
		hangs := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			<-ctx.Done()
			return aws.Credentials{}, ctx.Err()
		})
		start := time.Now()
		for range 20 {
			got, err := c.Provider(someKey(), hangs).Retrieve(t.Context())
			if err != nil || got.AccessKeyID != "ASIA1" {
				t.Errorf("%s, %v", got.AccessKeyID, err)
			}
		}
		if waited := time.Since(start); waited != renewTimeout {
			t.Errorf("twenty in a row took %s", waited)
		}
		h.wantWarnings("nothing came within 10s")
	})
}
