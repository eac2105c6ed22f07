package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// round lets three processes issue one certificate after the other and one a list, others renew,
// revoke, make lists and change the root; it kills them, and goes on with what they were at.
func (r *rehearsal) round(n int) error {
	if err := r.writeList(n); err != nil {
		return err
	}
	w := &workers{r: r, rotates: n%stepEvery == stepEvery-1}
	for _, worker := range []string{"a", "b", "c"} {
		w.group.Go(func() {
			for i := 0; w.issue(fmt.Sprintf("round-%d-%s-%d", n, worker, i)); i++ {
			}
		})
	}
	w.change()
	w.group.Go(func() { w.run("issue", "--from", r.list(n), "--out", r.path("out")) })

	time.Sleep(rand.N(300 * time.Millisecond))
	cut := r.restart != "" && n%cutEvery == cutEvery-1
	if cut {
		r.cuts++
		if out, err := exec.Command(r.restart).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", r.restart, err, out)
		}
	}
	interrupted := w.kill()
	r.killed += w.killed
	if len(w.failed) > 0 && !cut { // after a power cut it is right to report that the server is gone
		return errors.Join(w.failed...)
	}
	for _, name := range append(interrupted, fmt.Sprintf("round-%d-next", n)) {
		if _, err := os.Stat(r.path("out/" + name + ".pem")); err == nil {
			continue // its files are complete: it was killed after its last write
		}
		if _, err := r.kedgeCA("issue", name, "--out", r.path("out")); err != nil {
			return fmt.Errorf("the next issue: %w", err)
		}
	}
	if err := r.again(w); err != nil {
		return err
	}
	r.share(n, w.issued)
	return nil
}

// list is the file of hosts of a round.
func (r *rehearsal) list(n int) string { return r.path(fmt.Sprintf("hosts-%d.csv", n/listEvery)) }

func (r *rehearsal) writeList(n int) error {
	if n%listEvery != 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("name\n")
	for i := range listLength {
		fmt.Fprintf(&b, "list-%d-%d\n", n/listEvery, i)
	}
	return os.WriteFile(r.list(n), []byte(b.String()), 0o600)
}

// kedgeCA runs a command to its end and returns its standard output.
func (r *rehearsal) kedgeCA(args ...string) ([]byte, error) {
	var stderr strings.Builder
	cmd := exec.Command(r.program, append(args, "--dir", r.path("ca"))...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("kedge-ca %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out, err
}

// workers are the processes of a round.
type workers struct {
	r     *rehearsal
	group sync.WaitGroup

	mutex       sync.Mutex
	over        bool // no process is started any more
	running     []*exec.Cmd
	killed      int
	interrupted []string // names
	issued      []string // names
	failed      []error  // commands that ended by themselves

	rotates  bool   // a step of a rotation is in progress: operations that are refused meanwhile are repeated after it
	renewal  string // name that was being renewed
	aging    string // the same, with a short lifetime
	toRevoke string // name that was being revoked
	step     bool   // a step of a rotation was being taken
}

// issue reports whether to continue.
func (w *workers) issue(name string) bool {
	done := w.run("issue", name, "--out", w.r.path("out"))
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if done {
		w.issued = append(w.issued, name)
		return true
	}
	w.interrupted = append(w.interrupted, name)
	return false
}

// run reports whether a command succeeded.
func (w *workers) run(args ...string) bool {
	var stderr strings.Builder
	cmd := exec.Command(w.r.program, append(args, "--dir", w.r.path("ca"))...)
	cmd.Stderr = &stderr
	if err := w.start(cmd); err != nil {
		return false
	}
	err := cmd.Wait()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	switch {
	case err == nil:
	case w.rotates && (strings.Contains(stderr.String(), "is retired") || strings.Contains(stderr.String(), "in the meantime")):
	case cmd.ProcessState.Exited():
		w.failed = append(w.failed, fmt.Errorf("kedge-ca %s: %w\n%s", strings.Join(args, " "), err, stderr.String()))
	default:
		w.killed++
	}
	return err == nil
}

func (w *workers) start(cmd *exec.Cmd) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.over {
		return errors.New("the round is over")
	}
	if err := cmd.Start(); err != nil {
		w.failed = append(w.failed, err)
		return err
	}
	w.running = append(w.running, cmd)
	return nil
}

// kill kills the running commands and returns the names that may not have been issued.
func (w *workers) kill() []string {
	w.mutex.Lock()
	w.over = true
	for _, cmd := range w.running {
		cmd.Process.Kill() // no effect on those that have ended
	}
	w.mutex.Unlock()
	w.group.Wait()
	return w.interrupted
}
