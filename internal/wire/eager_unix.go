//go:build unix

package wire

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spinTime is how long an eager reader polls for the next message before it sleeps. To wake a thread takes
// longer than most of what is asked of a token: one caller's P-256 signatures on SoftHSM come at 0.48 to 0.76
// of a bare loop's rate with it, and at 0.30 without (five and four runs on two idle cores; the aim is 0.5).
const spinTime = 100 * time.Microsecond

// eager reads from a pipe; see [Eager].
type eager struct {
	pipe  *os.File
	reads int
}

// Pipe returns a pipe whose end to read from Go's poller does not watch: each message would wake up
// a thread of that, too. Closing it does not end a Read; closing the other end does.
func Pipe() (r, w *os.File, err error) {
	var fds [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(fds[:]); err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "|0"), os.NewFile(uintptr(fds[1]), "|1"), nil
}

// Eager returns a reader of a pipe, for a long conversation: when there is nothing
// to read it does not sleep at once, for on a machine with several processors the answer is often
// there sooner than a thread is woken up. Between its looks it lets others run. Its first Few reads are
// as others.
func Eager(pipe *os.File) io.Reader {
	if runtime.NumCPU() == 1 {
		return pipe
	}
	return &eager{pipe: pipe}
}

func (e *eager) Read(b []byte) (int, error) {
	if e.reads++; e.reads > Few {
		if conn, err := e.pipe.SyscallConn(); err == nil {
			conn.Control(look)
		}
	}
	return e.pipe.Read(b)
}

// look polls until there is something to read, or spinTime ends. To read would keep the writer out.
func look(fd uintptr) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for start := time.Now(); time.Since(start) < spinTime; runtime.Gosched() {
		if n, err := unix.Poll(fds, 0); n > 0 || err != nil && err != unix.EINTR {
			return
		}
	}
}
