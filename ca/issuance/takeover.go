package issuance

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// TakeOver takes in what an authority issued and revoked before its ledger was there: the caller
// reads it, with [TakeOver.Add] for each certificate, and then calls Finish. Whoever reads
// checks that the authority's key signed each: with what Certificates returns.
//
// A TakeOver belongs to one goroutine. What was added is recorded in groups; the same again
// after an interruption goes on, and what is there already stays as it is.
type TakeOver struct {
	service   *Service
	authority ledger.Authority
	issuers   []*x509.Certificate
	why       string
	now       time.Time

	certificates []ledger.Import
	serials      []ca.Revocation
	ended        []ca.Revocation // of certificates that have expired
	done         TakenOver
}

// Past is a certificate that an authority issued, or the serial number of one that it revoked
// and whose certificate is not at hand.
type Past struct {
	Certificate *x509.Certificate // nil: only the serial number is known
	Serial      *big.Int
	NotAfter    time.Time      // zero: not known
	Revoked     *ca.Revocation // nil: it is not revoked
}

// TakenOver says what came of a TakeOver. The tags are those of kedge-ca's JSON.
type TakenOver struct {
	Authority string            `json:"authority"`
	Recorded  int               `json:"recorded"` // certificates that are new in the ledger
	Known     int               `json:"known"`    // certificates that were there
	Expired   int               `json:"expired"`  // of all of them, those that have expired
	Revoked   int               `json:"revoked"`  // certificates and serial numbers that are revoked now and were not
	Ended     int               `json:"ended"`    // revoked serial numbers that are left out, since their certificates have expired
	NextList  int64             `json:"next_list"`
	MayMiss   bool              `json:"may_miss"` // nobody has said yet that nothing is missing
	Refused   map[string]string `json:"refused"`  // what the ledger does not take, by serial number or list: why
}

// What of a take-over waits to be recorded together.
const takeOverGroup = 500

// TakeOver begins to take in what an authority issued before.
func (s *Service) TakeOver(ctx context.Context, authority, why string) (*TakeOver, error) {
	path, err := s.Path(ctx, authority)
	if err != nil {
		return nil, err
	}
	t := &TakeOver{service: s, authority: path[0], issuers: []*x509.Certificate{path[0].Certificate}, why: why, now: s.now(),
		done: TakenOver{Authority: path[0].Name, Refused: map[string]string{}}}
	for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: KindOf(path[0].Certificate)}) {
		if err != nil {
			return nil, err
		}
		cert, err := c.X509()
		if err != nil {
			return nil, err
		}
		if ca.SameKey(cert.PublicKey, path[0].Certificate.PublicKey) && !cert.Equal(path[0].Certificate) {
			t.issuers = append(t.issuers, cert)
		}
	}
	return t, nil
}

// Certificates returns those of the authority, which have one key: the present one first.
func (t *TakeOver) Certificates() []*x509.Certificate { return t.issuers }

// Add takes what the authority issued.
func (t *TakeOver) Add(ctx context.Context, p Past) error {
	if p.Certificate == nil {
		return t.addSerial(p)
	}
	if t.now.After(p.Certificate.NotAfter) {
		t.done.Expired++
	}
	t.certificates = append(t.certificates, ledger.Import{
		Issued:  ca.Issued{Certificate: p.Certificate, Issuer: t.authority.Certificate, Why: t.why, At: t.now},
		Revoked: p.Revoked,
	})
	if len(t.certificates) < takeOverGroup {
		return nil
	}
	return t.flush(ctx)
}

// addSerial keeps a revoked serial number, for Finish: the certificates are to be in the ledger
// first. One that is known to have expired does not have to be on a list any more.
func (t *TakeOver) addSerial(p Past) error {
	if p.Revoked == nil || p.Serial == nil || p.Serial.Sign() <= 0 {
		return fmt.Errorf("take in the serial number %v: it is none, or not revoked", p.Serial)
	}
	r := ca.Revocation{Serial: p.Serial, At: p.Revoked.At, Reason: p.Revoked.Reason}
	if !p.NotAfter.IsZero() && t.now.After(p.NotAfter) {
		t.ended = append(t.ended, r)
	} else {
		t.serials = append(t.serials, r)
	}
	return nil
}

// flush records the certificates that wait.
func (t *TakeOver) flush(ctx context.Context) error {
	n := len(t.certificates)
	done, err := t.service.ledger.Import(ctx, t.certificates)
	for _, c := range t.certificates {
		// One whose serial number another has is refused; the number is revoked all the same.
		if _, refused := done.Refused[ca.SerialHex(c.Issued.Certificate)]; refused && c.Revoked != nil {
			t.serials = append(t.serials, ca.Revocation{Serial: c.Issued.Certificate.SerialNumber, At: c.Revoked.At, Reason: c.Revoked.Reason})
		}
	}
	t.certificates = t.certificates[:0]
	t.done.Recorded += done.Recorded
	t.done.Revoked += done.Revoked
	if err == nil {
		t.done.Known += n - done.Recorded - len(done.Refused)
	}
	for serial, why := range done.Refused {
		t.done.Refused[serial] = why
	}
	return err
}

// PastLists is what is known of the lists that an authority signed before.
type PastLists struct {
	Lists    []*x509.RevocationList // complete ones, with the signature of the authority
	Number   *big.Int               // the highest that it used; nil: not known
	Complete bool                   // the operator's word that nothing is missing
}

// Finish records what was added and not recorded yet, and the lists: their numbers are gone on
// from.
func (t *TakeOver) Finish(ctx context.Context, p PastLists) (*TakenOver, error) {
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	t.keepListed(p.Lists)
	past := ledger.TakeOver{Authority: t.authority.Certificate, Complete: p.Complete, Why: t.why}
	switch {
	case p.Number == nil:
	case !p.Number.IsInt64():
		t.done.Refused["list "+p.Number.String()] = "its number is too large to be gone on from: to be accepted, lists would need a higher one"
	default:
		past.Number = p.Number.Int64()
	}
	// What is revoked comes before the lists: a list that is recorded is not looked at any more, when it
	// is replaced. That nothing is missing comes last.
	revoked, err := t.service.ledger.TakeOver(ctx, ledger.TakeOver{Authority: past.Authority, Revoked: t.serials, Why: t.why})
	t.done.Revoked += revoked
	if err != nil {
		return nil, err
	}
	for _, list := range p.Lists {
		if err := t.takeList(ctx, list); err != nil {
			return nil, err
		}
	}
	if _, err := t.service.ledger.TakeOver(ctx, past); err != nil {
		return nil, err
	}
	if t.done.NextList, err = t.service.ledger.NextCRL(ctx, t.authority.Certificate); err != nil {
		return nil, err
	}
	missing, err := t.service.ledger.MayMiss(ctx)
	t.done.MayMiss = missing[t.authority.Name]
	return &t.done, err
}

// keepListed keeps, of the revoked serial numbers whose certificates have expired, those that a
// list has: such a list may be the one that the next replaces, and that is not to lose any.
func (t *TakeOver) keepListed(lists []*x509.RevocationList) {
	on := map[string]bool{}
	for _, list := range lists {
		for _, e := range list.RevokedCertificateEntries {
			on[string(e.SerialNumber.Bytes())] = true
		}
	}
	for _, r := range t.ended {
		if on[string(r.Serial.Bytes())] {
			t.serials = append(t.serials, r)
		} else {
			t.done.Ended++
		}
	}
	t.ended = nil
}

// takeList records that there was a list, so that it is known when it is to be replaced. What it
// revokes was added.
func (t *TakeOver) takeList(ctx context.Context, list *x509.RevocationList) error {
	if list.Number == nil {
		return nil // of version 1: none that has to be gone on from
	}
	sum := sha256.Sum256(list.Raw)
	f, err := ledger.ReadList(list, t.authority.Certificate, sum[:])
	if err != nil {
		t.done.Refused["list "+list.Number.String()] = err.Error()
		return nil
	}
	f.Revoked = nil
	return t.service.ledger.TakeList(ctx, f, t.why)
}
