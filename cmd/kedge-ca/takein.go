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

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/cli"
	"kedge/internal/takeover"
)

// pastFlags say what a CA issued before its ledger was there.
type pastFlags struct {
	paths    []string
	crls     []string
	complete bool
}

func (f *pastFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "`FILE` with a CRL that the CA signed before: what it revokes stays revoked, and its number is gone on from; may be repeated")
	cmd.Flags().BoolVar(&f.complete, "nothing-missing", false, "say that with this the ledger has all that the CA issued before, and all it revoked")
}

// any reports whether something is to be taken in, or said.
func (f *pastFlags) any() bool { return len(f.paths)+len(f.crls) > 0 || f.complete }

func (f *pastFlags) sources(certs []*x509.Certificate, now time.Time) takeover.Sources {
	return takeover.Sources{CA: certs, Paths: f.paths, CRL: f.crls, Now: now}
}

// check reads, before anything is made, whether what was named can be taken in.
func (f *pastFlags) check(ctx context.Context, cert *x509.Certificate, now time.Time) error {
	return takeover.Check(ctx, f.sources([]*x509.Certificate{cert}, now))
}

// takenJSON is what was taken in, for programs.
type takenJSON struct {
	*issuance.TakenOver
	Lists   int      `json:"lists"`   // CRLs that were read
	Skipped []string `json:"skipped"` // what could not be taken, the first of each kind
	Notes   []string `json:"notes"`   // what was taken in spite of a doubt
	More    int      `json:"more"`    // of both, how many are not named
}

// takeIn takes in what an authority issued before, and says what became of it.
func (f *pastFlags) takeIn(ctx context.Context, h host, s *issuance.Service, authority, why string) (*takenJSON, error) {
	t, err := s.TakeOver(ctx, authority, why)
	if err != nil {
		return nil, err
	}
	sum, err := takeover.Read(ctx, f.sources(t.Certificates(), h.inputs.Now()), func(i takeover.Item) error { return t.Add(ctx, pastOf(i)) })
	if err != nil {
		return nil, err
	}
	for _, own := range sum.Own {
		if err := t.Add(ctx, issuance.Past{Certificate: own}); err != nil {
			return nil, err
		}
	}
	past := issuance.PastLists{Number: sum.CRLNumber, Complete: f.complete && lacking(&sum) == 0}
	for _, list := range sum.Lists {
		past.Lists = append(past.Lists, list.CRL)
	}
	done, err := t.Finish(ctx, past)
	if err != nil {
		return nil, err
	}
	taken := &takenJSON{done, sum.CRLs, texts(sum.Skipped), texts(sum.Notes), sum.More}
	taken.say(h, &sum)
	if n := lacking(&sum); f.complete && n > 0 {
		return taken, &missingError{n}
	}
	return taken, nil
}

// missingError says that --nothing-missing is not so.
type missingError struct{ n int }

func (e *missingError) Error() string {
	return fmt.Sprintf("--nothing-missing was not recorded: %s of this CA could not be taken in; all else was", count(e.n, "thing"))
}

// lacking counts what belongs to the CA and could not be taken.
func lacking(s *takeover.Summary) (n int) {
	for _, kind := range []takeover.Kind{takeover.Missing, takeover.Faulty, takeover.Unreadable, takeover.Clash} {
		n += s.Counts[kind]
	}
	return n
}

func pastOf(i takeover.Item) issuance.Past {
	p := issuance.Past{Certificate: i.Certificate, Serial: i.Serial, NotAfter: i.NotAfter}
	if i.Revoked != nil {
		p.Revoked = &ca.Revocation{Serial: i.Serial, At: i.Revoked.At, Reason: i.Revoked.Reason}
	}
	return p
}

// say reports what was taken in on standard error, what was not with the reason.
func (t *takenJSON) say(h host, sum *takeover.Summary) {
	for _, text := range slices.Concat(t.Skipped, t.Notes) {
		h.warn(cli.Printable(text))
	}
	for _, serial := range slices.Sorted(maps.Keys(t.Refused)) {
		h.warn(fmt.Sprintf("not taken in: %s: %s", serial, t.Refused[serial]))
	}
	if t.More > 0 {
		h.warn(fmt.Sprintf("and %d more like these", t.More))
	}
	if sum.Forgotten > 0 {
		h.warn(fmt.Sprintf("%s by index.txt has expired and is not there; nothing can be done with it any more", count(sum.Forgotten, "certificate")))
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

func texts(all []takeover.Skipped) []string {
	words := []string{}
	for _, s := range all {
		words = append(words, s.String())
	}
	return words
}
