//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Die ends this process by the signal that ended the program, so that who waits for it knows: a
// script that is interrupted goes on if its command does not die of SIGINT. It returns where there
// was no signal, and for those of which Go does not die in silence; the caller ends with Code.
func (s Status) Die() {
	switch s.Signal {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL:
		signal.Reset(s.Signal)
		if syscall.Kill(os.Getpid(), s.Signal) == nil {
			<-time.After(time.Second) // the signal comes before that, unless it is ignored
		}
	}
}
