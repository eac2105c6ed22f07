// Command million fills a ledger with certificates, as a fleet of 10,000 hosts that renew
// every 12 hours would, and revokes some of those that are still valid. To sign each would
// take minutes and not change the ledger, so one is signed, and its bytes are changed: the
// serial, the names and the times. It goes through the ledger's own API.
//
// usage: million CA-CERTIFICATE CA-KEY LEDGER CERTIFICATES REVOKED
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/scripts/bench/workload"
)

const (
	hosts      = 10_000
	generation = 12 * time.Hour // from one renewal of a host to the next
	lifetime   = 24 * time.Hour
	inFlight   = 512 // enough for large groups in one commit
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 5 {
		return errors.New("give CA-CERTIFICATE CA-KEY LEDGER CERTIFICATES REVOKED")
	}
	n, err1 := strconv.Atoi(args[3])
	revoked, err2 := strconv.Atoi(args[4])
	t, err3 := workload.NewTemplate(args[0], args[1])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	l, err := ledger.Open(ctx, args[2], ledger.Options{Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	start := time.Now()
	fingerprints, err := fill(ctx, l, t, n, start)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "million: %d recorded in %.0f s\n", n, time.Since(start).Seconds())
	if revoked > len(fingerprints) {
		return fmt.Errorf("only %d are valid, of which %d are to be revoked", len(fingerprints), revoked)
	}
	return l.Revoke(ctx, fingerprints[:revoked], ledger.Revocation{Reason: ca.Superseded, At: time.Now(), Why: "bench"})
}

// fleet has the newest certificate of each host.
type fleet struct {
	mutex  sync.Mutex
	newest [hosts][]byte // fingerprints
}

func (f *fleet) replace(host int, by []byte) (old []byte) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	old, f.newest[host] = f.newest[host], by
	return old
}

// fill records n certificates, of which the last is issued now, and returns the fingerprints
// of the newest of each host.
func fill(ctx context.Context, l *ledger.Ledger, t *workload.Template, n int, now time.Time) ([][]byte, error) {
	var f fleet
	var next, failed atomic.Int64
	var workers sync.WaitGroup
	errs := make(chan error, inFlight)
	for range inFlight {
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < n && failed.Load() == 0; i = int(next.Add(1) - 1) {
				if err := f.record(ctx, l, t, i, now.Add(-time.Duration(n-1-i)*(generation/hosts))); err != nil {
					failed.Store(1)
					errs <- err
					return
				}
			}
		})
	}
	workers.Wait()
	close(errs)
	return f.newest[:min(n, hosts)], <-errs
}

func (f *fleet) record(ctx context.Context, l *ledger.Ledger, t *workload.Template, i int, at time.Time) error {
	cert, err := t.Certificate(workload.HostName(i%hosts), at, lifetime)
	if err != nil {
		return err
	}
	fingerprint := sha256.Sum256(cert.Raw)
	return l.RecordIssued(ctx, ca.Issued{Certificate: cert, Profile: "workload", Host: workload.HostName(i % hosts), Why: "bench", At: at, Issuer: t.Parent,
		Replaces: f.replace(i%hosts, fingerprint[:])})
}
