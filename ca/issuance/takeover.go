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

// TakeOver imports what an authority issued and revoked before its ledger existed: the caller calls
// [TakeOver.Add] for each certificate, and then Finish. The caller must have verified that each was
// signed by the authority's key, with one of Certificates.
//
// It is not safe for concurrent use. Certificates are recorded in groups; after an interruption the
// same calls resume, and what is recorded already stays as it is.
type TakeOver struct {
	service   *Service
	authority ledger.Authority
	issuers   []*x509.Certificate
	why       string
	archive   string
	now       time.Time

	certificates []ledger.Import
	serials      []ca.Revocation
	ended        []ca.Revocation // revocations whose certificates have expired
	done         TakenOver
}

// Past is a certificate that an authority issued, or the serial number of one that it revoked and
// whose certificate is missing.
type Past struct {
	Certificate *x509.Certificate // nil: only the serial number is known
	Serial      *big.Int
	NotAfter    time.Time      // zero: unknown
	Revoked     *ca.Revocation // nil: it is not revoked
}

// TakenOver is the result of a TakeOver. The tags are those of kedge-ca's JSON.
type TakenOver struct {
	Authority string            `json:"authority"`
	Recorded  int               `json:"recorded"` // certificates that are new in the ledger
	Known     int               `json:"known"`    // certificates that were in the ledger already
	Expired   int               `json:"expired"`  // of all of them, those that have expired
	Revoked   int               `json:"revoked"`  // certificates and serial numbers that are newly revoked
	Ended     int               `json:"ended"`    // revoked serial numbers that are left out, since their certificates have expired
	NextList  int64             `json:"next_list"`
	MayMiss   bool              `json:"may_miss"` // the operator has not stated that nothing is missing
	Refused   map[string]string `json:"refused"`  // what the ledger refuses, by serial number or CRL: why
}

// How many imports are recorded together.
const takeOverGroup = 500

// TakeOver starts the import of what an authority issued before. archive is the folder with the segments of the
// ledger; it is not read if there are none.
func (s *Service) TakeOver(ctx context.Context, authority, why, archive string) (*TakeOver, error) {
	path, err := s.Path(ctx, authority)
	if err != nil {
		return nil, err
	}
	t := &TakeOver{service: s, authority: path[0], issuers: []*x509.Certificate{path[0].Certificate}, why: why, archive: archive, now: s.now(),
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

// Certificates returns the certificates of the authority, which have one key: the current one
// first.
func (t *TakeOver) Certificates() []*x509.Certificate { return t.issuers }

// Add imports a certificate or a revocation.
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

// addSerial keeps a revoked serial number for Finish, since certificates are recorded first. One
// that is known to have expired need not be on a CRL any more.
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

// flush records the collected certificates.
func (t *TakeOver) flush(ctx context.Context) error {
	n := len(t.certificates)
	done, err := t.service.ledger.Import(ctx, t.archive, t.certificates)
	for _, c := range t.certificates {
		// One whose serial number is in use is refused; the number is revoked nevertheless.
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

// PastLists is what is known of the CRLs that an authority signed before.
type PastLists struct {
	Lists    []*x509.RevocationList // complete ones, signed by the authority
	Number   *big.Int               // the highest that it used; nil: unknown
	Complete bool                   // the operator states that nothing is missing
}

// Finish records what was added and not recorded yet, and the CRLs, whose numbers are continued.
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
	// Revocations come before the CRLs: a recorded CRL is replaced without a comparison. The
	// statement that nothing is missing comes last.
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

// keepListed keeps, of the revoked serial numbers whose certificates have expired, those that are
// on a CRL: the next CRL may replace that one, and must not drop any.
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

// takeList records that there was a CRL, so that it is known when it is replaced. Its revocations
// were added.
func (t *TakeOver) takeList(ctx context.Context, list *x509.RevocationList) error {
	if list.Number == nil {
		return nil // of version 1: it has no number
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
