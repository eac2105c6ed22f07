//go:build unix

package ledger

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kedge/ca"
)

// root can write everywhere, so the ledger is opened by a process of another user.
func TestOpen_otherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	copyProgram(t, program)
	openParents(t, dir)
	for _, tt := range []struct {
		what       string
		file, mode os.FileMode // of the folder
		want       string
	}{
		{"a file of another", 0o600, 0o755, "the ledger PATH cannot be read by this user"},
		{"a file that can be read only", 0o644, 0o755, "the ledger PATH cannot be written by this user: the file or its folder is read-only"},
		{"a folder of another", 0o644, 0o700, "the ledger PATH cannot be read by this user"},
		{"a folder that takes no files", 0o666, 0o755, "the ledger PATH cannot be written by this user: the file or its folder is read-only"},
	} {
		folder := filepath.Join(dir, strings.ReplaceAll(tt.what, " ", "-"))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "ledger.db")
		l := create(t, path)
		add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for name, mode := range map[string]os.FileMode{path: tt.file, folder: tt.mode} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(program)
		cmd.Dir, cmd.Env = "/", []string{childLedger + "=" + path}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err == nil || len(out) != 0 || !strings.Contains(said.String(), strings.ReplaceAll(tt.want, "PATH", path)) {
			t.Errorf("%s: %v, %s%s", tt.what, err, out, said.String())
		}
	}
}

// openParents gives all users access to a folder.
func openParents(t *testing.T, dir string) {
	t.Helper()
	for parent := dir; parent != "/"; parent = filepath.Dir(parent) { // t.TempDir has two levels
		if info, err := os.Stat(parent); err != nil || info.Mode()&0o001 == 0 {
			if err := os.Chmod(parent, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
