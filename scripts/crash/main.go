// Command crash kills kedge-ca by kill -9 at random moments while several of its processes
// issue in parallel. After each kill the next issue must work without anybody's help. Every
// certificate that was handed out must be in the ledger, no serial and no name twice, and the
// ledger must verify; and in the end, when what was interrupted has been gone on with, the
// ledger must hold no certificate that was not handed out.
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

// rehearsal is a CA, the folder for what it issues, and what has happened so far.
type rehearsal struct {
	program string // kedge-ca
	engine  string
	dir     string
	restart string // of PostgreSQL
	killed  int    // processes
	cuts    int    // of the server's power
}

func newRehearsal(program, dir string) (*rehearsal, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	r := &rehearsal{program: program, dir: dir, engine: "sqlite", restart: os.Getenv("KEDGE_POSTGRES_RESTART")}
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
	_, err = r.kedgeCA("init", "--no-password", "--name", "Crash CA")
	return r, err
}

func (r *rehearsal) path(name string) string { return filepath.Join(r.dir, name) }

// finish goes on with every list of hosts, checks and says what has happened.
func (r *rehearsal) finish(rounds int, took time.Duration) error {
	for n := 0; n < rounds; n += listEvery {
		if _, err := r.kedgeCA("issue", "--from", r.list(n), "--out", r.path("out")); err != nil {
			return fmt.Errorf("%s: %w", r.engine, err)
		}
	}
	c, err := r.check()
	if err != nil {
		return fmt.Errorf("%s: %w", r.engine, err)
	}
	if c.recorded != c.handedOut {
		return fmt.Errorf("%s: %d certificates are in the ledger, and %d were handed out", r.engine, c.recorded, c.handedOut)
	}
	fmt.Printf("%s: %d rounds in %.0f s, %d processes killed, %d power cuts; %d certificates handed out, all in the ledger and nothing twice; %d temporary files left\n",
		r.engine, rounds, took.Seconds(), r.killed, r.cuts, c.handedOut, c.leftover)
	return nil
}
