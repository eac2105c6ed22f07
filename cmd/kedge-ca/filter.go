package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cli"
)

// filterFlags select certificates of the ledger for which all of them hold.
type filterFlags struct {
	ledger.Filter // the values that need only a check
	expiresBefore moment
	expiresAfter  moment
	issuedAfter   moment
}

func (f *filterFlags) add(cmd *cobra.Command) {
	f.issuedAfter.ago = true
	flags := cmd.Flags()
	flags.StringVar(&f.State, "state", "", "only those in the `STATE`: valid, expired, revoked, held or pending")
	flags.StringVar(&f.Kind, "kind", "", "only those of the `KIND`: root, intermediate, leaf, server or probe")
	flags.StringVar(&f.Host, "host", "", "only those of the host `NAME`; in all names * stands for any characters")
	flags.StringVar(&f.Subject, "subject", "", "only those with the subject `NAME`: a common name, or a distinguished name in any order")
	flags.StringVar(&f.SAN, "san", "", "only those with the subject alternative `NAME`: DNS name, URI, IP or email address")
	flags.StringVar(&f.Issuer, "issuer", "", "only those of the issuer `NAME`: an authority of this CA, a distinguished name or a key identifier")
	flags.Var(&f.expiresBefore, "expires-before", "only those that end before the `TIME`: 2026-12-31, 2026-12-31T12:00:00Z, or 30d from now")
	flags.Var(&f.expiresAfter, "expires-after", "only those that end at the `TIME` or later")
	flags.Var(&f.issuedAfter, "issued-after", "only those issued at the `TIME` or later; 30d is 30 days ago")
	flags.BoolVar(&f.Unreplaced, "unreplaced", false, "without those that another certificate renews")
}

func (f *filterFlags) check(cmd *cobra.Command) error {
	states := []string{"", ledger.Valid, ledger.Expired, ledger.Revoked, ledger.Held, ledger.Pending}
	if !slices.Contains(states, f.State) {
		return cli.Usagef(cmd, "--state: %q is none of %s", f.State, strings.Join(states[1:], ", "))
	}
	kinds := []string{"", ledger.Root, ledger.Intermediate, ledger.Leaf, ledger.Server, ledger.Probe}
	if !slices.Contains(kinds, f.Kind) {
		return cli.Usagef(cmd, "--kind: %q is none of %s", f.Kind, strings.Join(kinds[1:], ", "))
	}
	return nil
}

// resolve returns the ledger's filter.
func (f *filterFlags) resolve(ctx context.Context, s *store, now time.Time) (ledger.Filter, error) {
	all := f.Filter
	all.ExpiresBefore, all.ExpiresAfter = f.expiresBefore.time(now), f.expiresAfter.time(now)
	all.IssuedAfter = f.issuedAfter.time(now)
	return s.Service.ResolveFilter(ctx, all)
}
