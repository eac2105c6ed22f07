package ledger

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
)

// TakeOver is what is known of an authority's past before this ledger, besides certificates and
// lists.
type TakeOver struct {
	Authority *x509.Certificate // any certificate of it
	Number    int64             // of the last CRL that it signed; 0: unknown
	Revoked   []ca.Revocation   // serial numbers of missing certificates, each once
	Complete  bool              // the operator states that nothing is missing
	Why       string            // may be empty
}

// takeOverBody is the entry of a TakeOver.
type takeOverBody struct {
	By     string `json:"by"`               // the authority
	Issuer string `json:"issuer,omitempty"` // its key identifier; with Number only
	Number int64  `json:"number,omitempty"` // later lists have higher numbers
	listed
	State string `json:"state,omitempty"` // the new state: takenOver or takenIn; empty: unchanged
	Why   string `json:"why,omitempty"`
}

// The states of an authority's past.
const (
	takenOver = "may-be-missing"
	takenIn   = "complete"
)

// takeOverChunk is how many revocations an entry holds.
const takeOverChunk = 5000

// Adopt records a root that another program issued, and its authority. What it issued before may be
// missing: see MayMiss.
func (l *Ledger) Adopt(ctx context.Context, root ca.Issued, a Authority) error {
	a.Certificate = root.Certificate
	record, err := newRecord(root)
	if err == nil {
		err = a.check()
	}
	if err != nil {
		return err
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		if _, err := t.importAll(ctx, []*importRecord{{record: record}}, &archivedImports{}); err != nil {
			return err
		}
		if _, err := t.append(ctx, kindTakeOver, takeOverBody{By: a.Name, State: takenOver, Why: root.Why}); err != nil {
			return err
		}
		return t.setAuthorities(ctx, []Authority{a})
	})
}

// TakeOver records what the ledger lacks of o, and returns how many serial numbers are newly
// revoked. If a serial number has a certificate in the ledger, that is revoked. After an error the
// same call resumes.
func (l *Ledger) TakeOver(ctx context.Context, o TakeOver) (revoked int, err error) {
	if o.Authority == nil || o.Number < 0 {
		return 0, errors.New("take over an authority: its certificate or the number is wrong")
	}
	if err := writable("reason", o.Why); err != nil {
		return 0, fmt.Errorf("take over an authority: %w", err)
	}
	for rest := o.Revoked; len(rest) > 0; {
		n := min(len(rest), takeOverChunk)
		some, err := l.takeOver(ctx, TakeOver{Authority: o.Authority, Revoked: rest[:n], Why: o.Why})
		if revoked += some; err != nil {
			return revoked, err
		}
		rest = rest[n:]
	}
	o.Revoked = nil
	_, err = l.takeOver(ctx, o)
	return revoked, err
}

func (l *Ledger) takeOver(ctx context.Context, o TakeOver) (revoked int, err error) {
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (int, error) {
		body, err := t.takeOverBody(ctx, &o)
		if err != nil {
			return 0, err
		}
		revoked := len(body.Certificates) + len(body.Serials)
		if revoked == 0 && body.Number == 0 && body.State == "" {
			return 0, nil
		}
		seq, err := t.append(ctx, kindTakeOver, body)
		if err != nil {
			return 0, err
		}
		all := body.statements(o.Authority, seq)
		if body.Number != 0 {
			all = append(all, one(insertCRL, body.row(o.Authority, seq, t.at)...))
		}
		return revoked, t.send(ctx, all...)
	})
}

// takeOverBody returns the entry, without what the ledger has already.
func (t *transaction) takeOverBody(ctx context.Context, o *TakeOver) (body takeOverBody, err error) {
	body.Why = o.Why
	if body.By, err = t.authorityOf(ctx, o.Authority); err != nil {
		return body, err
	}
	m, err := t.missing(ctx, ForeignList{CRL: CRL{Authority: o.Authority}, Revoked: o.Revoked}, t.now())
	if err != nil {
		return body, err
	}
	if err := t.resolve(ctx, o.Authority, m.Revoked, &body.listed); err != nil {
		return body, err
	}
	key := ca.KeyHash(o.Authority)
	var last int64
	if err := t.queryRow(ctx, lastNumber, key[:]).Scan(&last); err != nil {
		return body, err
	}
	if o.Number > last {
		body.Number, body.Issuer = o.Number, hex.EncodeToString(o.Authority.SubjectKeyId)
	}
	missing, err := t.mayMiss(ctx)
	if o.Complete && missing[body.By] {
		body.State = takenIn
	}
	return body, err
}

// crl returns a list that stands for the number: it does not exist, so it is not a complete one.
func (b *takeOverBody) crl(at time.Time) crlBody {
	return crlBody{Issuer: b.Issuer, By: b.By, Number: b.Number, Base: b.Number, ThisUpdate: at.UnixMicro(), NextUpdate: at.UnixMicro(),
		SHA256: hex.EncodeToString(make([]byte, hashSize))}
}

func (b *takeOverBody) row(authority *x509.Certificate, seq int64, at time.Time) []any {
	c := CRL{Authority: authority, Number: b.Number, Base: b.Number, ThisUpdate: at, NextUpdate: at, SHA256: make([]byte, hashSize)}
	return c.row(seq)
}

// MayMiss returns, by name, the authorities that were created elsewhere, unless the operator has
// stated that the ledger has all they issued before.
func (l *Ledger) MayMiss(ctx context.Context) (names map[string]bool, err error) {
	err = l.read(ctx, func(s *session) error {
		names, err = s.mayMiss(ctx)
		return err
	})
	return names, err
}

func (s *session) mayMiss(ctx context.Context) (map[string]bool, error) {
	rows, err := s.conn.QueryContext(ctx, "SELECT seq, at, kind, body, prev, hash FROM entries WHERE kind = 'takeover' ORDER BY seq")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		var body takeOverBody
		if err := e.decode(&body); err != nil {
			return nil, err
		}
		switch body.State {
		case takenOver:
			names[body.By] = true
		case takenIn:
			delete(names, body.By)
		}
	}
	return names, rows.Err()
}
