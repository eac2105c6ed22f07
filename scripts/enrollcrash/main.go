// Command enrollcrash kills kedge-ca serve by kill -9 at random moments while hosts enroll, renew
// and unenroll, and starts it again. The hosts repeat each command until it succeeds. In the end every
// certificate in the ledger must have reached its host, there must be one for each command that
// succeeded, and no host may have been taken for a copy.
//
// The ledger is SQLite, or PostgreSQL when KEDGE_POSTGRES is a DSN: then there are two servers, which
// are killed in turn.
//
// usage: enrollcrash KILLS KEDGE-CA KEDGE FOLDER
package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"kedge/scripts/runca"
)

const (
	workers = 6 // hosts at once
	// uptime is for how long a server runs at most before it is killed.
	uptime = 300 * time.Millisecond
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enrollcrash:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("give KILLS KEDGE-CA KEDGE FOLDER")
	}
	kills, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	r, err := newRehearsal(args[1], args[2], args[3])
	if err != nil {
		return err
	}
	start := time.Now()
	if err := r.rehearse(kills); err != nil {
		return fmt.Errorf("%s: %w", r.engine, err)
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("%s: %w", r.engine, err)
	}
	issued := 0
	for _, serials := range r.serials {
		issued += len(serials)
	}
	fmt.Printf("%s: %d servers killed in %.0f s; %d hosts got %d certificates, each once, and repeated %d commands\n",
		r.engine, kills, time.Since(start).Seconds(), len(r.serials), issued, r.repeated)
	if r.repeated == 0 {
		return errors.New("no command was interrupted, so that nothing was tried")
	}
	return nil
}

// rehearsal is a CA with its servers, and a record of what hosts got.
type rehearsal struct {
	ca, kedge string // programs
	engine    string
	dir       string
	servers   []*runca.Server
	over      chan struct{} // closed when no host begins any more

	mutex    sync.Mutex
	serials  map[string][]string // in the order in which a host got them
	repeated int
}

func newRehearsal(ca, kedge, dir string) (*rehearsal, error) {
	r := &rehearsal{dir: dir, engine: "sqlite", serials: map[string][]string{}, over: make(chan struct{})}
	var err1, err2 error
	r.ca, err1 = filepath.Abs(ca)
	r.kedge, err2 = filepath.Abs(kedge)
	if err := errors.Join(err1, err2, os.MkdirAll(r.path("ca"), 0o700)); err != nil {
		return nil, err
	}
	newServer := func() *runca.Server { return &runca.Server{Program: r.ca, Dir: r.path("ca")} }
	r.servers = []*runca.Server{newServer()}
	settings := "server: {limits: {address: none, host: none}}\n" // all hosts have one address
	if dsn := os.Getenv("KEDGE_POSTGRES"); dsn != "" {
		r.engine, r.servers = "postgres", append(r.servers, newServer())
		settings += "ledger: '" + dsn + "'\n"
	}
	if err := os.WriteFile(r.path("ca/kedge-ca.yaml"), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	_, err := runca.Output(r.ca, "init", "--no-password", "--name", "Crash CA", "--dir", r.path("ca"))
	return r, err
}

func (r *rehearsal) path(name string) string { return filepath.Join(r.dir, name) }

// rehearse lets hosts come and go until so many servers were killed.
func (r *rehearsal) rehearse(kills int) error {
	for _, s := range r.servers {
		if err := s.Start(); err != nil {
			return err
		}
		defer s.Kill()
	}
	failed := make(chan error, workers+1)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			if err := r.hosts(i); err != nil {
				failed <- err
			}
		})
	}
	for i := range kills {
		time.Sleep(rand.N(uptime))
		s := r.servers[i%len(r.servers)]
		s.Kill()
		if err := s.Start(); err != nil {
			failed <- err
			break
		}
	}
	close(r.over)
	group.Wait()
	close(failed)
	return <-failed
}
