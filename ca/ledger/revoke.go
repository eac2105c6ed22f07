package ledger

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"kedge/ca"
)

// Revocation specifies why certificates are revoked.
type Revocation struct {
	Reason ca.Reason
	At     time.Time // as in the CRL
	Why    string    // for the record; may be empty
}

type revokedBody struct {
	Fingerprints []string  `json:"fingerprints"`
	Reason       ca.Reason `json:"reason"` // number of RFC 5280, 5.3.1
	At           int64     `json:"at"`     // microseconds
	Why          string    `json:"why,omitempty"`
}

type releasedBody struct {
	Fingerprints []string `json:"fingerprints"`
	Why          string   `json:"why,omitempty"`
}

const (
	updateRevoked = "UPDATE certificates SET revoked_at = ?, reason = ?, revoked_seq = ? WHERE fingerprint = ?"
	readRevoked   = "SELECT subject, revoked_at, reason FROM certificates WHERE fingerprint = ?"
)

// Revoke revokes certificates, all or none, given by the SHA-256 of their DER. One that is revoked
// already is a *RevokedError, except that a hold may be changed to another reason; one that is not
// in the ledger is a *NotFoundError.
func (l *Ledger) Revoke(ctx context.Context, fingerprints [][]byte, r Revocation) error {
	switch {
	case len(fingerprints) == 0:
		return errors.New("revoke: there is no certificate")
	case r.At.IsZero():
		return errors.New("revoke: the time is missing")
	case r.Reason == ca.RemoveFromCRL:
		return errors.New("revoke: " + ca.RemoveFromCRL.String() + " is no reason; release the certificate")
	case !slices.Contains(ca.Reasons(), r.Reason): // no CRL could contain it
		return fmt.Errorf("revoke: there is no reason with the number %d", int(r.Reason))
	}
	if err := writable("reason", r.Why); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	body := revokedBody{Fingerprints: hexes(fingerprints), Reason: r.Reason, At: r.At.UnixMicro(), Why: r.Why}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		for _, f := range fingerprints {
			subject, at, reason, err := t.revoked(ctx, f)
			if err != nil {
				return err
			}
			if at.Valid && (reason != ca.CertificateHold || r.Reason == ca.CertificateHold) {
				return &RevokedError{Fingerprint: f, Subject: subject, At: time.UnixMicro(at.Int64), Reason: reason}
			}
		}
		seq, err := t.append(ctx, kindRevoke, body)
		if err != nil {
			return err
		}
		return t.setRevoked(ctx, fingerprints, r.At.UnixMicro(), int64(r.Reason), seq)
	})
}

// Release ends the hold of certificates, all or none. One that is not on hold is a
// *NotHeldError.
func (l *Ledger) Release(ctx context.Context, fingerprints [][]byte, why string) error {
	if len(fingerprints) == 0 {
		return errors.New("release: there is no certificate")
	}
	if err := writable("reason", why); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		for _, f := range fingerprints {
			subject, at, reason, err := t.revoked(ctx, f)
			if err != nil {
				return err
			}
			if !at.Valid || reason != ca.CertificateHold {
				return &NotHeldError{Fingerprint: f, Subject: subject, Revoked: at.Valid, Reason: reason}
			}
		}
		if _, err := t.append(ctx, kindRelease, releasedBody{Fingerprints: hexes(fingerprints), Why: why}); err != nil {
			return err
		}
		return t.setRevoked(ctx, fingerprints, nil, nil, nil)
	})
}

// alone runs f in a transaction of its own.
func (l *Ledger) alone(ctx context.Context, f func(context.Context, *transaction) error) error {
	return l.writer.submit(ctx, &job{alone: f})
}

// aloneFor is alone for a function with a result. After an error it returns the zero value: the
// transaction may still be writing the result when the caller has given up.
func aloneFor[T any](ctx context.Context, l *Ledger, f func(context.Context, *transaction) (T, error)) (T, error) {
	var result, none T
	err := l.alone(ctx, func(ctx context.Context, t *transaction) (err error) {
		result, err = f(ctx, t)
		return err
	})
	if err != nil {
		return none, err
	}
	return result, nil
}

// revoked reads whether a certificate is revoked.
func (t *transaction) revoked(ctx context.Context, fingerprint []byte) (subject string, at sql.NullInt64, reason ca.Reason, err error) {
	var number sql.NullInt64
	err = t.queryRow(ctx, readRevoked, fingerprint).Scan(&subject, &at, &number)
	if errors.Is(err, sql.ErrNoRows) {
		err = &NotFoundError{What: fmt.Sprintf("a certificate with the SHA-256 %x", fingerprint)}
	}
	return subject, at, ca.Reason(number.Int64), err
}

func (t *transaction) setRevoked(ctx context.Context, fingerprints [][]byte, at, reason, seq any) error {
	var all []statement
	for _, f := range fingerprints {
		all = append(all, one(updateRevoked, at, reason, seq, f))
	}
	return t.send(ctx, all...)
}

// Revoked returns the entries of an authority's CRL at a time: all certificates that its key
// signed, with whatever name, certificate and key identifier, that are revoked and have not
// expired, by serial number. Revocations from an imported list without a certificate have no known
// expiry, and stay.
func (l *Ledger) Revoked(ctx context.Context, authority *x509.Certificate, now time.Time) ([]ca.Revocation, error) {
	all, err := l.engine.revoked(ctx, l.db, authority, now)
	return all, l.engine.explain(err)
}

func (e *engine) revoked(ctx context.Context, q querier, authority *x509.Certificate, now time.Time) ([]ca.Revocation, error) {
	key := ca.KeyHash(authority)
	rows, err := q.QueryContext(ctx, e.sql(`SELECT serial, min(revoked_at), max(reason) FROM (
			SELECT serial, revoked_at, reason FROM certificates WHERE revoked_at IS NOT NULL AND issuer_key = ? AND not_after >= ?
			UNION ALL SELECT serial, revoked_at, reason FROM revocations WHERE issuer_key = ?) AS r
		GROUP BY serial ORDER BY length(serial), serial`), key[:], now.UnixMicro(), key[:])
	if err != nil {
		return nil, err
	}
	return collect(rows, scanRevocation)
}

func scanRevocation(row scanner) (ca.Revocation, error) {
	var serial []byte
	var at, reason int64
	if err := row.Scan(&serial, &at, &reason); err != nil {
		return ca.Revocation{}, err
	}
	return ca.Revocation{Serial: new(big.Int).SetBytes(serial), At: time.UnixMicro(at).UTC(), Reason: ca.Reason(reason)}, nil
}

func hexes(all [][]byte) []string {
	var words []string
	for _, b := range all {
		words = append(words, hex.EncodeToString(b))
	}
	return words
}
