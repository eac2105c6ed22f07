//go:build unix

package credfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/internal/filelock"
)

func update(t testing.TB, path, profile string) {
	t.Helper()
	if err := Update(t.Context(), path, mustSection(t, Credentials, profile), keys()); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, path, content string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Errorf("%v; %s holds\n%.300q\nwant\n%.300q", err, path, got, content)
	}
}

func mode(t testing.TB, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// The official helper created ~/.aws with mode 0600, in which no file can be opened.
func TestFolderMade0600(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "home", ".aws")
	path := filepath.Join(dir, "credentials")
	update(t, path, "p")
	want(t, path, "[p]\n"+block)
	if mode(t, dir).Perm() != 0o700 || mode(t, path) != 0o600 {
		t.Errorf("modes %v, %v", mode(t, dir), mode(t, path))
	}
}

func TestUpdate_keepsModeAndLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link, target := filepath.Join(dir, "a", "link"), filepath.Join(dir, "b", "target")
	if err := os.Symlink("../b/target", link); err != nil {
		t.Fatal(err)
	}
	update(t, link, "p") // the target is not there yet
	if mode(t, target) != 0o600 {
		t.Errorf("mode %v", mode(t, target))
	}
	write(t, target, "[q]\n", 0o640)
	update(t, link, "p")
	want(t, target, "[q]\n\n[p]\n"+block)
	if mode(t, target) != 0o640 || mode(t, link)&fs.ModeSymlink == 0 {
		t.Errorf("modes %v, %v", mode(t, target), mode(t, link))
	}
	if left, err := os.ReadDir(filepath.Join(dir, "a")); err != nil || len(left) != 1 {
		t.Errorf("beside the link: %v, %v", left, err)
	}
}

func TestUpdate_nothingLost(t *testing.T) {
	t.Parallel()
	const old = "[q]\naws_access_key_id = q\n"
	dir := t.TempDir()
	readOnly, folder := filepath.Join(dir, "read-only"), filepath.Join(dir, "folder")
	write(t, readOnly, old, 0o400)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, message := range map[string]string{readOnly: "", folder: folder + " is a directory, not a file"} {
		err := Update(t.Context(), path, mustSection(t, Credentials, "p"), keys())
		if message == "" && !errors.Is(err, fs.ErrPermission) || err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v", path, err)
		}
	}
	want(t, readOnly, old)
}

func TestUpdate_fullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk; the script test has a limit instead")
	}
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("mount: %v: %s; the script test has a limit instead", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	path := filepath.Join(disk, "credentials")
	old := "[q]\n# " + strings.Repeat("x", 40_000) + "\n"
	write(t, path, old, 0o600)
	err := Update(t.Context(), path, mustSection(t, Credentials, "p"), keys())
	if message := "write " + path + ": no space left on device"; err == nil || err.Error() != message {
		t.Errorf("%v, want %s", err, message)
	}
	want(t, path, old)
	left, err := os.ReadDir(disk)
	if err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestLostLastLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	write(t, path, "[p]\naws_access_key_id = old\n[q]\naws_access_key_id = q", 0o600)
	update(t, path, "p")
	want(t, path, "[p]\n"+block+"[q]\naws_access_key_id = q")
}

func TestLostLongLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	long := "[q]\nkey = " + strings.Repeat("x", 10<<20) + "\n"
	write(t, path, long+"[p]\n", 0o600)
	update(t, path, "p")
	want(t, path, long+"[p]\n"+block)
}

func TestUpdate_tenMegabytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	var b strings.Builder
	for i := 0; b.Len() < 10<<20; i++ {
		fmt.Fprintf(&b, "[profile-%d]\naws_access_key_id = %d\n# a comment\n\n", i, i)
	}
	write(t, path, b.String(), 0o600)
	update(t, path, "p")
	want(t, path, b.String()+"[p]\n"+block)
}

// Fault: of two writers of two profiles, one lost what the other had written.
func TestTwoWritersLoseAnUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	var group sync.WaitGroup
	for n := range 16 {
		group.Go(func() {
			if err := Update(context.Background(), path, mustSection(t, Credentials, fmt.Sprintf("p%d", n)), keys()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for n := range 16 {
		p, err := Read(path, mustSection(t, Credentials, fmt.Sprintf("p%d", n)))
		if err != nil || p.Settings["aws_session_token"] != "newToken==" || p.Problem != nil {
			t.Errorf("%d: %v, %+v", n, err, p)
		}
	}
}

// Fault: readers saw a file that was truncated, or empty.
func TestTornReads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	pad := "\n[q]\n# " + strings.Repeat("x", 100_000) + "\nend = 1\n"
	write(t, path, "[p]\n"+block+pad, 0o600)
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		for i := range 50 {
			settings := keys()
			settings[1].Value = strings.Repeat("s", 1+i*100)
			if err := Update(context.Background(), path, mustSection(t, Credentials, "p"), settings); err != nil {
				t.Error(err)
			}
		}
	})
	for ctx.Err() == nil {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(got, []byte("[p]\naws_access_key_id = AKIDNEW\n")) || !bytes.HasSuffix(got, []byte(pad)) {
			t.Fatalf("%v: %.200q", err, got)
		}
	}
	writer.Wait()
}

// A lock ends with its process; the next update removes what a killed writer left.
func TestUpdate_afterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	update(t, path, "p")
	lockFile := filepath.Join(dir, ".credentials.lock")
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), "KEDGE_TEST_LOCK="+lockFile)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil { // it has the lock
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := Update(waiting, path, mustSection(t, Credentials, "q"), keys()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with the lock taken: %v", err)
	}
	write(t, filepath.Join(dir, ".credentials.kedge-1234"), "[p]\nsecret", 0o600)
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	holder.Wait()
	update(t, path, "q")
	want(t, path, "[p]\n"+block+"\n[q]\n"+block)
	if left, err := filepath.Glob(filepath.Join(dir, ".credentials.*")); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestMain is also the process that TestUpdate_afterAKill kills.
func TestMain(m *testing.M) {
	if path := os.Getenv("KEDGE_TEST_LOCK"); path != "" {
		if _, err := filelock.Lock(context.Background(), path, time.Minute); err != nil {
			log.Fatal(err)
		}
		fmt.Print("x")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the other test ends, if that does not kill it
		return
	}
	os.Exit(m.Run())
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	if p, err := Read(path, mustSection(t, Config, "p")); err != nil || p.Found || p.Mode != 0 {
		t.Errorf("no file: %+v, %v", p, err)
	}
	write(t, path, "[profile p]\nregion = x\n[b]\n[b]\n", 0o640)
	p, err := Read(path, mustSection(t, Config, "p"))
	if err != nil || !p.Found || p.Settings["region"] != "x" || p.Mode != 0o640 {
		t.Errorf("%+v, %v", p, err)
	}
	if p.Problem == nil || p.Problem.Error() != "line 4: the section [b] is there twice" {
		t.Errorf("problem: %v", p.Problem)
	}
	if err := Problem("[DEFAULT]\na = 1\n[x]\n[DEFAULT]\nb = 1\n"); err != nil { // as configparser has it
		t.Errorf("[DEFAULT] may be there twice: %v", err)
	}
	if p, err := Read(path, mustSection(t, Config, "b")); err != nil || p.Found {
		t.Errorf("[b] is no profile of this file: %+v, %v", p, err)
	}
}
