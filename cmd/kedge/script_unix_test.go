//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// becomeNobody makes cmd run as the user that owns nothing.
func becomeNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
