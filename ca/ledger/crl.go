package ledger

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
)

// CRL is a certificate revocation list as the ledger records it.
type CRL struct {
	Seq        int64             // of its entry; set by the ledger
	Authority  *x509.Certificate // of the authority that signed it; not set by LastCRL
	Issuer     string            // the key identifier in the list, in hexadecimal; set by the ledger
	Number     int64             // RFC 5280, 5.2.3
	Base       int64             // the number of the list that this one is a delta to; 0 for a complete list
	ThisUpdate time.Time
	NextUpdate time.Time
	Size       int64  // bytes of DER
	SHA256     []byte // of DER
	Entries    int64
	DER        []byte // stored if it is given, for PublishedCRL; not set by LastCRL
}

type crlBody struct {
	Issuer     string `json:"issuer"`
	By         string `json:"by,omitempty"` // the authority; absent in schema 1
	Number     int64  `json:"number"`
	Base       int64  `json:"base,omitempty"`
	ThisUpdate int64  `json:"this_update"` // microseconds
	NextUpdate int64  `json:"next_update"`
	Size       int64  `json:"size"`
	SHA256     string `json:"sha256"`
	Entries    int64  `json:"entries"`
	Stored     bool   `json:"stored,omitempty"` // in the table lists
}

const (
	crlColumns = "seq, issuer_key_id, number, base, this_update, next_update, size, sha256, entries"
	insertCRL  = "INSERT INTO crls (" + crlColumns + ", issuer_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	lastNumber = "SELECT coalesce(max(number), 0) FROM crls WHERE issuer_key = ?"
)

// NextCRL returns the number for the next CRL of an authority, complete or delta: higher than those
// of all CRLs that its key ever signed, with whatever certificate. [Ledger.RecordCRL] takes the
// number; call it before publishing the CRL.
func (l *Ledger) NextCRL(ctx context.Context, authority *x509.Certificate) (int64, error) {
	number, err := l.engine.nextCRL(ctx, l.db, authority)
	return number, l.engine.explain(err)
}

func (e *engine) nextCRL(ctx context.Context, q querier, authority *x509.Certificate) (int64, error) {
	var last int64
	key := ca.KeyHash(authority)
	err := q.QueryRowContext(ctx, e.sql(lastNumber), key[:]).Scan(&last)
	return last + 1, err
}

// CRLContent returns the results of [Ledger.NextCRL] and [Ledger.Revoked] from one state of the
// ledger: later revocations are on a CRL with a higher number.
func (l *Ledger) CRLContent(ctx context.Context, authority *x509.Certificate, now time.Time) (number int64, revoked []ca.Revocation, err error) {
	err = l.read(ctx, func(s *session) error {
		if number, err = l.engine.nextCRL(ctx, s.conn, authority); err != nil {
			return err
		}
		revoked, err = l.engine.revoked(ctx, s.conn, authority, now)
		return err
	})
	return number, revoked, err
}

// RecordCRL records a CRL that was signed and not published yet. If its number is not higher than
// all others of its authority, the error is a *DuplicateError: another process was faster, and the
// CRL must be made again with the next number.
func (l *Ledger) RecordCRL(ctx context.Context, c CRL) error {
	if c.Authority == nil || c.Number <= 0 || c.Base < 0 || c.Base >= c.Number || c.ThisUpdate.IsZero() || len(c.SHA256) != hashSize || !c.isOf(c.DER) {
		return fmt.Errorf("record CRL %d: authority, number, base, time or hash is wrong", c.Number)
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		by, err := t.authorityOf(ctx, c.Authority)
		if err != nil {
			return err
		}
		if err := t.newNumber(ctx, c); err != nil {
			return err
		}
		seq, err := t.append(ctx, kindCRL, c.body(by))
		if err != nil {
			return err
		}
		statements := []statement{one(insertCRL, c.row(seq)...)}
		if c.isStored() {
			key := ca.KeyHash(c.Authority)
			statements = append(statements, one(storeList, key[:], seq, c.DER))
		}
		return t.send(ctx, statements...)
	})
}

// newNumber refuses a number that is not higher than the others of the authority.
func (t *transaction) newNumber(ctx context.Context, c CRL) error {
	var last int64
	key := ca.KeyHash(c.Authority)
	if err := t.queryRow(ctx, lastNumber, key[:]).Scan(&last); err != nil {
		return err
	}
	if c.Number <= last {
		return &DuplicateError{What: fmt.Sprintf("CRL %d, or a later one, of the issuer %q", c.Number, c.Authority.Subject)}
	}
	return nil
}

// authorityOf returns the name of the authority with the key of a certificate.
func (t *transaction) authorityOf(ctx context.Context, c *x509.Certificate) (string, error) {
	all, err := t.issuers(ctx)
	if err != nil {
		return "", err
	}
	key := ca.KeyHash(c)
	i := all.withKey(key[:])
	if i == nil {
		return "", &NotFoundError{What: fmt.Sprintf("an authority with the key of %q", c.Subject)}
	}
	return i.name, nil
}

// LastCRL returns the complete CRL of an authority with the highest number. If there is none, the
// error is a *NotFoundError.
func (l *Ledger) LastCRL(ctx context.Context, authority *x509.Certificate) (CRL, error) {
	key := ca.KeyHash(authority)
	c, err := scanCRL(l.db.QueryRowContext(ctx, l.engine.sql("SELECT "+crlColumns+
		" FROM crls WHERE issuer_key = ? AND base = 0 ORDER BY number DESC, seq DESC LIMIT 1"), key[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return c, &NotFoundError{What: fmt.Sprintf("a CRL of %q", authority.Subject)}
	}
	return c, l.engine.explain(err)
}

func (c *CRL) body(by string) crlBody {
	return crlBody{Issuer: hex.EncodeToString(c.Authority.SubjectKeyId), By: by, Number: c.Number, Base: c.Base,
		ThisUpdate: c.ThisUpdate.UnixMicro(), NextUpdate: c.NextUpdate.UnixMicro(), Size: c.Size, SHA256: hex.EncodeToString(c.SHA256), Entries: c.Entries, Stored: c.isStored()}
}

func (c *CRL) row(seq int64) []any {
	id, key := c.Authority.SubjectKeyId, ca.KeyHash(c.Authority)
	if id == nil {
		id = []byte{}
	}
	return []any{seq, id, c.Number, c.Base, c.ThisUpdate.UnixMicro(), c.NextUpdate.UnixMicro(), c.Size, c.SHA256, c.Entries, key[:]}
}

func scanCRL(row scanner) (CRL, error) {
	var c CRL
	var id []byte
	var this, next int64
	err := row.Scan(&c.Seq, &id, &c.Number, &c.Base, &this, &next, &c.Size, &c.SHA256, &c.Entries)
	c.Issuer, c.ThisUpdate, c.NextUpdate = hex.EncodeToString(id), time.UnixMicro(this).UTC(), time.UnixMicro(next).UTC()
	return c, err
}

func decodeKeyID(keyID string) ([]byte, error) {
	id, err := hex.DecodeString(keyID)
	if err != nil {
		return nil, fmt.Errorf("the key identifier %q is not hexadecimal", keyID)
	}
	return id, nil
}
