package issuance

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// lastCRL is the last complete CRL of an authority.
type lastCRL struct {
	by      ledger.Authority
	place   string               // where it was published; empty: unknown
	record  *ledger.CRL          // nil: there is none
	list    *x509.RevocationList // nil: Config.LastList has none, or an earlier one
	foreign *ledger.ForeignList  // has revocations that the ledger lacks; nil: there is none
}

// lastCRL finds the last complete CRL of an authority, in the ledger and where it was published. If
// there is a *ForgottenError or *OddListError about the published one, the result is returned as
// well.
func (s *Service) lastCRL(ctx context.Context, a ledger.Authority) (*lastCRL, error) {
	last := &lastCRL{by: a}
	record, err := s.ledger.LastCRL(ctx, a.Certificate)
	if err == nil {
		last.record = &record
	} else if _, none := errors.AsType[*ledger.NotFoundError](err); !none {
		return nil, err
	}
	data, place, err := s.lastList(a.Name)
	last.place = place
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := last.parse(data)
	if err != nil {
		return last, err
	}
	if last.record != nil && sameList(list.Raw, record) {
		last.list = list
		return last, nil
	}
	last.foreign, err = s.forgotten(ctx, last, list)
	return last, err
}

// sameList reports whether data is the CRL that the ledger has recorded.
func sameList(data []byte, record ledger.CRL) bool {
	sum := sha256.Sum256(data)
	return bytes.Equal(sum[:], record.SHA256)
}

// crlChange is the difference from the last CRL.
type crlChange struct {
	known          bool
	added, removed []string // serials in hex
	released       int      // of removed: no longer on hold, or expired while on hold
	entries        []ca.Revocation
}

// compare returns the difference between the current revocations and the last CRL.
func (l *lastCRL) compare(revoked []ca.Revocation) crlChange {
	c := crlChange{known: l.record == nil || l.list != nil, added: []string{}, removed: []string{}}
	if !c.known {
		return c
	}
	before := map[string]x509.RevocationListEntry{}
	if l.list != nil {
		for _, e := range l.list.RevokedCertificateEntries {
			before[serialHex(e.SerialNumber)] = e
		}
	}
	for _, r := range revoked {
		serial := serialHex(r.Serial)
		e, listed := before[serial]
		delete(before, serial)
		if listed && e.ReasonCode == int(r.Reason) {
			continue
		}
		if listed {
			c.removed = append(c.removed, serial)
		}
		c.added = append(c.added, serial)
		c.entries = append(c.entries, r)
	}
	for serial, e := range before {
		c.removed = append(c.removed, serial)
		if e.ReasonCode == int(ca.CertificateHold) {
			c.released++
		}
		c.entries = append(c.entries, ca.Revocation{Serial: e.SerialNumber, At: e.RevocationTime, Reason: ca.RemoveFromCRL})
	}
	slices.Sort(c.removed)
	slices.SortFunc(c.entries, func(a, b ca.Revocation) int { return a.Serial.Cmp(b.Serial) })
	return c
}

// delta returns the entries of a delta to the last CRL: those that are new, and, with the reason
// removeFromCRL, those that were removed.
//
// Source: RFC 5280, 5.2.4 and 5.3.1.
func (l *lastCRL) delta(c crlChange) ([]ca.Revocation, error) {
	switch {
	case l.record == nil:
		return nil, &NoBaseError{Authority: l.by.Name}
	case !c.known:
		return nil, &NoBaseError{Authority: l.by.Name, Number: l.record.Number, Where: l.place}
	}
	return c.entries, nil
}

// NoBaseError is returned for a delta when its base, the last complete CRL, is missing.
type NoBaseError struct {
	Authority string
	Number    int64  // of the last complete CRL, which is missing; 0: there is none yet
	Where     string // its path or URL by Config.LastList; empty: unknown
}

func (e *NoBaseError) Error() string {
	why := "there is no complete list yet"
	if e.Number > 0 {
		why = fmt.Sprintf("list %d, the last complete one, is not in %s any more", e.Number, cmp.Or(e.Where, "its place"))
	}
	return fmt.Sprintf("make a delta of the list of %q: %s", e.Authority, why)
}

// unlisted counts the changes since the last CRL: revocations, and ended holds. Entries that have
// expired since do not count. If the CRL itself is missing, only later revocations are known.
func (l *lastCRL) unlisted(revoked []ca.Revocation) int {
	if c := l.compare(revoked); c.known {
		return len(c.added) + c.released
	}
	n := 0
	for _, r := range revoked {
		if l.record == nil || r.At.After(l.record.ThisUpdate) {
			n++
		}
	}
	return n
}
