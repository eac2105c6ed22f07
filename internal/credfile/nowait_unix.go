//go:build unix

package credfile

import "syscall"

// noWait keeps a pipe in the place of the file from being waited for.
const noWait = syscall.O_NONBLOCK
