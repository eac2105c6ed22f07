//go:build unix

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cli"
)

// TestHostile: whatever is in the place of a file that is read, the answer is an error, at once, which
// names the file and its kind.
func TestHostile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca")
	mustRun(t, "init", "--dir", ca, "--no-password")
	link := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	kinds := map[string]struct {
		put  func(path string) error
		says *regexp.Regexp
	}{
		"pipe":         {func(path string) error { return syscall.Mkfifo(path, 0o600) }, regexp.MustCompile("(is a named pipe|not a regular file)")},
		"link to pipe": {func(path string) error { return errors.Join(syscall.Mkfifo(path+".p", 0o600), os.Symlink("x.p", path)) }, regexp.MustCompile("(is a named pipe|not a regular file)")},
		"folder":       {func(path string) error { return os.Mkdir(path, 0o700) }, regexp.MustCompile("(is a folder|not a regular file|is a directory)")},
		"device":       {link("/dev/zero"), regexp.MustCompile("(is a device|not a regular file)")},
		"socket": {func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		}, regexp.MustCompile("(is a socket|not a regular file|no such device)")},
		"loop": {link("x"), regexp.MustCompile("too many levels of symbolic links")},
		"none": {func(string) error { return nil }, regexp.MustCompile("no such file")},
	}
	for name, args := range map[string][]string{
		"lint":                     {"lint"},
		"sign":                     {"sign", "--dir", ca},
		"issue --from":             {"issue", "--dir", ca, "--out", dir, "--from"},
		"ledger import --crl":      {"ledger", "import", "--dir", ca, "--crl"},
		"init --key":               {"init", "--dir", filepath.Join(dir, "new"), "--key"},
		"init --key-password-from": {"init", "--dir", filepath.Join(dir, "new"), "--key-password-from"},
	} {
		for place, kind := range kinds {
			t.Run(name+"/"+place, func(t *testing.T) {
				t.Parallel()
				folder, err := os.MkdirTemp("", "x") // short enough for a socket
				if err != nil {
					t.Fatal(err)
				}
				defer os.RemoveAll(folder)
				path := filepath.Join(folder, "x")
				if err := kind.put(path); err != nil {
					t.Fatal(err)
				}
				var stdout, stderr bytes.Buffer
				ended := make(chan int, 1)
				go func() {
					ended <- run(t.Context(), append(args[:len(args):len(args)], path), cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
				}()
				select {
				case code := <-ended:
					if said := stderr.String(); code == cli.ExitDone || stdout.Len() > 0 || !strings.Contains(said, path) || !kind.says.MatchString(said) {
						t.Errorf("exit %d: %s", code, said)
					}
				case <-time.After(time.Minute): // for a machine that is busy
					t.Fatal("it waits")
				}
			})
		}
	}
}
