package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// CRL is what the ledger keeps of a certificate revocation list.
type CRL struct {
	Seq        int64  // of its entry; set by the ledger
	Issuer     string // the key identifier of the issuer, in hexadecimal
	Number     int64  // RFC 5280, 5.2.3
	Base       int64  // the number of the list that this one is a delta to; 0 for a complete list
	ThisUpdate time.Time
	NextUpdate time.Time
	Size       int64  // bytes of DER
	SHA256     []byte // of DER
	Entries    int64
}

type crlBody struct {
	Issuer     string `json:"issuer"`
	Number     int64  `json:"number"`
	Base       int64  `json:"base,omitempty"`
	ThisUpdate int64  `json:"this_update"` // microseconds
	NextUpdate int64  `json:"next_update"`
	Size       int64  `json:"size"`
	SHA256     string `json:"sha256"`
	Entries    int64  `json:"entries"`
}

const (
	crlColumns = "seq, issuer_key_id, number, base, this_update, next_update, size, sha256, entries"
	insertCRL  = "INSERT INTO crls (" + crlColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	lastNumber = "SELECT coalesce(max(number), 0) FROM crls WHERE issuer_key_id = ?"
)

// NextCRL returns the number for the next CRL of an issuer, complete or delta. It is taken by
// [Ledger.RecordCRL], which is to be called before the list is published.
func (l *Ledger) NextCRL(ctx context.Context, keyID string) (int64, error) {
	id, err := decodeKeyID(keyID)
	if err != nil {
		return 0, err
	}
	var last int64
	err = l.db.QueryRowContext(ctx, l.engine.sql(lastNumber), id).Scan(&last)
	return last + 1, l.engine.explain(err)
}

// RecordCRL writes down a CRL that was signed and not published yet. A number that is not
// higher than that of all others of its issuer is a *DuplicateError: another process was
// faster, and the list is to be made again with the next number.
func (l *Ledger) RecordCRL(ctx context.Context, c CRL) error {
	id, err := decodeKeyID(c.Issuer)
	if err != nil {
		return err
	}
	if c.Number <= 0 || c.Base < 0 || c.Base >= c.Number || c.ThisUpdate.IsZero() || len(c.SHA256) != hashSize {
		return fmt.Errorf("record CRL %d of the issuer %s: number, base, time or hash is wrong", c.Number, c.Issuer)
	}
	c.Issuer = hex.EncodeToString(id)
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		var last int64
		if err := t.queryRow(ctx, lastNumber, id).Scan(&last); err != nil {
			return err
		}
		if c.Number <= last {
			return &DuplicateError{What: fmt.Sprintf("CRL %d, or a later one, of the issuer %s", c.Number, c.Issuer)}
		}
		seq, err := t.append(ctx, kindCRL, c.body(), l.now())
		if err != nil {
			return err
		}
		_, err = t.send(ctx, statement{insertCRL, c.row(seq)})
		return err
	})
}

// LastCRL returns the complete CRL of the issuer with the highest number. Without one it is a
// *NotFoundError.
func (l *Ledger) LastCRL(ctx context.Context, keyID string) (CRL, error) {
	id, err := decodeKeyID(keyID)
	if err != nil {
		return CRL{}, err
	}
	c, err := scanCRL(l.db.QueryRowContext(ctx, l.engine.sql("SELECT "+crlColumns+
		" FROM crls WHERE issuer_key_id = ? AND base = 0 ORDER BY number DESC LIMIT 1"), id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, &NotFoundError{What: "a CRL of the issuer " + keyID}
	}
	return c, l.engine.explain(err)
}

func (c *CRL) body() crlBody {
	return crlBody{Issuer: c.Issuer, Number: c.Number, Base: c.Base, ThisUpdate: c.ThisUpdate.UnixMicro(), NextUpdate: c.NextUpdate.UnixMicro(),
		Size: c.Size, SHA256: hex.EncodeToString(c.SHA256), Entries: c.Entries}
}

func (c *CRL) row(seq int64) []any {
	id, _ := hex.DecodeString(c.Issuer) // which RecordCRL wrote
	return []any{seq, id, c.Number, c.Base, c.ThisUpdate.UnixMicro(), c.NextUpdate.UnixMicro(), c.Size, c.SHA256, c.Entries}
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
