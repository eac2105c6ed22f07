//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows

package filelock

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	unlock, err := Lock(t.Context(), path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

func TestLock_oneAtATime(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	var group sync.WaitGroup
	inside, most := 0, 0 // guarded by the lock, as the race detector sees
	var mu sync.Mutex
	for range 16 {
		group.Go(func() {
			unlock, err := Lock(context.Background(), path, time.Minute)
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			if _, err := os.ReadFile(path); err != nil {
				t.Errorf("read what is locked: %v", err)
			}
			mu.Lock()
			inside--
			mu.Unlock()
		})
	}
	group.Wait()
	if most != 1 {
		t.Errorf("%d had the lock at once", most)
	}
}

func TestLock_bounded(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	defer mustLock(t, path)()
	_, err := Lock(t.Context(), path, time.Millisecond)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.Path != path {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lock(ctx, path, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What was locked may be gone, or replaced, when the lock is free at last.
func TestLock_replaced(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"replaced": func(path string) error { return os.Rename(path+".new", path) },
		"removed":  os.Remove,
	} {
		path := newFile(t)
		if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		old, err := open(path, os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		switch same, err := byPath(path).isStill(old); {
		case name == "removed" && !errors.Is(err, fs.ErrNotExist), name == "replaced" && (err != nil || same):
			t.Errorf("%s: %v, %v", name, same, err)
		}
		old.Close()
		if _, err := Lock(t.Context(), path, time.Minute); (err != nil) != (name == "removed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A link may lead to another file: it is not followed, however it is locked.
func TestLock_link(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if unlock, err := Lock(t.Context(), link, time.Millisecond); err == nil {
		unlock()
		t.Error("it was locked")
	}
	mustLock(t, path)()
}

// What opens the file says where it is, and sees when it is replaced.
func TestLockOpened(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	inRoot := func(flag int) (*os.File, error) { return root.OpenFile("f", flag, 0) }
	unlock, err := LockOpened(t.Context(), path, inRoot, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(t.Context(), path, time.Millisecond); err == nil || err.Error() != path+" is being worked on by another process, for more than 1ms" {
		t.Error(err)
	}
	unlock()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := LockOpened(t.Context(), path, inRoot, time.Minute); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestLock_readOnly(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	defer mustLock(t, path)()
	if _, err := Lock(t.Context(), path, time.Millisecond); err == nil {
		t.Error("locked twice")
	}
}
