// Command archive measures how fast a ledger is archived: alone, and while hosts renew their
// certificates through another connection, as a server's do. It prints two rows of a table: the rate, and
// the 99th percentile of a renewal while the ledger is archived, compared with that without an archiver.
//
// usage: archive CA-CERTIFICATE CA-KEY LEDGER FOLDER
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
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
	if len(args) != 4 {
		return errors.New("give CA-CERTIFICATE CA-KEY LEDGER FOLDER")
	}
	cert, key, err := workload.Load(args[0], args[1])
	if err != nil {
		return err
	}
	signer, err := ca.New(cert, key)
	if err != nil {
		return err
	}
	var both [2]*ledger.Ledger
	for i := range both {
		if both[i], err = ledger.Open(ctx, args[2], ledger.Options{Now: time.Now}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, both[i].Close()) }()
	}
	template, err := workload.NewTemplate(args[0], args[1])
	if err != nil {
		return err
	}
	f := &fleet{ledger: both[0], template: template}
	options := ledger.ArchiveOptions{Dir: args[3], Signer: signer}

	half, err := middle(ctx, both[1])
	if err != nil {
		return err
	}
	options.Before = half
	start := time.Now()
	done, err := both[1].Archive(ctx, options)
	if err != nil {
		return err
	}
	rate := float64(done.Records) / time.Since(start).Seconds()
	fmt.Printf("| ledger archive, %d certificates | %.0f/s | %d/s | %.2f | at least 1 |\n", done.Records, rate, aimRate, rate/aimRate)

	before, err := f.renewFor(ctx, func() error { time.Sleep(quiet); return nil })
	if err != nil {
		return err
	}
	options.Before = time.Now()
	start = time.Now()
	during, err := f.renewFor(ctx, func() error {
		done, err = both[1].Archive(ctx, options)
		return err
	})
	if err != nil {
		return err
	}
	rate = float64(done.Records) / time.Since(start).Seconds()
	fmt.Printf("| renewals while %d certificates are archived (%.0f/s), p99; without | %v | %v | %.2f | at most %d |\n", done.Records, rate, during, before, float64(during)/float64(before), aimTimes)
	return nil
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
