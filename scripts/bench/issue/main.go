// Command issue is what issue-floor is the floor for: it verifies requests and issues
// certificates by kedge's packages ca and ca/ledger. It prints how many it made in a second.
//
// usage: issue CERTIFICATES LEDGER [CPU-PROFILE]
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/scripts/bench/workload"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "issue:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("give CERTIFICATES LEDGER [CPU-PROFILE]")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	debug.SetGCPercent(400) // as "kedge-ca issue --from" does: it makes much garbage and keeps little
	requests, err := workload.Requests(n)
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, args[1], ledger.Options{Create: true, Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	root, err := newRoot(ctx, l)
	if err != nil {
		return err
	}
	if len(args) == 3 {
		profile, err := os.Create(args[2])
		if err != nil {
			return err
		}
		defer profile.Close()
		if err := pprof.StartCPUProfile(profile); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	profile := ca.DefaultProfile()
	perSecond, err := workload.Run(n, func(i int) error { return issue(ctx, root, profile, requests[i], l) })
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%.1f\n", perSecond)
	return err
}

func newRoot(ctx context.Context, l *ledger.Ledger) (*ca.Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	prepared, err := ca.PrepareRoot(key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Bench CA"}, Lifetime: 30 * 24 * time.Hour}, time.Now())
	if err != nil {
		return nil, err
	}
	cert, err := prepared.Issue(ctx, l)
	if err != nil {
		return nil, err
	}
	return ca.New(cert, key)
}

func issue(ctx context.Context, root *ca.Authority, profile *ca.Profile, request []byte, to ca.Recorder) error {
	csr, err := ca.ParseCSR(request)
	if err != nil {
		return err
	}
	r, _, err := profile.FromCSR(csr, ca.CSROptions{})
	if err != nil {
		return err
	}
	prepared, err := root.PrepareLeaf(profile, r, time.Now())
	if err != nil {
		return err
	}
	_, err = prepared.Issue(ctx, to)
	return err
}
