// Command issue is what issue-floor and issue-postgres-floor are the floors for: it verifies
// requests and issues certificates through services of package ca/issuance, each with a ledger of
// its own that leads to the same place. It prints how many it made in a second.
//
// usage: issue CERTIFICATES LEDGER [SERVICES [WORKERS [CPU-PROFILE]]]
//
// There is 1 service when no number is given, and 32 workers, which the services share.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
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
	if len(args) < 2 || len(args) > 5 {
		return errors.New("give CERTIFICATES LEDGER [SERVICES [WORKERS [CPU-PROFILE]]]")
	}
	n, err1 := strconv.Atoi(args[0])
	services, workers := 1, workload.Workers
	var err2, err3 error
	if len(args) > 2 {
		services, err2 = strconv.Atoi(args[2])
	}
	if len(args) > 3 {
		workers, err3 = strconv.Atoi(args[3])
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	debug.SetGCPercent(400) // a server with a small heap produces much garbage: without this it is a twentieth slower
	requests, err := workload.Requests(n)
	if err != nil {
		return err
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32)) // the same in each run, for a ledger that is reused
	if err != nil {
		return err
	}
	var issuers []*issuance.Issuer
	for range services {
		l, err := ledger.Open(ctx, args[1], ledger.Options{Create: true, Now: time.Now})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		i, err := open(ctx, l, keys{key})
		if err != nil {
			return err
		}
		issuers = append(issuers, i)
	}
	if len(args) == 5 {
		profile, err := os.Create(args[4])
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
	perSecond, err := workload.RunWith(workers, n, func(i int) error { return issue(ctx, issuers[i%services], profile, requests[i]) })
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%.1f\n", perSecond)
	return err
}

// keys is the key of the only authority.
type keys struct{ key crypto.Signer }

func (k keys) Signer(context.Context, string, crypto.PublicKey) (crypto.Signer, error) {
	return k.key, nil
}

func (k keys) Has(string) (bool, error) { return true, nil }

// open opens the CA of a ledger, or creates it.
func open(ctx context.Context, l *ledger.Ledger, k keys) (*issuance.Issuer, error) {
	s, err := issuance.New(issuance.Config{Ledger: l, Now: time.Now, Keys: k})
	if err != nil {
		return nil, err
	}
	if i, err := s.Issuer(ctx, ""); !errors.Is(err, issuance.ErrNoAuthority) {
		return i, err
	}
	prepared, err := ca.PrepareRoot(k.key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Bench CA"}, Lifetime: 30 * 24 * time.Hour, MaxPathLen: -1}, time.Now())
	if err != nil {
		return nil, err
	}
	if _, err := s.Found(ctx, prepared); err != nil {
		return nil, err
	}
	return s.Issuer(ctx, "")
}

func issue(ctx context.Context, issuer *issuance.Issuer, profile *ca.Profile, request []byte) error {
	csr, err := ca.ParseCSR(request)
	if err != nil {
		return err
	}
	r, _, err := profile.FromCSR(csr, ca.CSROptions{})
	if err != nil {
		return err
	}
	leaf, err := issuer.Prepare(profile, r)
	if err != nil {
		return err
	}
	_, err = leaf.Issue(ctx)
	return err
}
