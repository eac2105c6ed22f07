package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/takeover"
)

// pastFlags say what a CA issued before its ledger existed.
type pastFlags struct {
	paths    []string
	crls     []string
	complete bool
}

func (f *pastFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "`FILE` with a CRL that the CA signed before: what it revokes stays revoked, and its number is gone on from; may be repeated")
	cmd.Flags().BoolVar(&f.complete, "nothing-missing", false, "say that with this the ledger has all that the CA issued before, and all it revoked")
}

// any reports whether something is to be imported or stated.
func (f *pastFlags) any() bool { return len(f.paths)+len(f.crls) > 0 || f.complete }

func (f *pastFlags) sources(now time.Time) takeover.Sources {
	return takeover.Sources{Paths: f.paths, CRL: f.crls, Now: now}
}

// check checks, before anything is created, whether the named files can be imported.
func (f *pastFlags) check(ctx context.Context, cert *x509.Certificate, now time.Time) error {
	from := f.sources(now)
	from.CA = []*x509.Certificate{cert}
	return takeover.Check(ctx, from)
}

// takeIn imports what an authority issued before, and reports the result.
func (f *pastFlags) takeIn(ctx context.Context, h host, s *issuance.Service, authority, why string) (*localca.Taken, error) {
	taken, err := localca.ImportPast(ctx, s, localca.PastRequest{Authority: authority, Sources: f.sources(h.inputs.Now()), Complete: f.complete, Why: why})
	if taken != nil {
		h.sayTaken(taken)
	}
	return taken, err
}

// sayTaken reports on standard error what was imported, and what was not, with the reason.
func (h host) sayTaken(t *localca.Taken) {
	for _, text := range slices.Concat(t.Skipped, t.Notes) {
		h.warn(cli.Printable(text))
	}
	for _, serial := range slices.Sorted(maps.Keys(t.Refused)) {
		h.warn(fmt.Sprintf("not taken in: %s: %s", serial, t.Refused[serial]))
	}
	if t.More > 0 {
		h.warn(fmt.Sprintf("and %d more like these", t.More))
	}
	if t.Forgotten > 0 {
		h.warn(fmt.Sprintf("%s by index.txt has expired and is not there; nothing can be done with it any more", count(t.Forgotten, "certificate")))
	}
	text := fmt.Sprintf("took in %s of %s", count(t.Recorded, "certificate"), t.Authority)
	if t.Known > 0 {
		text += fmt.Sprintf(" (%d were there already)", t.Known)
	}
	text += fmt.Sprintf(", %s and %s", count(t.Revoked, "revocation"), count(t.Lists, "list"))
	if t.Expired > 0 {
		text += fmt.Sprintf("; %d of the certificates have expired", t.Expired)
	}
	h.say(text)
	if t.NextList > 1 {
		h.say("its next list has the number " + strconv.FormatInt(t.NextList, 10))
	}
}
