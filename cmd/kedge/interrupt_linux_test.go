package main

import (
	"bytes"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"kedge/internal/testenv"
)

// TestInterrupt_whileReading: the first SIGTERM ends a run that waits for the bytes of a key.
func TestInterrupt_whileReading(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	for _, key := range []string{"-", "fd:3", "/dev/stdin", "/dev/fd/3"} {
		r, w, err := os.Pipe()
		must(t, err)
		defer w.Close()
		var stdout bytes.Buffer
		cmd := exec.Command(self)
		cmd.Args = []string{"kedge", "sign-string", "--private-key", key}
		cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = r, &stdout, []*os.File{r}
		must(t, cmd.Start(), r.Close())
		testenv.AwaitRead(t, w)
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err == nil || err.Error() != "signal: terminated" || stdout.Len() != 0 {
			t.Errorf("%s: %v, stdout %q", key, err, &stdout)
		}
	}
}
