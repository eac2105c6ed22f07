package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"kedge/internal/testenv"
)

// TestInterrupt: the first SIGTERM ends a run that waits for a password, and it leaves nothing.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"-", "fd:3", "/dev/stdin", "/dev/fd/3"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		cmd := exec.Command(self)
		cmd.Dir, cmd.Stdin, cmd.ExtraFiles = t.TempDir(), r, []*os.File{r}
		cmd.Args = []string{"kedge-ca", "init", "--key-password-from", password}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.Close()
		testenv.AwaitRead(t, w)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || err.Error() != "signal: terminated" {
			t.Errorf("%s: %v", password, err)
		}
		if _, err := os.Stat(filepath.Join(cmd.Dir, "ca")); !os.IsNotExist(err) {
			t.Errorf("%s: the folder of the CA: %v", password, err)
		}
	}
}
