package issuance

import (
	"context"
	"time"

	"kedge/ca/ledger"
)

// Overview is what a monitor of the CA wants to know at each look.
type Overview struct {
	Authorities []Ending // by name
	Late        int64    // hosts whose certificate is nearly expired
	Expired     int64    // and has expired
	Clones      int      // hosts with a copy: see Host.Clones
}

// Ending is when things of an authority end.
type Ending struct {
	Name               string
	NotAfter           time.Time
	ListBegin, ListEnd time.Time // of its last complete CRL; zero: there is none
}

// Overview reads little, compared with Status.
func (s *Service) Overview(ctx context.Context) (*Overview, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	o := &Overview{}
	for _, a := range all {
		one := Ending{Name: a.Name, NotAfter: a.Certificate.NotAfter}
		record, err := s.ledger.LastCRL(ctx, a.Certificate)
		if err == nil {
			one.ListBegin, one.ListEnd = record.ThisUpdate, record.NextUpdate
		} else if !isNotFound(err) {
			return nil, err
		}
		o.Authorities = append(o.Authorities, one)
	}
	var c Status
	if err := s.cloneStatus(ctx, &c); err != nil {
		return nil, err
	}
	o.Clones = c.clones
	now := s.now()
	late, expired := s.lateFilters(now)
	if o.Late, err = s.ledger.Count(ctx, late); err != nil {
		return nil, err
	}
	o.Expired, err = s.ledger.Count(ctx, expired)
	return o, err
}

// lateFilters are for the leaves that should have been renewed.
func (s *Service) lateFilters(now time.Time) (late, expired ledger.Filter) {
	late, expired = s.expiry.Nearly(now), s.expiry.Expired(now)
	late.Kind, expired.Kind = ledger.Leaf, ledger.Leaf
	return late, expired
}

// CheckKey has the key of an authority, the issuing one when the name is empty, sign something that
// is thrown away. The context bounds what is read of the ledger, but not the signature. Errors are those
// of Issuer and ca.Authority.CheckKey.
func (s *Service) CheckKey(ctx context.Context, name string) error {
	i, err := s.Issuer(ctx, name)
	if err != nil {
		return err
	}
	return i.authority.CheckKey()
}

// AddContacts records which hosts got an answer: see ledger.Ledger.AddContacts.
func (s *Service) AddContacts(ctx context.Context, all []ledger.Contact) error {
	return s.ledger.AddContacts(ctx, all)
}
