//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Die ends this process by the signal that ended the program, so that its parent sees that signal:
// a script that is interrupted continues if its command does not die of SIGINT. It returns if there
// was no signal, and for signals on which Go prints or does not die; the caller then exits with
// Code.
func (s Status) Die() {
	switch s.Signal {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL:
		signal.Reset(s.Signal)
		if syscall.Kill(os.Getpid(), s.Signal) == nil {
			<-time.After(time.Second) // the signal arrives before that, unless it is ignored
		}
	}
}
