package process

import "syscall"

// Status is how a program ended.
type Status struct {
	Code   int            // as a shell says it: 128 and the signal where there was one
	Signal syscall.Signal // that ended it; 0 if none did
}
