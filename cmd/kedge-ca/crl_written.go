package main

import (
	"context"
	"fmt"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/cadir"
	"kedge/internal/report"
)

// writtenCRL is a CRL and its files.
type writtenCRL struct {
	issuance.CRL
	File    string `json:"file"`
	DERFile string `json:"der_file"`
}

// publish makes the CRL of an authority and writes its files.
func (o *crlOptions) publish(ctx context.Context, s *store, authority string) (*writtenCRL, error) {
	var files cadir.CRLFiles
	request := issuance.CRLRequest{Authority: authority, Valid: time.Duration(o.valid), Delta: o.delta, Take: o.take, Drop: o.drop, Why: o.why}
	m, err := s.Service.PublishCRL(ctx, request, func(m *issuance.CRL) (err error) {
		files, err = o.store.folder().WriteCRL(m.Authority, m.Base != 0, m.DER, m.PEM)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &writtenCRL{*m, files.PEM, files.DER}, nil
}

// warnDays is the number of days before a CRL becomes too large from which there is a warning.
const warnDays = 60

// report reports the CRL and its size.
func (m *writtenCRL) report(h host) {
	kind := fmt.Sprintf("list %d", m.Number)
	if m.Base != 0 {
		kind = fmt.Sprintf("list %d, a delta to list %d,", m.Number, m.Base)
	}
	changes := "what has changed is not known, since the last list is not in its file any more"
	if m.Compared {
		changes = fmt.Sprintf("%d added, %d removed", len(m.Added), len(m.Removed))
	}
	h.say(fmt.Sprintf("wrote %s and .der: %s of %q with %d revoked (%s); the next is due before %s",
		m.File, kind, m.Issuer, m.Entries, changes, report.Time(m.NextUpdate)))
	if m.Compared {
		h.saySome("added", m.Added)
		h.saySome("removed", m.Removed)
	}
	if m.NextUpdate.After(m.End) {
		h.warn(fmt.Sprintf("%s counts until %s only, when its CA ends", m.File, report.Time(m.End)))
	}
	if m.Base != 0 {
		return
	}
	growth := "; it does not grow"
	if m.DaysLeft != nil {
		growth = fmt.Sprintf(", for about %.0f days at %.1f a day", *m.DaysLeft, m.PerDay)
	}
	text := fmt.Sprintf("%s has %d of %d bytes: room for %d more%s", m.File, m.Size, m.MaxSize, m.Room, growth)
	switch {
	case m.Size > m.MaxSize:
		h.warn(fmt.Sprintf("%s has %d bytes; IAM Roles Anywhere takes %d at most: rotate to a new CA, or issue for shorter times", m.File, m.Size, m.MaxSize))
	case m.DaysLeft != nil && *m.DaysLeft < warnDays:
		h.warn(text + ": rotate to a new CA before, or issue for shorter times")
	default:
		h.say(text)
	}
}

// saySome lists the first few of many, and counts the rest.
func (h host) saySome(what string, all []string) {
	if len(all) > 0 {
		h.say(what + " " + report.FirstOf(all, report.MaxNamed, len(all)))
	}
}
