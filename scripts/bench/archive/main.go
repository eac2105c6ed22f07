// Command archive measures how fast a ledger is archived, by a process of its own: alone, and while hosts renew
// their certificates, as a server has them do. It prints rows of a table: the rate alone, compared with the aim of
// PostgreSQL, the 99th percentile of a renewal while the ledger is archived, compared with that without, and the rate
// compared with a floor, which only deletes: SQLite itself cannot reach the aim of PostgreSQL. The ledger is of no use
// afterwards.
//
// usage: archive CA-CERTIFICATE CA-KEY LEDGER FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/scripts/bench/workload"
)

const (
	hosts    = 64                   // that renew
	every    = 4 * time.Millisecond // between two renewals
	quiet    = 10 * time.Second     // without an archiver
	loaded   = 20 * time.Second     // with one, at most
	hour     = time.Hour            // for the archiver alone
	lifetime = 24 * time.Hour
	aimRate  = 20_000
	aimTimes = 2
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 6 {
		return child(ctx, args)
	}
	if len(args) != 4 {
		return errors.New("give CA-CERTIFICATE CA-KEY LEDGER FOLDER")
	}
	engine, aim := "SQLite", "at least 0.4"
	if isServer(args[2]) {
		engine, aim = "PostgreSQL", "-"
	}
	l, err := ledger.Open(ctx, args[2], ledger.Options{Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	half, err := middle(ctx, l)
	if err != nil {
		return err
	}
	records, alone, err := archive(ctx, args, half, hour)
	if err != nil {
		return err
	}
	if isServer(args[2]) {
		fmt.Printf("| ledger archive in %s, %d certificates | %.0f/s | %d/s | %.2f | at least 1 |\n", engine, records, alone, aimRate, alone/aimRate)
	}
	template, err := workload.NewTemplate(args[0], args[1])
	if err != nil {
		return err
	}
	f := &fleet{ledger: l, template: template}
	before, err := f.renewFor(ctx, func() error { time.Sleep(quiet); return nil })
	if err != nil {
		return err
	}
	var rate float64
	during, err := f.renewFor(ctx, func() (err error) {
		records, rate, err = archive(ctx, args, time.Now(), loaded)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("| renewals while, in %s, %d certificates are archived (%.0f/s), p99; without | %v | %v | %.2f | at most %d |\n", engine, records, rate,
		during.Round(10*time.Microsecond), before.Round(10*time.Microsecond), float64(during)/float64(before), aimTimes)
	least, err := floor(ctx, args[2])
	if err != nil {
		return err
	}
	fmt.Printf("| ledger archive in %s; the same rows deleted without anything else, from tables with the same indexes | %.0f/s | %.0f/s | %.2f | %s |\n", engine, alone, least, alone/least, aim)
	return nil
}

func isServer(where string) bool { return strings.HasPrefix(where, "postgres") }

// archive starts a process that archives for at most a time, and returns how many certificates it archived, and
// the rate.
func archive(ctx context.Context, args []string, before time.Time, atMost time.Duration) (records int, rate float64, err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, program, slices.Concat(args, []string{strconv.FormatInt(before.Unix(), 10), atMost.String()})...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start).Seconds()
	if err == nil {
		records, err = strconv.Atoi(strings.TrimSpace(string(out)))
	}
	return records, float64(records) / took, err
}

// child archives, and prints how many certificates.
func child(ctx context.Context, args []string) (err error) {
	before, err1 := strconv.ParseInt(args[4], 10, 64)
	atMost, err2 := time.ParseDuration(args[5])
	cert, key, err3 := workload.Load(args[0], args[1])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	signer, err := ca.New(cert, key)
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, args[2], ledger.Options{Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	done, err := l.Archive(ctx, ledger.ArchiveOptions{Before: time.Unix(before, 0), Dir: args[3], Signer: signer})
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	fmt.Println(done.Records)
	return err
}

// middle returns a time before which about half of the certificates expired.
func middle(ctx context.Context, l *ledger.Ledger) (time.Time, error) {
	var first, last time.Time
	for c, err := range l.List(ctx, ledger.Filter{State: ledger.Expired, Limit: 1}) {
		if err != nil {
			return first, err
		}
		first = c.NotAfter
	}
	last = time.Now()
	return first.Add(last.Sub(first) / 2), nil
}

// fleet is hosts that renew.
type fleet struct {
	ledger   *ledger.Ledger
	template *workload.Template
	newest   [hosts][]byte
}

// renewFor lets hosts renew at a steady rate while f runs, and returns the 99th percentile of the time
// that a renewal took.
func (f *fleet) renewFor(ctx context.Context, work func() error) (time.Duration, error) {
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	var mutex sync.Mutex
	var group sync.WaitGroup
	var times []time.Duration
	var failed error
	busy := [hosts]sync.Mutex{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case err := <-ended:
			group.Wait()
			slices.Sort(times)
			if len(times) == 0 {
				return 0, errors.Join(err, errors.New("nothing was renewed"))
			}
			return times[len(times)*99/100], errors.Join(err, failed)
		case start := <-tick.C:
			group.Go(func() {
				busy[i%hosts].Lock()
				defer busy[i%hosts].Unlock()
				err := f.renew(ctx, i%hosts)
				mutex.Lock()
				defer mutex.Unlock()
				times, failed = append(times, time.Since(start)), errors.Join(failed, err)
			})
		}
	}
}

func (f *fleet) renew(ctx context.Context, host int) error {
	at := time.Now()
	cert, err := f.template.Certificate(workload.HostName(90_000+host), at, lifetime)
	if err != nil {
		return err
	}
	described := ledger.Describe(cert)
	err = f.ledger.RecordIssued(ctx, ca.Issued{Certificate: cert, Issuer: f.template.Parent, Profile: "workload", Host: described.CommonName, Why: "bench", At: at, Replaces: f.newest[host]})
	f.newest[host] = described.Fingerprint
	return err
}
