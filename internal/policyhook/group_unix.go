//go:build unix

package policyhook

import (
	"os/exec"
	"syscall"
)

// ownGroup runs a program in a process group of its own, all of which is ended when its time is over:
// a script's children too.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
