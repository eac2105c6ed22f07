//go:build unix

package signer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLoad_swapped: key, certificate and intermediates are of one version of their folder, whenever
// the folder is replaced.
func TestLoad_swapped(t *testing.T) {
	t.Parallel()
	root := mint(t, "root", nil, asCA)
	for name, tt := range map[string]struct {
		files string // where the files are read
		make  func(dir string) error
		swap  func(dir string, version string) error
		gaps  bool // in which there is no folder
	}{
		"link to the folder": {"now", nil, func(dir, version string) error { return relink(version, dir+"/now") }, false},
		"links through a link": {"mount", func(dir string) error {
			err := os.Mkdir(dir+"/mount", 0o700)
			for _, name := range []string{"leaf.pem", "leaf.key", "chain.pem"} {
				err = errors.Join(err, os.Symlink("..data/"+name, dir+"/mount/"+name))
			}
			return err
		}, func(dir, version string) error { return relink("../"+version, dir+"/mount/..data") }, false},
		"links to elsewhere": {"mount", func(dir string) error {
			err := errors.Join(os.Mkdir(dir+"/mount", 0o700))
			for _, name := range []string{"leaf.pem", "leaf.key", "chain.pem"} {
				err = errors.Join(err, os.Symlink(dir+"/now/"+name, dir+"/mount/"+name))
			}
			return err
		}, func(dir, version string) error { return relink(version, dir+"/now") }, false},
		"folder renamed": {"now", nil, func(dir, version string) error {
			return errors.Join(ignore(os.Rename(dir+"/now", dir+"/"+other(version)), fs.ErrNotExist), os.Rename(dir+"/"+version, dir+"/now"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, version := range []string{"one", "two"} {
				issuer := mint(t, "issuer", root, asCA)
				leaf := mint(t, version, issuer)
				if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(dir, version, "leaf.pem"), certPEM(leaf))
				writeFile(t, filepath.Join(dir, version, "leaf.key"), keyPEM(t, leaf))
				writeFile(t, filepath.Join(dir, version, "chain.pem"), certPEM(issuer))
			}
			if tt.make != nil {
				if err := tt.make(dir); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.swap(dir, "one"); err != nil {
				t.Fatal(err)
			}
			stop, swaps := make(chan struct{}), make(chan int, 1)
			go func() {
				n := 0
				for version := "two"; ; version = other(version) {
					select {
					case <-stop:
						swaps <- n
						return
					default:
					}
					if err := tt.swap(dir, version); err != nil {
						t.Error(err)
					}
					n++
				}
			}()
			defer func() { <-swaps }()
			defer close(stop)
			at := filepath.Join(dir, tt.files)
			files := Files{Certificate: File(at + "/leaf.pem"), PrivateKey: File(at + "/leaf.key"), Intermediates: File(at + "/chain.pem"), Now: func() time.Time { return noon }}
			seen := map[string]int{}
			for n := 0; n < 500 || len(seen) < 2 && n < 200_000; n++ {
				id, err := Load(files)
				switch {
				case tt.gaps && errors.Is(err, fs.ErrNotExist):
				case err != nil:
					t.Fatal(err)
				case len(id.Chain()) != 1 || id.Leaf().CheckSignatureFrom(id.Chain()[0]) != nil:
					t.Fatalf("%s has the issuer of the other", id.Leaf().Subject)
				default:
					seen[id.Leaf().Subject.CommonName]++
				}
			}
			if len(seen) < 2 {
				t.Errorf("no swap was seen: %v", seen)
			}
		})
	}
}

func other(version string) string {
	if version == "one" {
		return "two"
	}
	return "one"
}

func relink(to, path string) error {
	return errors.Join(os.Symlink(to, path+".new"), os.Rename(path+".new", path))
}

func ignore(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return err
}

// TestLoad_again: a key that comes while its certificate is read, in another folder, is read again,
// once; a pair that does not match is named.
func TestLoad_again(t *testing.T) {
	t.Parallel()
	root := mint(t, "root", nil, asCA)
	first, second := mint(t, "first", root), mint(t, "second", root)
	certs, keys := t.TempDir(), t.TempDir()
	cert, key := writeFile(t, certs+"/leaf.pem", certPEM(second)), writeFile(t, keys+"/leaf.key", keyPEM(t, first))
	loads := 0
	files := Files{Certificate: File(cert), PrivateKey: File(key), Now: func() time.Time { loads++; return noon }}
	_, err := Load(files)
	if mismatch, ok := errors.AsType[*KeyMismatchError](err); !ok || mismatch.KeyFile != key || mismatch.CertFile != cert || loads != 2 {
		t.Errorf("%v, loaded %d times", err, loads)
	}
	pipe := func(data []byte) Blob {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		w.Close()
		return File(fmt.Sprintf("/dev/fd/%d", r.Fd()))
	}
	piped := Files{Certificate: pipe(certPEM(second)), PrivateKey: pipe(keyPEM(t, first)), Now: files.Now}
	if _, err := Load(piped); err == nil || !strings.Contains(err.Error(), "does not belong to the certificate") {
		t.Errorf("of a pipe: %v", err)
	}
	files.Now = func() time.Time {
		writeFile(t, key, keyPEM(t, second))
		return noon
	}
	if id, err := Load(files); err != nil || id.Leaf().Subject.CommonName != "second" {
		t.Error(err)
	}
}
