//go:build !unix

package process

import "os/exec"

// KillTogether does nothing: a process is killed alone here.
func KillTogether(*exec.Cmd) {}
