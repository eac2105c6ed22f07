package process

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// Find looks for the program as os/exec does. The error is a *StartError.
func Find(name string, _ []string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", startError(name, false, err)
	}
	return path, nil
}

// CloseOnStart does nothing: a program inherits only the three streams.
func CloseOnStart(int) {}

// Replace is Run: the system cannot replace a process.
func Replace(c Command) (Status, error) { return Run(c) }

// Run runs the program as a child until it ends. The console sends Ctrl-C and Ctrl-Break to both,
// and this process lets the child decide. The error is a *StartError.
func Run(c Command) (Status, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	child, err := os.StartProcess(c.Path, c.Args, &os.ProcAttr{Env: c.Env, Files: c.Files})
	if err != nil {
		return Status{}, startError(c.Args[0], true, err)
	}
	state, err := child.Wait()
	if err != nil {
		return Status{}, startError(c.Args[0], true, errors.Join(errors.New("wait for it"), err))
	}
	return Status{Code: state.ExitCode()}, nil
}

// Die returns: there are no signals on this system.
func (s Status) Die() {}
