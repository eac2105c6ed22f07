//go:build unix

// Command soak runs "kedge serve" for a while under the load of clients of both endpoints.
// Its sessions are so short that it renews them every 20 seconds; the emulator that issues them
// gives wrong answers, hangs and is restarted; and its certificate is replaced every 30 seconds,
// with files that are half written, missing or mismatched in between.
//
// Every answer with status 200 must have complete, unexpired credentials whose parts belong together,
// which STS accepts, and which are not older than the same client's previous ones. An error is
// right only if there can be no valid credentials. No read may take long, goroutines,
// descriptors and memory must stay flat, the log must be short and without secrets, and SIGTERM
// must end it with exit code 0 while clients keep sending requests.
//
// usage: soak DURATION PROGRAMS FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// The intervals of a soak of more than two minutes; in a shorter one they are halved.
const (
	refreshEvery = 20 * time.Second
	rotateEvery  = 30 * time.Second
	shortSoak    = 2 * time.Minute
	leastSoak    = 20 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("give DURATION PROGRAMS FOLDER")
	}
	long, err := time.ParseDuration(args[0])
	if err == nil && long < leastSoak {
		err = fmt.Errorf("%s is too short: nothing is renewed within %s", long, leastSoak)
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &soak{long: long, refresh: refreshEvery, rotate: rotateEvery, dir: args[2]}
	if long < shortSoak {
		s.refresh, s.rotate = refreshEvery/2, rotateEvery/4
	}
	if s.programs, err = filepath.Abs(args[1]); err != nil {
		return err
	}
	err = s.run(ctx)
	if err != nil && s.daemon != nil {
		err = fmt.Errorf("%w\nthe end of the log of kedge serve:\n%s", err, s.daemon.lastWords())
	}
	return err
}

// soak has the processes, files and checks of a run.
type soak struct {
	long            time.Duration
	refresh, rotate time.Duration // how often
	dir, programs   string

	judge   *judge
	files   *files
	service *service
	daemon  *daemon
	table   *table
}

func (s *soak) program(name string) string { return filepath.Join(s.programs, name) }
func (s *soak) path(name string) string    { return filepath.Join(s.dir, name) }

// run runs the whole soak.
func (s *soak) run(ctx context.Context) (err error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s.judge = newJudge(fail)
	if s.files, err = newFiles(s); err != nil {
		return err
	}
	if s.service, err = newService(s); err != nil {
		return err
	}
	defer s.service.stop()
	if s.daemon, err = startDaemon(s); err != nil {
		return err
	}
	defer s.daemon.kill()
	quiet, err := s.daemon.awaitIdle(ctx)
	if err != nil {
		return err
	}
	s.table = newTable(s)
	s.table.header()
	if err := s.weather(ctx); err != nil {
		return err
	}
	if err := s.afterwards(ctx, quiet); err != nil {
		return err
	}
	return s.table.sum()
}

// weather is the phase in which everything happens at once.
func (s *soak) weather(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.long)
	defer cancel()
	all := &group{fail: s.judge.fail}
	load := s.daemon.clients(s.judge)
	for _, c := range load {
		all.start(func() error { return c.run(limited) })
	}
	all.start(func() error { return s.files.rotate(limited, s.rotate) })
	all.start(func() error { return s.service.trouble(limited, s.refresh) })
	all.start(func() error { return s.judge.prove(limited, s.service) })
	all.start(func() error { return s.table.watch(limited) })
	all.Wait()
	for _, c := range load {
		c.close()
	}
	return cause(ctx)
}

// afterwards checks resources after the clients have ended, and ends kedge serve under load.
func (s *soak) afterwards(ctx context.Context, quiet sample) error {
	if err := s.daemon.awaitQuiet(ctx, quiet); err != nil {
		return err
	}
	if err := s.judge.proveRest(ctx, s.service); err != nil {
		return err
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	if err := s.daemon.checkLog(s.judge.secrets(), s.table.events()); err != nil {
		return err
	}
	return s.service.stop()
}

// end sends SIGTERM under load.
func (s *soak) end(ctx context.Context) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	all := &group{fail: s.judge.fail}
	for _, c := range s.daemon.clients(s.judge) {
		all.start(func() error { return c.run(limited) })
		defer c.close()
	}
	time.Sleep(500 * time.Millisecond) // the clients have started
	s.judge.ending.Store(true)
	err := s.daemon.terminate()
	cancel()
	all.Wait()
	return errors.Join(err, cause(ctx))
}
