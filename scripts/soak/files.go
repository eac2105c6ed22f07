//go:build unix

package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// lag is how long a certificate may be used after it was replaced: by a request that waited while
// the emulator was stopped, or by one that began before.
func (s *soak) lag() time.Duration { return s.refresh + 15*time.Second }

// files are the certificate and the key that kedge serve reads, with the CA that issues them.
type files struct {
	*soak
	rotations atomic.Int64

	mu     sync.Mutex
	latest string               // serial
	until  map[string]time.Time // serial of one that was replaced, and until when it may be used
}

func newFiles(s *soak) (*files, error) {
	f := &files{soak: s, until: map[string]time.Time{}}
	if err := f.kedgeCA("init", "--no-password", "--name", "Soak CA"); err != nil {
		return nil, err
	}
	return f, f.replace(context.Background())
}

func (f *files) kedgeCA(args ...string) error {
	out, err := exec.Command(f.program("kedge-ca"), append(args, "--dir", f.path("ca"))...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kedge-ca %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// rotate replaces the pair repeatedly.
func (f *files) rotate(ctx context.Context, every time.Duration) error {
	for pause(ctx, every) {
		if err := f.replace(ctx); err != nil {
			return err
		}
	}
	return nil
}

// replace issues another pair, with another type of key, and writes it. The old one expires so soon
// that kedge cannot use it for long.
func (f *files) replace(ctx context.Context) error {
	n := f.rotations.Load()
	name, kind := fmt.Sprintf("soak-%d", n), []string{"P-256", "RSA-2048", "P-384"}[n%3]
	if err := f.kedgeCA("issue", name, "--out", f.path("issued"), "--key-type", kind, "--lifetime", "3m"); err != nil {
		return err
	}
	var data [2][]byte
	for i, suffix := range []string{".pem", ".key"} {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(f.path("issued"), name+suffix)); err != nil {
			return err
		}
	}
	block, _ := pem.Decode(data[0])
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	before := f.expect(leaf)
	if n > 0 {
		f.spoil(ctx, data)
	}
	for i, name := range []string{"leaf.key", "leaf.pem"} {
		if err := f.put(name, data[1-i]); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.until[before] = time.Now().Add(f.lag())
	f.mu.Unlock()
	f.rotations.Add(1)
	return nil
}

// expect allows the leaf to be used, and returns the serial of the previous one.
func (f *files) expect(leaf *x509.Certificate) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.latest
	f.latest = fmt.Sprintf("%x", leaf.SerialNumber.Bytes())
	f.until[f.latest] = time.Now().Add(24 * time.Hour)
	return before
}

// may reports whether a request can be signed with the certificate of this serial now.
func (f *files) may(serial string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Before(f.until[serial])
}

// spoil leaves the files for a moment in an invalid state.
func (f *files) spoil(ctx context.Context, data [2][]byte) {
	half := func(b []byte) []byte { return b[:len(b)/2] }
	switch rand.N(6) {
	case 0:
		return // a valid order: one after the other
	case 1:
		_ = os.WriteFile(f.path("leaf.pem"), half(data[0]), 0o600)
	case 2:
		_ = os.WriteFile(f.path("leaf.key"), half(data[1]), 0o600)
	case 3:
		_ = os.Remove(f.path("leaf.pem"))
	case 4:
		_ = f.put("leaf.pem", data[0]) // with the old key
	case 5:
		_ = os.WriteFile(f.path("leaf.key"), nil, 0o600)
	}
	pause(ctx, rand.N(f.refresh/4))
}

// put replaces a file atomically.
func (f *files) put(name string, data []byte) error {
	if err := os.WriteFile(f.path(name+".new"), data, 0o600); err != nil {
		return err
	}
	return os.Rename(f.path(name+".new"), f.path(name))
}
