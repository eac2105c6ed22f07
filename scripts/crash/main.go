// Command crash kills kedge-ca by kill -9 at random moments while several of its processes issue,
// renew, revoke, make CRLs, change the root and archive in parallel. After each kill the same commands must
// work again without repair. Every certificate in a file must be in the ledger and
// the newest of its name, no serial twice, no name twice that was not renewed, and the ledger must
// verify; no CRL number may be used twice with different contents; and in the end, when the
// interrupted commands have been repeated, every revocation that was reported as done must be on a
// CRL, and the ledger must have no certificate that is not in a file.
//
// The ledger is SQLite, or PostgreSQL when KEDGE_POSTGRES is a DSN; KEDGE_POSTGRES_RESTART is
// then a program that cuts the server's power and starts it again.
//
// usage: crash ROUNDS KEDGE-CA FOLDER
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	checkEvery = 50 // rounds
	listEvery  = 20 // rounds that go on with the same list of hosts
	listLength = 300
	cutEvery   = 10 // rounds from one power cut to the next
	stepEvery  = 4  // rounds from one step of a rotation to the next
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("give ROUNDS KEDGE-CA FOLDER")
	}
	rounds, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	r, err := newRehearsal(args[1], args[2])
	if err != nil {
		return err
	}
	start := time.Now()
	for n := range rounds {
		if err := r.round(n); err != nil {
			return fmt.Errorf("%s, round %d: %w", r.engine, n, err)
		}
		if n%checkEvery == checkEvery-1 {
			if _, err := r.check(); err != nil {
				return fmt.Errorf("%s, after round %d: %w", r.engine, n, err)
			}
		}
	}
	return r.finish(rounds, time.Since(start))
}

// rehearsal is a CA, the folder for what it issues, and a record of what has happened.
type rehearsal struct {
	program string // kedge-ca
	engine  string
	dir     string
	restart string // of PostgreSQL
	killed  int    // processes
	cuts    int    // of power to the server

	renewable []string          // names, which a worker renews one after the other
	revocable []string          // names that are not revoked yet
	revoked   []string          // serials, in hex, that were reported as revoked
	renewals  int               // that were reported as done
	aged      int               // renewals with a short lifetime
	steps     int               // of rotations
	lists     map[string]string // authority and number -> SHA-256
}

func newRehearsal(program, dir string) (*rehearsal, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	r := &rehearsal{program: program, dir: dir, engine: "sqlite", restart: os.Getenv("KEDGE_POSTGRES_RESTART"), lists: map[string]string{}}
	if err := os.MkdirAll(r.path("out"), 0o700); err != nil {
		return nil, err
	}
	if dsn := os.Getenv("KEDGE_POSTGRES"); dsn != "" {
		r.engine = "postgres"
		if err := os.Mkdir(r.path("ca"), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(r.path("ca/kedge-ca.yaml"), []byte("ledger: "+dsn+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	if _, err := r.kedgeCA("init", "--no-password", "--name", "Crash CA"); err != nil {
		return nil, err
	}
	for i := range agingNames {
		if _, err := r.kedgeCA("issue", agingName(i), "--lifetime", agingLifetime, "--out", r.path("out")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rehearsal) path(name string) string { return filepath.Join(r.dir, name) }

// finish finishes every list of hosts, checks and prints the counts.
func (r *rehearsal) finish(rounds int, took time.Duration) error {
	for n := 0; n < rounds; n += listEvery {
		if _, err := r.kedgeCA("issue", "--from", r.list(n), "--out", r.path("out")); err != nil {
			return fmt.Errorf("%s: %w", r.engine, err)
		}
	}
	c, err := r.check()
	if err == nil {
		err = r.checkRevoked()
	}
	archived, segments := 0, 0
	if err == nil {
		archived, segments, err = r.archived()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.engine, err)
	}
	if c.recorded != c.handedOut {
		return fmt.Errorf("%s: %d certificates are in the ledger, and %d were handed out", r.engine, c.recorded, c.handedOut)
	}
	fmt.Printf("%s: %d rounds in %.0f s, %d processes killed, %d power cuts; %d certificates handed out, all in the ledger and nothing twice; %d renewals, %d revocations, all on the lists, %d lists, %d steps of rotations, %d certificates archived in %d segments; %d temporary files left\n",
		r.engine, rounds, took.Seconds(), r.killed, r.cuts, c.handedOut, r.renewals, len(r.revoked), len(r.lists), r.steps, archived, segments, c.leftover)
	return nil
}
