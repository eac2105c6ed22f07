//go:build unix

package process

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Find looks for the program as execvp does: in the folders of the PATH of env, unless name is a
// path itself. The error is a *StartError.
func Find(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", startError(name, false, err)
		}
		return path, nil
	}
	found := exec.ErrNotFound // unless a folder has it and does not let it be run
	for _, dir := range filepath.SplitList(searchPath(env)) {
		if dir == "" {
			dir = "."
		}
		path, err := exec.LookPath(dir + "/" + name)
		if err == nil && name != "" {
			return path, nil
		}
		if errors.Is(err, os.ErrPermission) {
			found = syscall.EACCES
		}
	}
	return "", startError(name, false, found)
}

func searchPath(env []string) string {
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			return value
		}
	}
	return "/bin:/usr/bin"
}

// Replace puts the program into this process. It returns only when that fails, with a *StartError.
func Replace(c Command) (Status, error) {
	passSignals()
	return Status{}, startError(c.Args[0], true, syscall.Exec(c.Path, c.Args, c.Env))
}

// CloseOnStart keeps a descriptor that this process was started with from the program.
func CloseOnStart(fd int) { syscall.CloseOnExec(fd) }

// passSignals undoes signal.Ignore for SIGPIPE, which a new program would keep. A signal with a
// handler has its default there; signal.Reset alone would leave it ignored.
func passSignals() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Run runs the program as a child until it ends. Signals to this process are passed on, but for
// those that the terminal sends to the child, too. A child that is stopped stops this process,
// so that the shell above knows, and goes on with it. The error is a *StartError.
func Run(c Command) (Status, error) {
	passSignals()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn()...)
	defer signal.Stop(signals)
	child, err := os.StartProcess(c.Path, c.Args, &os.ProcAttr{Env: c.Env, Files: c.Files})
	if err != nil {
		return Status{}, startError(c.Args[0], true, err)
	}
	ended := make(chan Status, 1)
	go func() { ended <- wait(child.Pid) }()
	for {
		select {
		case status := <-ended:
			return status, nil
		case s := <-signals:
			if !fromTerminal(s) {
				_ = child.Signal(s) // it may have ended
			}
		}
	}
}

// passedOn are the signals that a program may be waiting for. Those that were ignored when this
// process began stay so, as after nohup.
func passedOn() []os.Signal {
	var all []os.Signal
	for _, s := range [...]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}

// fromTerminal tells whether the terminal sent the signal: to this process and, in the same group,
// to its child. Go does not say who did, but these three come from the terminal if this group is the one
// in its foreground.
func fromTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGWINCH {
		return false
	}
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == syscall.Getpgrp()
}

// stopTogether is what a signal to a group needs to reach all of it, and more.
const stopTogether = 100 * time.Millisecond

// wait waits for the child, which is not reaped otherwise.
func wait(pid int) Status {
	status, ok := wait4(pid, syscall.WUNTRACED)
	for ok {
		switch {
		case status.Exited():
			return Status{Code: status.ExitStatus()}
		case status.Signaled():
			return Status{Code: 128 + int(status.Signal()), Signal: status.Signal()}
		case status.Stopped():
			// Ctrl-Z is to stop this process with it, which may come a moment later; then, by the
			// time it goes on again, so does the child.
			<-time.After(stopTogether)
			if next, ok := wait4(pid, syscall.WCONTINUED|syscall.WNOHANG); ok {
				status = next
				continue
			}
			stop(pid)
		}
		status, ok = wait4(pid, syscall.WUNTRACED)
	}
	return Status{Code: 1} // it is not there, which nobody can have brought about
}

// wait4 is the system call. It returns false if there is nothing to tell.
func wait4(pid, options int) (status syscall.WaitStatus, ok bool) {
	for {
		got, err := syscall.Wait4(pid, &status, options, nil)
		if !errors.Is(err, syscall.EINTR) {
			return status, err == nil && got == pid
		}
	}
}

// stop stops this process because its child is, and wakes the child when it goes on. Without a
// terminal, and for the first process of a session, there is no shell that would let it go on.
func stop(child int) {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return
	}
	terminal.Close()
	if session, err := unix.Getsid(0); err != nil || session == os.Getpid() {
		return
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(os.Getpid(), syscall.SIGSTOP) != nil {
		return
	}
	<-continued // this thread may run on for a moment before it stops
	_ = syscall.Kill(child, syscall.SIGCONT)
}
