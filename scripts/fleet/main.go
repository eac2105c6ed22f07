// Command fleet lets simulated hosts renew at kedge-ca serve: with keys of their own, over TLS, each
// from an address of its own, when kedge's schedule says. Of some hosts there is a copy, and the clock
// of others is wrong. It causes a fault, checks in the end what the ledger has against what the hosts
// got, and prints a table.
//
//	storm    all hosts are due and come at once; the server is killed and started again
//	kill     the same with two servers, one of which is killed and stays down; hosts come faster than
//	         the servers can answer, and the rate is compared with that of the least server
//	replica  the same, while the database fails over to a replica, which cannot be written, and back
//	outage   the server is away for eight hours: HOSTS stand for a million, in time that runs as much
//	         faster
//
// The ledger is SQLite, or PostgreSQL when KEDGE_POSTGRES is a DSN: kill and replica need that, and
// replica also KEDGE_POSTGRES_CONTROL, a program that stops and starts the database that the DSN names
// first. It runs on Linux, where every address of 127.0.0.0/8 can be used.
//
// usage: fleet SCENARIO HOSTS KEDGE-CA ENROLL-FLOOR FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// arrivals is how many hosts come in a second. The timer of examples/systemd has each host come at a
// time of its own within 240 s: so these are 100,000 hosts.
const arrivals = 100_000 / 240

// ratedHosts is how many hosts it takes for a rate that means something.
const ratedHosts = 20_000

func run(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("give SCENARIO HOSTS KEDGE-CA ENROLL-FLOOR FOLDER")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n <= 0 || n > million {
		return fmt.Errorf("%q is not a number of hosts up to %d", args[1], million)
	}
	with, ledger, dir := programs{ca: args[2], floor: args[3]}, os.Getenv("KEDGE_POSTGRES"), filepath.Join(args[4], args[0])
	if args[0] == "outage" {
		return outage{scale: int64(million / n), before: 3 * time.Hour, after: 4 * time.Hour}.run(ctx, with, ledger, dir)
	}
	s, err := newStorm(args[0], n)
	if err != nil {
		return err
	}
	return s.run(ctx, with, ledger, dir)
}

// newStorm returns the scenario of a name.
func newStorm(name string, hosts int) (storm, error) {
	s := storm{hosts: hosts, servers: 2, span: time.Duration(hosts) * time.Second / arrivals}
	switch name {
	case "storm":
		s.what, s.servers, s.fault = "one server, killed and started again half-way", 1, restartOne
	case "kill":
		s.what, s.fault, s.rated = "two servers, one killed half-way", killOne, hosts >= ratedHosts
		s.span = 0 // the timers would bound the rate
	case "replica":
		s.what, s.fault, s.told = "two servers, the database fails over to a replica and back half-way", failOver(min(s.span, 15*time.Second)), true
	default:
		return s, fmt.Errorf("there is no scenario %q", name)
	}
	return s, nil
}
