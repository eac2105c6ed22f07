package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kedge/internal/cli"
)

// mallory is the user whose files root changes, and who swaps them meanwhile.
const mallory = 65533

// swaps are what mallory exchanges, again and again, while root runs a command on home/sub/aws/f: two
// names below home, of which the second leads to what is root's.
var swaps = map[string]struct{ name, trap, to string }{
	"folder":       {"sub/aws", "trap", "../../root/aws"},
	"folder above": {"sub", "trap", "../root"},
	"file":         {"sub/aws/f", "sub/aws/trap", "../../../root/aws/f"},
	"lock":         {"sub/aws/.f.lock", "sub/aws/trap", "../../../root/aws/.f.lock"},
	"new file":     {"sub/aws/.none", "sub/aws/f", "../../../root/aws/new"},
	"new folder":   {".none", "sub", "../root/new"},
}

// TestSwaps: a user who swaps files, folders and links while root writes to their profile chooses no file
// of root's. KEDGE_TEST_SWAPS is how often root writes in each case.
func TestSwaps(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be tricked into writing to root's files")
	}
	rounds := 25
	if text := os.Getenv("KEDGE_TEST_SWAPS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorkplace(t)
	for name, s := range swaps {
		for _, command := range []string{"update", "configure"} {
			t.Run(name+"/"+command, func(t *testing.T) {
				top := newPrey(t)
				home := filepath.Join(top, "home")
				before := snapshot(t, filepath.Join(top, "root"))
				trap := filepath.Join(home, s.trap)
				must(t, os.RemoveAll(trap), os.Symlink(s.to, trap), os.Lchown(trap, mallory, mallory))
				stop := swap(t, filepath.Join(home, s.name), trap)
				done := 0
				for range rounds {
					done += w.rootRuns(t, command, filepath.Join(home, "sub", "aws", "f"))
				}
				n := stop()
				if t.Logf("%d of %d were done, in %d swaps", done, rounds, n); n < rounds {
					t.Error("too little was swapped")
				}
				if after := snapshot(t, filepath.Join(top, "root")); !maps.Equal(before, after) {
					t.Errorf("what is root's was\n%v\nand is\n%v", before, after)
				}
				keptAttributes(t, home)
			})
		}
	}
}

// newPrey makes two folders: root's, with files that could be hit, and mallory's.
func newPrey(t *testing.T) (top string) {
	t.Helper()
	top = t.TempDir()
	must(t, os.Chmod(filepath.Dir(top), 0o755)) // mallory goes through it
	for _, owner := range []int{0, mallory} {
		base := filepath.Join(top, map[int]string{0: "root", mallory: "home/sub"}[owner])
		must(t, os.MkdirAll(filepath.Join(base, "aws"), 0o755))
		for name, text := range map[string]string{"f": "[q]\nregion = x\n", ".f.lock": "", ".f.kedge-12": "a hidden file"} {
			path := filepath.Join(base, "aws", name)
			must(t, os.WriteFile(path, []byte(text), 0o640), os.Chmod(path, 0o640))
			must(t, setAttributes(path), os.Chown(path, owner, owner))
		}
		must(t, os.Chown(filepath.Join(base, "aws"), owner, owner), os.Chown(base, owner, owner))
	}
	must(t, os.Chown(filepath.Join(top, "home"), mallory, mallory), os.Chmod(filepath.Join(top, "home", "sub", "aws", ".f.lock"), 0o600))
	return top
}

// rootRuns runs a command, and returns 1 if it was done, or 0 if it was refused.
func (w *workplace) rootRuns(t *testing.T, command, path string) int {
	args := slices.Concat([]string{command, "--file", path, "--profile", "p", "--endpoint", w.endpoint,
		"--certificate", w.path("leaf.pem"), "--private-key", w.path("leaf.key"), "--trust-anchor-arn", w.emulator.TrustAnchorARN(),
		"--profile-arn", w.emulator.ProfileARN(), "--role-arn", w.emulator.RoleARN()})
	if command == "update" {
		args = append(args, "--once")
	} else {
		args = append(args, "--no-check")
	}
	var stdout, stderr bytes.Buffer
	switch code := run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr}); {
	case code == cli.ExitDone:
		return 1
	case code != cli.ExitFailed || stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "kedge: error: ") && !strings.Contains(stderr.String(), "\nkedge: error: "):
		t.Errorf("%s: exit %d, stdout %q, stderr %s", command, code, &stdout, &stderr)
	}
	return 0
}

// swap starts a process of mallory's that exchanges two names until it is stopped. stop returns how
// often it did.
func swap(t *testing.T, a, b string) (stop func() int) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Args = []string{"swapper", a, b}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	if _, err := stdout.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	return func() int {
		stdin.Close()
		text, err := io.ReadAll(stdout)
		must(t, err, cmd.Wait())
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		must(t, err)
		return n
	}
}

// swapper is that process.
func swapper() {
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setresgid(mallory, mallory, mallory), syscall.Setresuid(mallory, mallory, mallory)} {
		if err != nil {
			panic(err)
		}
	}
	ended := make(chan bool)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	n := 0
	for fmt.Print("x"); ; {
		select {
		case <-ended:
			fmt.Println(n)
			return
		default:
		}
		// The one that is not there (yet) is made by the other's name.
		err := unix.Renameat2(unix.AT_FDCWD, os.Args[1], unix.AT_FDCWD, os.Args[2], unix.RENAME_EXCHANGE)
		if err != nil {
			err = os.Rename(os.Args[2], os.Args[1])
		}
		if err != nil {
			err = os.Rename(os.Args[1], os.Args[2])
		}
		if err == nil {
			n++
		}
	}
}

// attributes are an access list, by which another user may read, and a user attribute: acl(5).
func setAttributes(path string) error {
	acl := "\x02\x00\x00\x00" +
		"\x01\x00\x06\x00\xff\xff\xff\xff" + // its owner: rw
		"\x02\x00\x04\x00\xfe\xff\x00\x00" + // user 65534: r
		"\x04\x00\x00\x00\xff\xff\xff\xff" + // its group: nothing
		"\x10\x00\x04\x00\xff\xff\xff\xff" + // at most: r
		"\x20\x00\x00\x00\xff\xff\xff\xff" // others: nothing
	if err := unix.Setxattr(path, "system.posix_acl_access", []byte(acl), 0); err != nil {
		return fmt.Errorf("TMPDIR needs a file system with access lists: %w", err)
	}
	return unix.Setxattr(path, "user.note", []byte("kept"), 0)
}

// keptAttributes sees that mallory's file is as accessible as before, wherever it is now.
func keptAttributes(t *testing.T, home string) {
	t.Helper()
	for path, state := range snapshot(t, home) {
		if !strings.Contains(state, `"[q]\n`) {
			continue
		}
		if want := fmt.Sprintf("-rw-r----- %d:%d", mallory, mallory); !strings.HasPrefix(state, want) || !strings.Contains(state, "user.note=kept") || !strings.Contains(state, "posix_acl_access=\x02") {
			t.Errorf("%s is now %q", path, state)
		}
	}
}

// snapshot describes all that can be changed of each file below a folder.
func snapshot(t *testing.T, top string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(top, path)
		stat := info.Sys().(*syscall.Stat_t)
		state := fmt.Sprintf("%v %d:%d, %d names, %s, ", info.Mode(), stat.Uid, stat.Gid, stat.Nlink, info.ModTime().Format(time.RFC3339Nano))
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			state += fmt.Sprintf("%q", data)
			for _, attribute := range []string{"system.posix_acl_access", "user.note"} {
				value := make([]byte, 1000)
				n, _ := unix.Lgetxattr(path, attribute, value)
				state += ", " + attribute + "=" + string(value[:max(n, 0)])
			}
		}
		found[name] = state
		return nil
	}))
	return found
}
