// Command torn kills two processes of "kedge update" by kill -9 at random moments, each on a
// profile of its own in one credentials file, while ten readers read that file all the time.
//
// No read may see a part of a file, keys that do not belong together, an older session after a
// newer one, or a change of any other byte. In the end both profiles must be current, and nothing
// may be left beside the file.
//
// usage: torn KILLS KEDGE FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const readers = 10

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "torn:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("give KILLS KEDGE FOLDER")
	}
	kills, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := newService(args[2])
	if err != nil {
		return err
	}
	defer s.server.Close()
	t := &rehearsal{service: s, path: filepath.Join(args[2], "aws", "credentials")}
	if t.program, err = filepath.Abs(args[1]); err != nil {
		return err
	}
	if err := t.prepare(); err != nil {
		return err
	}
	start := time.Now()
	reads, err := t.rehearse(kills)
	if err == nil {
		err = t.finish()
	}
	if err != nil {
		return err
	}
	if reads.count < kills || len(reads.versions) < 1+kills/10 {
		return fmt.Errorf("too little was rehearsed: %d reads, %d versions", reads.count, len(reads.versions))
	}
	fmt.Printf("torn: %d updaters killed in %.0f s; %d reads of %d versions by %d readers: none torn, no byte of other profiles lost, no profile set back; both are current\n",
		kills, time.Since(start).Seconds(), reads.count, len(reads.versions), readers)
	return nil
}

// rehearsal is a credentials file, with the processes that write to it.
type rehearsal struct {
	*service
	program string // kedge
	path    string // of the file
	took    time.Duration
}

// prepare writes a typical file, and measures how long an update takes.
func (t *rehearsal) prepare() error {
	if err := os.Mkdir(filepath.Dir(t.path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(t.path, []byte(before+"[web]\n"+between+"[db]\n"+after), 0o600); err != nil {
		return err
	}
	for _, profile := range profiles() {
		start := time.Now()
		if err := t.update(profile); err != nil {
			return err
		}
		t.took = time.Since(start)
	}
	return nil
}

func profiles() []string { return []string{"web", "db"} }

// command is an updater; without "--once" it does not end by itself.
func (t *rehearsal) command(profile string, args ...string) *exec.Cmd {
	return exec.Command(t.program, append([]string{"update", "--file", t.path, "--profile", profile, "--config", os.DevNull}, append(t.flags, args...)...)...)
}

// update runs an updater to its end.
func (t *rehearsal) update(profile string) error {
	if out, err := t.command(profile, "--once").CombinedOutput(); err != nil {
		return fmt.Errorf("kedge update --profile %s: %w\n%s", profile, err, out)
	}
	return nil
}

// rehearse kills so many updaters, with the readers running.
func (t *rehearsal) rehearse(kills int) (*seen, error) {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	all := &seen{versions: map[string]bool{}}
	var reading, writing sync.WaitGroup
	for range readers {
		reading.Go(func() {
			if err := t.read(ctx, all); err != nil {
				stop(err)
			}
		})
	}
	var left atomic.Int64
	left.Store(int64(kills))
	for i := range profiles() {
		writing.Go(func() {
			w := &updater{rehearsal: t, profile: i, window: 2 * t.took}
			for ctx.Err() == nil && left.Add(-1) >= 0 {
				if err := w.kill(); err != nil {
					stop(err)
				}
			}
		})
	}
	writing.Wait()
	err := context.Cause(ctx)
	stop(nil)
	reading.Wait()
	if err == nil && context.Cause(ctx) != context.Canceled {
		err = context.Cause(ctx)
	}
	return all, err
}

// updater runs the updaters of a profile, one after the other.
type updater struct {
	*rehearsal
	profile int
	newest  int           // session in the file
	window  time.Duration // within which it is killed
}

// kill starts an updater and kills it before, while or after it writes: the window follows how
// long that takes while the readers are busy.
func (w *updater) kill() error {
	var stderr strings.Builder
	cmd := w.command(profiles()[w.profile])
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(rand.N(w.window))
	cmd.Process.Kill()
	cmd.Wait()
	if cmd.ProcessState.Exited() {
		return fmt.Errorf("kedge update ended by itself: %s\n%s", cmd.ProcessState, &stderr)
	}
	content, err := os.ReadFile(w.path)
	if err != nil {
		return err
	}
	now, err := w.check(string(content))
	if err != nil {
		return err
	}
	if now[w.profile] == w.newest {
		w.window += w.window / 4
	} else {
		w.window -= w.window / 4
	}
	w.newest = now[w.profile]
	return nil
}

// finish updates both profiles once more, and checks the file.
func (t *rehearsal) finish() error {
	for i, profile := range profiles() {
		if err := t.update(profile); err != nil {
			return err
		}
		content, err := os.ReadFile(t.path)
		if err != nil {
			return err
		}
		now, err := t.check(string(content))
		if err != nil {
			return err
		}
		if now[i] != t.last() {
			return fmt.Errorf("the profile %s holds session %d after an update, not %d", profile, now[i], t.last())
		}
	}
	left, err := os.ReadDir(filepath.Dir(t.path))
	if err != nil {
		return err
	}
	if len(left) != 2 { // the file and its lock
		return fmt.Errorf("left beside the file: %v", left)
	}
	return nil
}
