//go:build unix

package cadir

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"syscall"
	"testing"

	"kedge/internal/safefile"
)

// stranger is a user who is neither root nor the one of this process.
const stranger = 65533

func giveAway(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := os.Lchown(path, stranger, -1); err != nil {
		t.Fatal(err)
	}
}

// writeKey writes a key in the clear, as Write does.
func writeKey(t *testing.T, path string) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return key
}

// The key of an authority that is being made is resumed only where an interrupted run can have left
// it. One that is known by its certificate, as when a CA is adopted, can be anybody's file.
func TestBegin_planted(t *testing.T) {
	t.Parallel()
	plants := map[string]func(t *testing.T, path string){
		"foreign": giveAway,
		"writable": func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o620); err != nil {
				t.Fatal(err)
			}
		},
		"link": func(t *testing.T, path string) {
			if err := errors.Join(os.Rename(path, path+".other"), os.Symlink(path+".other", path)); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, plant := range plants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := Keys{Folder: Folder{Dir: t.TempDir()}}
			path := k.Folder.KeyPath("sub")
			key := writeKey(t, path)
			n, err := k.Begin(t.Context(), KeyRequest{Authority: "sub"})
			if err != nil || !n.Resumed {
				t.Fatal(err)
			}
			plant(t, path)
			_, err = k.Begin(t.Context(), KeyRequest{Authority: "sub"})
			if left, ok := errors.AsType[*safefile.LeftoverError](err); !ok || left.File != path {
				t.Error(err)
			}
			if _, err := k.Begin(t.Context(), KeyRequest{Authority: "sub", Public: key.Public()}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A pipe in the place of a key is an error, and not waited for.
func TestOpen_pipe(t *testing.T) {
	t.Parallel()
	k := Keys{Folder: Folder{Dir: t.TempDir()}}
	path := k.Folder.KeyPath("ca")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := k.Open(context.Background(), "ca", nil); err == nil || err.Error() != path+" is a named pipe, not a file" {
		t.Error(err)
	}
	if _, err := k.OpenURI(context.Background(), path, nil); err == nil || err.Error() != path+" is a named pipe, not a file" {
		t.Error(err)
	}
	if _, err := k.Begin(context.Background(), KeyRequest{Authority: "ca"}); err == nil {
		t.Error("it was resumed")
	}
	uri := k.Folder.KeyURIPath("other")
	if err := syscall.Mkfifo(uri, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := k.Open(context.Background(), "other", nil); err == nil {
		t.Error("it was opened")
	}
}

// What another user can change says neither what is issued nor which code runs.
func TestFolder_unsafe(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(t *testing.T, path string){
		"foreign": giveAway,
		"writable": func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o664); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Folder{Dir: t.TempDir()}
			settings, uri := f.SettingsPath(), f.KeyURIPath("ca")
			if err := errors.Join(os.WriteFile(settings, nil, 0o644), os.WriteFile(uri, []byte("pkcs11:token=ca?module-path=/tmp/x.so\n"), 0o644)); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Settings(); err != nil {
				t.Error(err)
			}
			if _, err := f.KeyURI("ca"); err != nil {
				t.Error(err)
			}
			spoil(t, settings)
			spoil(t, uri)
			_, err := f.Settings()
			if unsafe, ok := errors.AsType[*safefile.UnsafeError](err); !ok || unsafe.File != settings {
				t.Error(err)
			}
			_, err = (&Keys{Folder: f}).Open(context.Background(), "ca", nil)
			if unsafe, ok := errors.AsType[*safefile.UnsafeError](err); !ok || unsafe.File != uri {
				t.Error(err)
			}
		})
	}
}
