package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// CRL is a list that was just made and recorded, and what there is to say about it. The tags are
// those of kedge-ca's JSON.
type CRL struct {
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

	PEM []byte    `json:"-"`
	DER []byte    `json:"-"`
	End time.Time `json:"-"` // when the certificate of the authority ends, and the list with it

	by      ledger.Authority
	revoked int       // what a complete list holds
	at      time.Time // ThisUpdate to the microsecond: what was revoked later is not on it
}

// CRLRequest says what list is to be made.
type CRLRequest struct {
	Authority string        // its name; the one that issues when it is empty
	Valid     time.Duration // until the next list is due
	Delta     bool          // to the last complete list, with a *NoBaseError when that is not at hand

	// Take and Drop say what becomes of a last list that has what the ledger lacks, which is a
	// *ForgottenError otherwise. Why is for the ledger.
	Take, Drop bool
	Why        string
}

// maxRaces bounds the attempts to make a list while other processes make later ones.
const maxRaces = 20

// PublishCRL makes the list of an authority, records it and has write publish it. A list that would
// replace one with revocations that the ledger lacks is a *ForgottenError, and one in the place of
// something else an *OddListError; then nothing is written.
//
// Another process may make a later list and publish it before write does, which then puts the
// older in its place. As long as there is a later one, PublishCRL therefore makes the list and
// has it written again; it returns the last.
func (s *Service) PublishCRL(ctx context.Context, r CRLRequest, write func(*CRL) error) (*CRL, error) {
	for range maxRaces {
		m, err := s.makeCRL(ctx, r)
		if err == nil {
			err = write(m)
		}
		if err != nil {
			return nil, err
		}
		if last, err := s.isLastCRL(ctx, m); err != nil || last {
			return m, err
		}
		r.Authority = m.Authority
	}
	return nil, fmt.Errorf("write the list of %q: other processes write it again and again", r.Authority)
}

// makeCRL makes the list of an authority and records it.
func (s *Service) makeCRL(ctx context.Context, r CRLRequest) (*CRL, error) {
	path, err := s.Path(ctx, r.Authority)
	if err != nil {
		return nil, err
	}
	authority, err := s.Authority(ctx, path)
	if err != nil {
		return nil, err
	}
	a := path[0]
	m := &CRL{Authority: a.Name, Issuer: a.Certificate.Subject.String(), End: a.Certificate.NotAfter, by: a}
	m.at = s.now().UTC()
	m.ThisUpdate = m.at.Truncate(time.Second)
	m.NextUpdate = m.ThisUpdate.Add(r.Valid)
	then := make(chan earlier, 1)
	go func() { then <- s.lookBack(ctx, m.at, a) }() // meanwhile: it takes as long as the rest
	for range maxRaces {
		err = s.tryCRL(ctx, authority, m, r)
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
func (s *Service) tryCRL(ctx context.Context, authority *ca.Authority, m *CRL, r CRLRequest) error {
	last, err := s.lastCRL(ctx, m.by)
	if last, err = s.decide(ctx, last, err, r); err != nil {
		return err
	}
	// Both are of one moment: a list that another process makes since takes the number, so that no
	// list has a higher number and knows less.
	number, revoked, err := s.ledger.CRLContent(ctx, m.by.Certificate, m.ThisUpdate)
	if err != nil {
		return err
	}
	m.Number = number
	m.revoked = len(revoked)
	c := ca.CRLConfig{ThisUpdate: m.ThisUpdate, NextUpdate: m.NextUpdate}
	changed := last.compare(revoked)
	m.Compared, m.Added, m.Removed = changed.known, changed.added, changed.removed
	if r.Delta {
		if revoked, err = last.delta(changed); err != nil {
			return err
		}
		m.Base, c.BaseNumber = last.record.Number, big.NewInt(last.record.Number)
	}
	c.Number = big.NewInt(m.Number)
	if m.DER, err = authority.CRL(revoked, c); err != nil {
		return err
	}
	m.Entries = len(revoked)
	m.PEM = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: m.DER})
	sum := sha256.Sum256(m.DER)
	return s.ledger.RecordCRL(ctx, ledger.CRL{Authority: m.by.Certificate, Number: m.Number, Base: m.Base, ThisUpdate: m.at, NextUpdate: m.NextUpdate,
		Size: int64(len(m.DER)), SHA256: sum[:], Entries: int64(m.Entries)})
}

// isLastCRL reports whether no later list of the authority was made, by another process, since m.
func (s *Service) isLastCRL(ctx context.Context, m *CRL) (bool, error) {
	next, err := s.ledger.NextCRL(ctx, m.by.Certificate)
	return next == m.Number+1, err
}

// revoked is what a list of an authority holds at a time.
func (s *Service) revoked(ctx context.Context, a ledger.Authority, at time.Time) ([]ca.Revocation, error) {
	return s.ledger.Revoked(ctx, a.Certificate, at)
}
