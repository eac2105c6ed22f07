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

// CRL is a CRL that was made and recorded, with its statistics. The tags are those of kedge-ca's
// JSON.
type CRL struct {
	Authority  string    `json:"authority"`
	Issuer     string    `json:"issuer"` // RFC 2253
	Number     int64     `json:"number"`
	Base       int64     `json:"base,omitempty"` // of a delta: the number of its base CRL
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int       `json:"entries"`

	// Added and Removed are serials, in hex, compared with the last complete CRL. An entry whose
	// reason has changed is in both. They are unknown if Compared is false.
	Compared bool     `json:"compared"`
	Added    []string `json:"added"`
	Removed  []string `json:"removed"`

	Size     int      `json:"size"` // characters of PEM
	MaxSize  int      `json:"max_size"`
	Room     int      `json:"room"`                // how many more entries fit
	PerDay   float64  `json:"per_day"`             // by which it grew in the last month
	DaysLeft *float64 `json:"days_left,omitempty"` // until there is no room; absent if it does not grow

	PEM []byte    `json:"-"`
	DER []byte    `json:"-"`
	End time.Time `json:"-"` // when the certificate of the authority expires, and the CRL with it

	by      ledger.Authority
	revoked int       // number of revoked certificates in a complete CRL
	at      time.Time // ThisUpdate to the microsecond: later revocations are not on it
}

// CRLRequest specifies which CRL to make.
type CRLRequest struct {
	Authority string        // its name; empty: the issuing one
	Valid     time.Duration // until NextUpdate
	Delta     bool          // relative to the last complete CRL; without that, the error is a *NoBaseError

	// Take and Drop decide what happens to revocations in the last CRL that the ledger lacks;
	// without either the error is a *ForgottenError. Why is recorded in the ledger.
	Take, Drop bool
	Why        string
}

// maxRaces bounds the attempts to make a CRL while other processes make later ones.
const maxRaces = 20

// PublishCRL makes the CRL of an authority, records it and calls write to publish it. If it would
// replace a CRL with revocations that the ledger lacks, the error is a *ForgottenError, and if it
// would replace another file, an *OddListError; then nothing is written.
//
// Another process may make a later CRL and publish it before write does, which then overwrites it
// with the older one. So PublishCRL repeats making and writing until there is no later CRL; it
// returns the last.
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

// makeCRL makes the CRL of an authority and records it.
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
	go func() { then <- s.lookBack(ctx, m.at, a) }() // concurrently: it takes as long as the rest
	for range maxRaces {
		err = s.tryCRL(ctx, authority, m, r)
		if _, raced := errors.AsType[*ledger.DuplicateError](err); !raced {
			break
		}
	}
	back := <-then // also after an error: the ledger must not be closed before
	if err != nil {
		return nil, err
	}
	return m, m.forecast(back)
}

// tryCRL makes the CRL with the next number, which is taken when it is recorded.
func (s *Service) tryCRL(ctx context.Context, authority *ca.Authority, m *CRL, r CRLRequest) error {
	last, err := s.lastCRL(ctx, m.by)
	if last, err = s.decide(ctx, last, err, r); err != nil {
		return err
	}
	// Both are read from one state: a CRL that another process makes later gets another number, so
	// that no CRL has a higher number and fewer revocations.
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
		Size: int64(len(m.DER)), SHA256: sum[:], Entries: int64(m.Entries), DER: m.DER})
}

// isLastCRL reports whether no process has made a later CRL of the authority than m.
func (s *Service) isLastCRL(ctx context.Context, m *CRL) (bool, error) {
	next, err := s.ledger.NextCRL(ctx, m.by.Certificate)
	return next == m.Number+1, err
}

// revoked returns the entries of an authority's CRL at a time.
func (s *Service) revoked(ctx context.Context, a ledger.Authority, at time.Time) ([]ca.Revocation, error) {
	return s.ledger.Revoked(ctx, a.Certificate, at)
}
