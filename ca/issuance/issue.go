package issuance

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Issuer issues leaves with one authority. The ledger checks for each certificate whether it may:
// an Issuer that was opened before its authority was retired or revoked issues nothing. It is safe
// for concurrent use.
type Issuer struct {
	service   *Service
	name      string // of the authority
	authority *ca.Authority
}

// Issuer opens an authority to issue, the issuing one when the name is empty. Errors are those of
// Issuing and Authority.
func (s *Service) Issuer(ctx context.Context, name string) (*Issuer, error) {
	path, err := s.Issuing(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.IssuerAt(ctx, path)
}

// IssuerAt is Issuer for an authority whose path is known.
func (s *Service) IssuerAt(ctx context.Context, path []ledger.Authority) (*Issuer, error) {
	authority, err := s.Authority(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Issuer{s, path[0].Name, authority}, nil
}

// Authority returns the authority that issues.
func (i *Issuer) Authority() *ca.Authority { return i.authority }

// Leaf is a certificate that has passed every check of package ca, ready to be issued once.
type Leaf struct {
	issuer   *Issuer
	prepared *ca.Prepared
	issued   ca.Issued // without the certificate
	by       *ca.Enrollment
}

// Issued is a certificate that is in the ledger, with what the caller should know about it.
type Issued struct {
	ca.Issued
	// Again is true if it had been issued before, for the same key and name: an answer was lost, a
	// run was interrupted, or another process was faster.
	Again bool
	// Ended are the valid certificates of other keys with this name, which can no longer be
	// renewed. They stay valid until they expire or are revoked.
	Ended []ledger.Certificate
}

// Prepare checks a request for a leaf, without issuing it. Errors are those of
// ca.Authority.PrepareLeaf.
func (i *Issuer) Prepare(p *ca.Profile, r ca.Request) (*Leaf, error) {
	at := i.service.now()
	r.Published = i.published()
	prepared, err := i.authority.PrepareLeaf(p, r, at)
	if err != nil {
		return nil, err
	}
	return &Leaf{issuer: i, prepared: prepared, issued: ca.Issued{Profile: p.Name(), Host: r.Host, Why: r.Why, At: at}}, nil
}

// Issue issues a leaf, records it and returns it. If the request has Once set, and the key has a
// valid certificate of this name and authority, that is returned. Typed errors are those of
// ledger.Ledger.Record; a certificate that is not in the ledger is never returned.
func (l *Leaf) Issue(ctx context.Context) (*Issued, error) {
	to := &receipts{ledger: l.issuer.service.ledger, enrollment: l.by}
	cert, err := l.prepared.Issue(ctx, to)
	if answered, ok := errors.AsType[*ledger.AnsweredError](err); ok {
		return again(answered.Newest)
	}
	if err != nil {
		return nil, err
	}
	result := &Issued{Issued: l.issued, Ended: to.receipt.Ended}
	result.Enrollment = l.by
	result.Certificate, result.Issuer = cert, l.issuer.authority.Certificate()
	return result, nil
}

// receipts is a ca.Recorder that keeps the ledger's receipt for the one certificate that it
// records.
type receipts struct {
	ledger     *ledger.Ledger
	enrollment *ca.Enrollment // nil: the operator issues
	receipt    ledger.Receipt
}

func (r *receipts) RecordIssued(ctx context.Context, i ca.Issued) (err error) {
	i.Enrollment = r.enrollment
	r.receipt, err = r.ledger.Record(ctx, i)
	return err
}

// again returns a certificate that was issued before.
func again(c ledger.Certificate) (*Issued, error) {
	cert, err := c.X509()
	if err != nil {
		return nil, err
	}
	return &Issued{Again: true, Issued: ca.Issued{
		Certificate: cert, Profile: c.Profile, Host: c.Host, Why: c.Why, Replaces: c.Replaces, At: c.IssuedAt,
	}}, nil
}

// Renewal specifies how to renew a leaf.
type Renewal struct {
	// Old is the certificate that its holder has. It need not be the newest of its lineage.
	Old ledger.Certificate
	// Renewal describes the new certificate; its field Old is ignored. Public is the requester's
	// key: nil for the key of Old. The caller must have verified that the requester has the private
	// key.
	ca.Renewal
	// Enrollment is set if a host asks a server: then the ledger's rules about its grace apply. Its
	// Proof is ca.ProofRenewal.
	Enrollment *ca.Enrollment
}

// Renew issues the certificate that replaces another, to the holder of the newest certificate of a
// lineage. If the requester has the newest certificate's key but presents an older one, the last
// answer was lost: it gets the newest again or, when that is due, its successor. Any other
// requester has a copy of a replaced certificate: a *ledger.CloneError, which is recorded. A
// lineage that has ended is a *ledger.EndedError. If another key takes over just before a successor
// is issued, the error presents the certificate that was to be returned again, and not Old.
func (i *Issuer) Renew(ctx context.Context, r Renewal) (*Issued, error) {
	for {
		result, err := i.renew(ctx, r)
		answered, ok := errors.AsType[*ledger.AnsweredError](err)
		if !ok {
			return result, err
		}
		now := i.service.now()
		if !Due(answered.Newest, now) || answered.Newest.Seq <= r.Old.Seq {
			return again(answered.Newest)
		}
		r.Old = answered.Newest
	}
}

func (i *Issuer) renew(ctx context.Context, r Renewal) (*Issued, error) {
	at := i.service.now()
	old, err := r.Old.X509()
	if err != nil {
		return nil, err
	}
	r.Renewal.Old, r.Renewal.Published = old, i.published()
	if err := i.checkRenewal(ctx, &r); err != nil {
		return nil, err
	}
	prepared, err := i.authority.PrepareRenewal(r.Renewal, at)
	if err != nil {
		return nil, err
	}
	to := &receipts{ledger: i.service.ledger, enrollment: r.Enrollment}
	cert, err := prepared.Issue(ctx, to)
	if err != nil {
		return nil, err
	}
	return &Issued{Ended: to.receipt.Ended, Issued: ca.Issued{
		Certificate: cert, Issuer: i.authority.Certificate(), Profile: r.Profile.Name(), Host: r.Host, Why: r.Why, Replaces: r.Old.Fingerprint, At: at, Enrollment: r.Enrollment,
	}}, nil
}

// checkRenewal returns the error with which the ledger would refuse the renewal by a host, so that it
// costs no signature.
func (i *Issuer) checkRenewal(ctx context.Context, r *Renewal) error {
	if r.Enrollment == nil {
		return nil
	}
	key := r.Old.KeyHash
	if r.Public != nil {
		hash := ca.KeyHash(&x509.Certificate{PublicKey: r.Public})
		key = hash[:]
	}
	return i.service.ledger.CheckRenewal(ctx, r.Old, key, r.Enrollment)
}

// Due reports whether a certificate has used two thirds of its lifetime, after which it should be
// renewed.
func Due(c ledger.Certificate, now time.Time) bool {
	return !now.Before(dueAt(c))
}

// dueAt returns the time from which a certificate should be renewed: when two thirds of its lifetime
// are over.
func dueAt(c ledger.Certificate) time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) * 2 / 3)
}

// AuthorityRenewal is the renewed certificate of an authority, ready to be issued.
type AuthorityRenewal struct {
	Old      ledger.Authority
	Until    time.Time // when the new certificate expires, which may be before the old one
	Root     bool
	prepared *ca.Prepared
	at       time.Time
}

// PlanAuthorityRenewal prepares a new certificate for an authority, signed by the one above it or,
// for a root, by itself. Errors are those of Path, NotRevoked, Authority and
// ca.Authority.PrepareRenewal.
func (s *Service) PlanAuthorityRenewal(ctx context.Context, name string, r ca.Renewal) (*AuthorityRenewal, error) {
	path, err := s.Path(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := s.NotRevoked(ctx, path); err != nil {
		return nil, err
	}
	by := path
	if len(path) > 1 {
		by = path[1:]
	}
	authority, err := s.Authority(ctx, by)
	if err != nil {
		return nil, err
	}
	at := s.now()
	r.Old = path[0].Certificate
	prepared, err := authority.PrepareRenewal(r, at)
	if err != nil {
		return nil, err
	}
	return &AuthorityRenewal{path[0], prepared.Certificate().NotAfter, len(path) == 1, prepared, at}, nil
}

// RenewAuthority issues the certificate and makes it the authority's. If another process has
// changed the authority since the plan, the error is a *ledger.ChangedError.
func (s *Service) RenewAuthority(ctx context.Context, p *AuthorityRenewal) (*x509.Certificate, error) {
	return p.prepared.Issue(ctx, s.ledger.WithAuthority(p.Old))
}
