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

// Find looks for the program as execvp does: in the folders of env's PATH, unless name is a path
// itself. The error is a *StartError.
func Find(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", startError(name, false, err)
		}
		return path, nil
	}
	found := exec.ErrNotFound // unless a folder has the file, not executable
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

// Replace executes the program in this process. It returns only if that fails, with a *StartError.
func Replace(c Command) (Status, error) {
	passSignals()
	return Status{}, startError(c.Args[0], true, syscall.Exec(c.Path, c.Args, c.Env))
}

// CloseOnStart keeps the program from inheriting a descriptor that this process was started with.
func CloseOnStart(fd int) { syscall.CloseOnExec(fd) }

// passSignals undoes signal.Ignore for SIGPIPE, which a new program would inherit. A signal with a
// handler is reset to its default there; signal.Reset alone would leave it ignored.
func passSignals() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// Run runs the program as a child until it ends. It forwards signals to the child, but for those
// that the terminal has sent to the child as well. When the child is stopped, it stops this process
// too, so that the shell notices, and continues the child with it. The error is a *StartError.
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

// passedOn returns the signals that a program may handle. Those that were ignored when this process
// started stay ignored, as after nohup.
func passedOn() []os.Signal {
	var all []os.Signal
	for _, s := range [...]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}

// fromTerminal reports whether the terminal sent the signal: to this process and, in the same
// group, to its child. Go does not report the sender, but these three come from the terminal if
// this group is in its foreground.
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

// stopTogether is the time that a signal to a group takes to reach all of it, with a margin.
const stopTogether = 100 * time.Millisecond

// wait waits for the child and reaps it.
func wait(pid int) Status {
	status, ok := wait4(pid, syscall.WUNTRACED)
	for ok {
		switch {
		case status.Exited():
			return Status{Code: status.ExitStatus()}
		case status.Signaled():
			return Status{Code: 128 + int(status.Signal()), Signal: status.Signal()}
		case status.Stopped():
			// Ctrl-Z stops this process as well, perhaps a moment later; when it is continued, so
			// is the child.
			<-time.After(stopTogether)
			if next, ok := wait4(pid, syscall.WCONTINUED|syscall.WNOHANG); ok {
				status = next
				continue
			}
			stop(pid)
		}
		status, ok = wait4(pid, syscall.WUNTRACED)
	}
	return Status{Code: 1} // no such child; cannot happen
}

// wait4 is the system call. It returns false if there is nothing to report.
func wait4(pid, options int) (status syscall.WaitStatus, ok bool) {
	for {
		got, err := syscall.Wait4(pid, &status, options, nil)
		if !errors.Is(err, syscall.EINTR) {
			return status, err == nil && got == pid
		}
	}
}

// stop stops this process because its child is stopped, and continues the child when it is
// continued. Without a terminal, or as a session leader, there is no shell that would continue it.
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
