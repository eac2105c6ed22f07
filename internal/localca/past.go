package localca

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/report"
	"kedge/internal/takeover"
)

// Taken is what was imported of a CA's past. The tags are those of kedge-ca's JSON.
type Taken struct {
	*issuance.TakenOver
	Lists   int      `json:"lists"`   // CRLs that were read
	Skipped []string `json:"skipped"` // what could not be imported, the first of each kind
	Notes   []string `json:"notes"`   // what was imported in spite of a doubt
	More    int      `json:"more"`    // how many of both are not listed

	Forgotten int `json:"-"` // expired certificates that were not found
}

// LackingError is returned when the user states that nothing is missing, and something could not be
// imported.
type LackingError struct{ N int }

func (e *LackingError) Error() string {
	return "--nothing-missing was not recorded: " + report.Count(e.N, "thing") + " of this CA could not be taken in; all else was"
}

// PastRequest is what an authority issued before.
type PastRequest struct {
	Authority string
	Sources   takeover.Sources // without the certificates of the authority
	Complete  bool             // the user states that nothing is missing after it
	Why       string           // recorded in the ledger
	Archive   string           // the folder of the ledger's segments; empty: that in the CA's folder
}

// Any reports whether something is to be imported or stated.
func (r PastRequest) Any() bool { return len(r.Sources.Paths)+len(r.Sources.CRL) > 0 || r.Complete }

// ImportPast imports what an authority issued before, and reports what was imported. If something could
// not be imported, the past is not recorded as complete, and the error is a *LackingError.
func (c *CA) ImportPast(ctx context.Context, r PastRequest) (*Taken, error) {
	r.Archive = archiveFolder(c.folder, r.Archive)
	taken, err := importPast(ctx, c.Service, r)
	if taken != nil {
		taken.tell(c.config)
	}
	return taken, err
}

// tell reports what was imported, and what was not, with the reason.
func (t *Taken) tell(c Config) {
	c.warnAll(slices.Concat(t.Skipped, t.Notes))
	for _, serial := range slices.Sorted(maps.Keys(t.Refused)) {
		c.Warn(fmt.Sprintf("not taken in: %s: %s", serial, t.Refused[serial]))
	}
	if t.More > 0 {
		c.Warn(fmt.Sprintf("and %d more like these", t.More))
	}
	if t.Forgotten > 0 {
		c.Warn(fmt.Sprintf("%s by index.txt has expired and is not there; nothing can be done with it any more", report.Count(t.Forgotten, "certificate")))
	}
	text := fmt.Sprintf("took in %s of %s", report.Count(t.Recorded, "certificate"), t.Authority)
	if t.Known > 0 {
		text += fmt.Sprintf(" (%d were there already)", t.Known)
	}
	text += fmt.Sprintf(", %s and %s", report.Count(t.Revoked, "revocation"), report.Count(t.Lists, "list"))
	if t.Expired > 0 {
		text += fmt.Sprintf("; %d of the certificates have expired", t.Expired)
	}
	c.done("%s", text)
	if t.NextList > 1 {
		c.done("its next list has the number %d", t.NextList)
	}
}

// importPast is ImportPast without the report; with a *LackingError the result is returned, too.
func importPast(ctx context.Context, s *issuance.Service, r PastRequest) (*Taken, error) {
	t, err := s.TakeOver(ctx, r.Authority, r.Why, r.Archive)
	if err != nil {
		return nil, err
	}
	r.Sources.CA = t.Certificates()
	sum, err := takeover.Read(ctx, r.Sources, func(i takeover.Item) error { return t.Add(ctx, pastOf(i)) })
	if err != nil {
		return nil, err
	}
	for _, own := range sum.Own {
		if err := t.Add(ctx, issuance.Past{Certificate: own}); err != nil {
			return nil, err
		}
	}
	lacking := sum.Lacking()
	past := issuance.PastLists{Number: sum.CRLNumber, Complete: r.Complete && lacking == 0}
	for _, list := range sum.Lists {
		past.Lists = append(past.Lists, list.CRL)
	}
	done, err := t.Finish(ctx, past)
	if err != nil {
		return nil, err
	}
	taken := &Taken{done, sum.CRLs, skippedTexts(sum.Skipped), skippedTexts(sum.Notes), sum.More, sum.Forgotten}
	if r.Complete && lacking > 0 {
		return taken, &LackingError{lacking}
	}
	return taken, nil
}

func pastOf(i takeover.Item) issuance.Past {
	p := issuance.Past{Certificate: i.Certificate, Serial: i.Serial, NotAfter: i.NotAfter}
	if i.Revoked != nil {
		p.Revoked = &ca.Revocation{Serial: i.Serial, At: i.Revoked.At, Reason: i.Revoked.Reason}
	}
	return p
}

func skippedTexts(all []takeover.Skipped) []string {
	words := []string{}
	for _, s := range all {
		words = append(words, s.String())
	}
	return words
}
