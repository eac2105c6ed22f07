//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// KillTogether has a command of exec.CommandContext, which is to be started, killed with all that it
// starts when its context ends.
func KillTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
