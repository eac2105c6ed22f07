package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
)

// crlFolder is below the CA's.
const crlFolder = "crl"

// madeCRL is a list that was just made, and what there is to say about it.
type madeCRL struct {
	Authority  string    `json:"authority"`
	Issuer     string    `json:"issuer"` // RFC 2253
	Number     int64     `json:"number"`
	Base       int64     `json:"base,omitempty"` // of a delta: the number of the list it is one to
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int       `json:"entries"`

	// Added and Removed are serials, in hex, compared with the last complete list. An entry
	// whose reason has changed is both. Nothing is known where Compared is false.
	Compared bool     `json:"compared"`
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`

	Size     int      `json:"size"` // characters of PEM
	MaxSize  int      `json:"max_size"`
	Room     int      `json:"room"`                // entries that still fit
	PerDay   float64  `json:"per_day"`             // by which it grew lately
	DaysLeft *float64 `json:"days_left,omitempty"` // until it is full; absent when it does not grow

	File string `json:"file"`
	DER  string `json:"der_file"`

	pem, der []byte
	until    time.Time // when the certificate of the authority ends
	revoked  int       // what a complete list holds
	at       time.Time // ThisUpdate to the microsecond: what was revoked later is not on it
}

// maxRaces is how often a number is taken anew after another process was faster.
const maxRaces = 20

// writeCRL makes the list of an authority and writes its files.
func (s *store) writeCRL(ctx context.Context, a ledger.Authority, valid time.Duration, delta bool) (*madeCRL, error) {
	m, err := s.makeCRL(ctx, a, valid, delta)
	if err != nil {
		return nil, err
	}
	return s.writeLast(ctx, a, m, func() (*madeCRL, error) { return s.makeCRL(ctx, a, valid, delta) })
}

// writeLast writes a list. Another process may have made a later one meanwhile and written it
// first: as long as there is a later one, the list is made and written again, so that none
// stays in the place of a newer.
func (s *store) writeLast(ctx context.Context, a ledger.Authority, m *madeCRL, again func() (*madeCRL, error)) (*madeCRL, error) {
	for range maxRaces {
		if err := m.write(); err != nil {
			return nil, err
		}
		next, err := s.ledger.NextCRL(ctx, keyID(a))
		if err != nil || next == m.Number+1 {
			return m, err
		}
		if m, err = again(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("write the list of %q: other processes write it again and again", a.Name)
}

// makeCRL makes the list of an authority and records it.
func (s *store) makeCRL(ctx context.Context, a ledger.Authority, valid time.Duration, delta bool) (*madeCRL, error) {
	authority, err := s.authority(ctx, a.Name)
	if err != nil {
		return nil, err
	}
	m := &madeCRL{Authority: a.Name, Issuer: a.Certificate.Subject.String(), until: a.Certificate.NotAfter}
	m.at = s.host.inputs.Now().UTC()
	m.ThisUpdate = m.at.Truncate(time.Second)
	m.NextUpdate = m.ThisUpdate.Add(valid)
	then := make(chan earlier, 1)
	go func() { then <- s.lookBack(ctx, m.at, keyID(a)) }() // meanwhile: it takes as long as the rest
	for range maxRaces {
		err = s.tryCRL(ctx, authority, m, delta)
		if _, raced := errors.AsType[*ledger.DuplicateError](err); !raced {
			break
		}
	}
	back := <-then // also after an error: the ledger must not be closed under it
	if err != nil {
		return nil, err
	}
	return m, m.forecast(back)
}

// tryCRL makes the list with the next number, which is taken when it is recorded.
func (s *store) tryCRL(ctx context.Context, authority *ca.Authority, m *madeCRL, delta bool) error {
	id := fmt.Sprintf("%x", authority.Certificate().SubjectKeyId)
	revoked, err := s.ledger.Revoked(ctx, id, m.ThisUpdate)
	if err != nil {
		return err
	}
	m.revoked = len(revoked)
	last, err := s.lastCRL(ctx, m.Authority, id)
	if err != nil {
		return err
	}
	c := ca.CRLConfig{ThisUpdate: m.ThisUpdate, NextUpdate: m.NextUpdate}
	changed := last.compare(revoked)
	m.Compared, m.Added, m.Removed = changed.known, changed.added, changed.removed
	if delta {
		if revoked, err = last.delta(changed); err != nil {
			return err
		}
		m.Base, c.BaseNumber = last.record.Number, big.NewInt(last.record.Number)
	}
	if m.Number, err = s.ledger.NextCRL(ctx, id); err != nil {
		return err
	}
	m.Number = max(m.Number, last.seen+1) // a ledger that was restored may not know the last number
	c.Number = big.NewInt(m.Number)
	if m.der, err = authority.CRL(revoked, c); err != nil {
		return err
	}
	m.Entries = len(revoked)
	m.pem = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: m.der})
	m.name(s.flags.dir)
	sum := sha256.Sum256(m.der)
	return s.ledger.RecordCRL(ctx, ledger.CRL{Issuer: id, Number: m.Number, Base: m.Base, ThisUpdate: m.at, NextUpdate: m.NextUpdate,
		Size: int64(len(m.der)), SHA256: sum[:], Entries: int64(m.Entries)})
}

// name sets the paths of the files.
func (m *madeCRL) name(dir string) {
	base := filepath.Join(dir, crlFolder, m.Authority)
	if m.Base != 0 {
		base += ".delta"
	}
	m.File, m.DER = base+".crl", base+".der"
}

func (m *madeCRL) write() error {
	return atomicfile.WriteAll(atomicfile.File{Path: m.DER, Data: m.der, Mode: 0o644}, atomicfile.File{Path: m.File, Data: m.pem, Mode: 0o644})
}

// growth is the time over which the growth of a list is measured.
const growth = 30 * 24 * time.Hour

// earlier is what would have been on a list some time ago.
type earlier struct {
	entries int
	days    float64 // how long ago, or since the first revocation, if that was later; 1 at least
	err     error
}

// lookBack reads what would have been on the list of an issuer.
func (s *store) lookBack(ctx context.Context, now time.Time, id string) (e earlier) {
	from := now.Add(-growth)
	then, err := s.ledger.Revoked(ctx, id, from)
	oldest := now
	for _, r := range then {
		if !r.At.After(from) {
			e.entries++
		}
		if r.At.Before(oldest) {
			oldest = r.At
		}
	}
	e.days = min(max(now.Sub(oldest), 24*time.Hour), growth).Hours() / 24
	e.err = err
	return e
}

// forecast measures the list, and says how long it will be small enough.
func (m *madeCRL) forecast(then earlier) error {
	size, err := ca.MeasureCRL(m.pem)
	if err = errors.Join(then.err, err); err != nil {
		return err
	}
	m.PerDay = float64(m.revoked-then.entries) / then.days
	f := ca.ForecastCRL(size, m.PerDay)
	m.Size, m.MaxSize, m.Room = size.PEM, ca.MaxCRLSize, f.Room
	if !f.Never {
		m.DaysLeft = &f.Days
	}
	return nil
}

// soon is how many days ahead a list that will be too large is warned of.
const soon = 60

// report tells what was made.
func (m *madeCRL) report(h host) {
	kind := fmt.Sprintf("list %d", m.Number)
	if m.Base != 0 {
		kind = fmt.Sprintf("list %d, a delta to list %d,", m.Number, m.Base)
	}
	changes := "what has changed is not known, since the last list is not in its file any more"
	if m.Compared {
		changes = fmt.Sprintf("%d added, %d removed", len(m.Added), len(m.Removed))
	}
	h.say(fmt.Sprintf("wrote %s and .der: %s of %q with %d revoked (%s); the next is due before %s",
		m.File, kind, m.Issuer, m.Entries, changes, rfc3339(m.NextUpdate)))
	m.reportSerials(h)
	if m.NextUpdate.After(m.until) {
		h.warn(fmt.Sprintf("%s counts until %s only, when its CA ends", m.File, rfc3339(m.until)))
	}
	if m.Base != 0 {
		return
	}
	text := fmt.Sprintf("%s has %d of %d bytes: room for %d more", m.File, m.Size, m.MaxSize, m.Room)
	switch {
	case m.Size > m.MaxSize:
		h.warn(fmt.Sprintf("%s has %d bytes; IAM Roles Anywhere takes %d at most: rotate to a new CA, or issue for shorter times", m.File, m.Size, m.MaxSize))
	case m.DaysLeft != nil && *m.DaysLeft < soon:
		h.warn(fmt.Sprintf("%s, for about %.0f days at %.1f a day: rotate to a new CA before, or issue for shorter times", text, *m.DaysLeft, m.PerDay))
	case m.DaysLeft != nil:
		h.say(fmt.Sprintf("%s, for about %.0f days at %.1f a day", text, *m.DaysLeft, m.PerDay))
	default:
		h.say(text + "; it does not grow")
	}
}

func (m *madeCRL) reportSerials(h host) {
	for _, change := range []struct {
		word    string
		serials []string
	}{{"added", m.Added}, {"removed", m.Removed}} {
		n := len(change.serials)
		if n == 0 || !m.Compared {
			continue
		}
		text := strings.Join(change.serials[:min(n, maxNamed)], ", ")
		if n > maxNamed {
			text += fmt.Sprintf(" and %d more", n-maxNamed)
		}
		h.say(change.word + " " + text)
	}
}

// sameList tells whether data is the list that the ledger has recorded.
func sameList(data []byte, record ledger.CRL) bool {
	sum := sha256.Sum256(data)
	return bytes.Equal(sum[:], record.SHA256)
}
