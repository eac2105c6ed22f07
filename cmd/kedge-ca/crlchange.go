package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// lastCRL is the last complete list of an authority.
type lastCRL struct {
	authority string
	file      string
	record    *ledger.CRL          // nil: there was none
	list      *x509.RevocationList // nil: the file is not there, or is another
	seen      int64                // the number of the list in the file, recorded or not; 0 without one
}

// maxCRLFile bounds what is read: many times what IAM Roles Anywhere takes.
const maxCRLFile = 64 << 20

// lastCRL finds the last complete list of an authority, in the ledger and in its file.
func (s *store) lastCRL(ctx context.Context, name, id string) (*lastCRL, error) {
	last := &lastCRL{authority: name, file: filepath.Join(s.flags.dir, crlFolder, name+".der")}
	record, err := s.ledger.LastCRL(ctx, id)
	if err == nil {
		last.record = &record
	} else if !is[*ledger.NotFoundError](err) {
		return nil, err
	}
	data, err := readAtMost(last.file, maxCRLFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil || fmt.Sprintf("%x", list.AuthorityKeyId) != id {
		return last, nil // it is none, or another's
	}
	if list.Number != nil && list.Number.IsInt64() {
		last.seen = list.Number.Int64()
	}
	if last.record != nil && sameList(data, record) {
		last.list = list
	}
	return last, nil
}

// crlChange is what is different from the last list.
type crlChange struct {
	known          bool
	added, removed []string // serials in hex
	released       int      // of those removed: no longer on hold, or expired while on hold
	entries        []ca.Revocation
}

// compare holds what is revoked against the last list.
func (l *lastCRL) compare(revoked []ca.Revocation) crlChange {
	c := crlChange{known: l.record == nil && l.seen == 0 || l.list != nil, added: []string{}, removed: []string{}}
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

// delta returns the entries of a delta to the last list: what is new on it, and, with the
// reason removeFromCRL, what is no longer.
//
// Source: RFC 5280, 5.2.4 and 5.3.1.
func (l *lastCRL) delta(c crlChange) ([]ca.Revocation, error) {
	switch {
	case l.record == nil:
		return nil, &noBaseError{l.authority, "there is no complete list yet"}
	case !c.known:
		return nil, &noBaseError{l.authority, fmt.Sprintf("list %d, the last complete one, is not in %s any more", l.record.Number, l.file)}
	}
	return c.entries, nil
}

// noBaseError says that a delta has nothing to be one to.
type noBaseError struct{ authority, why string }

func (e *noBaseError) Error() string {
	return fmt.Sprintf("make a delta of the list of %q: %s", e.authority, e.why)
}

// unlisted counts what the last list lacks: revocations, and ends of holds. That others have
// expired does no harm. Without the file of the list only what was revoked since is known.
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
