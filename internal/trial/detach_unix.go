//go:build unix

package trial

import (
	"os/exec"
	"syscall"
)

// detach takes the terminal from a process that is to be started.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
