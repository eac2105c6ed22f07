package process

import "syscall"

// Status is how a program ended.
type Status struct {
	Code   int            // the shell's exit code: 128 plus the signal if a signal ended it
	Signal syscall.Signal // that ended it; 0 if none did
}
