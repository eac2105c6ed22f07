//go:build unix

package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kedge/ca"
)

// reader is another user, who may read a folder with a ledger, and write nothing.
type reader struct {
	program, folder string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := t.TempDir()
	r := &reader{program: filepath.Join(dir, "program"), folder: filepath.Join(dir, "ledger")}
	copyProgram(t, r.program)
	openParents(t, dir)
	if err := os.Mkdir(r.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

// reads returns what childReads says.
func (r *reader) reads(path string) string {
	cmd := exec.Command(r.program)
	cmd.Dir, cmd.Env = "/", []string{childLedger + "=" + readOnly + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	said, _ := cmd.CombinedOutput() // its exit code is always 1
	return strings.TrimSpace(string(said))
}

func TestOpen_readOnlyUser(t *testing.T) {
	r := newReader(t)
	path := filepath.Join(r.folder, "ledger.db")
	if err := create(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	want := func(what string, issued, revoked int) {
		t.Helper()
		if got, want := r.reads(path), fmt.Sprintf("read %d certificates, %d revoked", issued, revoked); got != want {
			t.Errorf("%s: %s; want %s", what, got, want)
		}
	}
	want("closed, empty", 0, 0)
	root := newAuthority(t, "Test CA", nil)
	l := create(t, path)
	want("open, nothing written", 0, 0)
	register(t, l, root)
	want("one commit", 1, 0)
	add(t, l, ca.Issued{Certificate: root.leaf("a")})
	want("two commits", 2, 0)
	if err := l.Revoke(t.Context(), [][]byte{fingerprint(root.cert)}, Revocation{Reason: ca.Superseded, At: noon}); err != nil {
		t.Fatal(err)
	}
	want("three commits", 2, 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want("closed", 2, 1)
}

// A process that was killed leaves what it wrote beside the file.
func TestOpen_readOnlyUserAfterKill(t *testing.T) {
	r := newReader(t)
	path := filepath.Join(r.folder, "ledger.db")
	l := create(t, path)
	root := newAuthority(t, "Test CA", nil)
	add(t, l, ca.Issued{Certificate: root.cert})
	killed := filepath.Join(r.folder, "killed.db")
	for _, suffix := range []string{"", "-wal", "-shm"} { // as the disk is when all ends now
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed+suffix, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.reads(killed); got != "read 1 certificates, 0 revoked" {
		t.Errorf("after a kill: %s", got)
	}
	if err := os.Remove(killed + "-shm"); err != nil {
		t.Fatal(err)
	}
	want := "read the ledger " + killed + ": the newest entries are in " + killed + "-wal, which only a user who may write to its folder can read"
	if got := r.reads(killed); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := os.Chmod(killed+"-wal", 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.reads(killed); got != want {
		t.Errorf("unreadable: got  %s\nwant %s", got, want)
	}
}

func TestOpen_readOnlyMount(t *testing.T) {
	r := newReader(t)
	path := filepath.Join(r.folder, "ledger.db")
	l := create(t, path)
	add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	mount := func(args ...string) error { return exec.Command("mount", append(args, r.folder)...).Run() }
	if err := mount("--bind", r.folder); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", r.folder).Run(); err != nil {
			t.Error(err)
		}
	})
	if err := mount("-o", "remount,ro,bind"); err != nil {
		t.Skipf("mount: %v", err)
	}
	if err := childReads(path); err.Error() != "read 1 certificates, 0 revoked" {
		t.Error(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	l, err := Open(t.Context(), path, Options{Now: atNoon, ReadOnly: true})
	if err == nil {
		err = errors.Join(l.Backup(t.Context(), copied), l.Close())
	}
	if err != nil {
		t.Error(err)
	}
	l, err = Open(t.Context(), path, Options{Now: atNoon, AnyClock: true})
	if err == nil {
		err = errors.Join(l.RecordIssued(t.Context(), ca.Issued{Certificate: newAuthority(t, "b", nil).cert, At: noon}), l.Close())
	}
	if !errors.Is(err, fs.ErrPermission) || !strings.HasSuffix(err.Error(), "the file or its folder is read-only") {
		t.Errorf("writing: %v", err)
	}
}

// firstAlone reads the file alone at first, and then as it would.
type firstAlone struct {
	*readOnlyFile
	connections int
}

func (f *firstAlone) Connect(ctx context.Context) (driver.Conn, error) {
	if f.connections++; f.connections == 1 {
		return f.alone(ctx)
	}
	return f.readOnlyFile.Connect(ctx)
}

// A writer starts while the file is read alone: the rows are of one state, and a query after a
// commit sees it.
func TestReadOnlyFile_writerComes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	root := newAuthority(t, "Test CA", nil)
	write := func(n int) *Ledger {
		t.Helper()
		l := create(t, path)
		for range n {
			add(t, l, ca.Issued{Certificate: root.leaf("web")})
		}
		return l
	}
	if err := write(100).Close(); err != nil {
		t.Fatal(err)
	}
	f := &firstAlone{readOnlyFile: &readOnlyFile{where: "w", path: path, uri: "file:" + path + "?mode=ro"}}
	db := sql.OpenDB(f)
	db.SetMaxOpenConns(1)
	defer db.Close()
	count := func(want int) {
		t.Helper()
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM certificates WHERE kind = 'leaf'").Scan(&n); err != nil || n != want {
			t.Errorf("%d certificates, want %d, %v", n, want, err)
		}
	}
	count(100)
	l := write(1)
	count(101) // not yet in the file
	if f.connections != 2 {
		t.Errorf("%d connections", f.connections)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	count(101)

	alone := sql.OpenDB(&firstAlone{readOnlyFile: f.readOnlyFile})
	defer alone.Close()
	if err := db.Close(); err != nil { // the last one to hold the file removes -wal
		t.Fatal(err)
	}
	if err := write(0).Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := alone.QueryContext(t.Context(), "SELECT der FROM certificates")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		if n == 10 {
			if err := write(50).Close(); err != nil { // into the file
				t.Fatal(err)
			}
		}
	}
	if n > 11 || !errors.Is(rows.Err(), errMoved) {
		t.Errorf("%d rows after the file was changed, %v", n, rows.Err())
	}
}
