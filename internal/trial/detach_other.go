//go:build !unix

package trial

import "os/exec"

// detach does nothing: a terminal cannot be taken from a process here.
func detach(*exec.Cmd) {}
