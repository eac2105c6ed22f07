package ledger

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"kedge/ca"
)

// ForeignList is a CRL that an authority's key signed and this ledger did not record: it was made
// before the ledger was restored from an older backup, or by another program.
type ForeignList struct {
	CRL                     // Authority, Number, times, Size and SHA256
	Revoked []ca.Revocation // its entries
}

// Missing is what a ledger lacks of a list.
type Missing struct {
	Number  bool            // the ledger has no CRL with this number
	Revoked []ca.Revocation // on the list, not known to have expired, and not revoked here
}

// None reports whether nothing is missing.
func (m Missing) None() bool { return !m.Number && len(m.Revoked) == 0 }

// Missing compares a list with the ledger.
func (l *Ledger) Missing(ctx context.Context, list ForeignList, now time.Time) (m Missing, err error) {
	err = l.read(ctx, func(s *session) error {
		m, err = s.missing(ctx, list, now)
		return err
	})
	return m, err
}

func (s *session) missing(ctx context.Context, list ForeignList, now time.Time) (m Missing, err error) {
	key := ca.KeyHash(list.Authority)
	var n, own int64
	err = s.queryRow(ctx, "SELECT count(*), coalesce(sum(CASE WHEN sha256 = ? THEN 1 ELSE 0 END), 0) FROM crls WHERE issuer_key = ? AND number = ? AND base = 0",
		list.SHA256, key[:], list.Number).Scan(&n, &own)
	if err != nil || own > 0 {
		return m, err // what is on a recorded list and not revoked any more was released, or dropped
	}
	m.Number = n == 0
	known, err := s.revokedSerials(ctx, key[:])
	if err != nil {
		return m, err
	}
	for _, r := range list.Revoked {
		reason, ok := known[serialKey(r.Serial)]
		if ok && (reason != ca.CertificateHold || r.Reason == ca.CertificateHold) {
			continue
		}
		c, err := s.certificate(ctx, "c.serial = ? AND c.issuer_key = ?", serialBytes(r.Serial), key[:])
		if err != nil {
			return m, err
		}
		if c == nil || !now.After(c.NotAfter) {
			m.Revoked = append(m.Revoked, r)
		}
	}
	return m, nil
}

// revokedSerials returns the revoked serials of an issuer, expired or not.
func (s *session) revokedSerials(ctx context.Context, key []byte) (map[string]ca.Reason, error) {
	rows, err := s.conn.QueryContext(ctx, s.e.sql(`SELECT serial, reason FROM certificates WHERE revoked_at IS NOT NULL AND issuer_key = ?
		UNION ALL SELECT serial, reason FROM revocations WHERE issuer_key = ?`), key, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]ca.Reason{}
	for rows.Next() {
		var serial []byte
		var reason int64
		if err := rows.Scan(&serial, &reason); err != nil {
			return nil, err
		}
		known[string(serial)] = ca.Reason(reason)
	}
	return known, rows.Err()
}

func serialBytes(n *big.Int) []byte {
	if b := n.Bytes(); len(b) != 0 {
		return b
	}
	return []byte{0}
}

func serialKey(n *big.Int) string { return string(serialBytes(n)) }

// listBody is the entry of a foreign list.
type listBody struct {
	crlBody
	listed
	Dropped []string `json:"dropped,omitempty"` // serials that are not revoked after it, in hexadecimal
	Why     string   `json:"why,omitempty"`
}

// listed is what an entry revokes.
type listed struct {
	Certificates []listedCertificate `json:"certificates,omitempty"`
	Serials      []listedSerial      `json:"serials,omitempty"` // without a certificate in the ledger
}

type listedCertificate struct {
	Fingerprint string    `json:"fingerprint"`
	At          int64     `json:"at"` // microseconds
	Reason      ca.Reason `json:"reason"`
}

type listedSerial struct {
	Serial string    `json:"serial"` // hexadecimal
	At     int64     `json:"at"`     // microseconds
	Reason ca.Reason `json:"reason"`
}

// TakeList records a foreign list, and revokes its entries: the certificates that the ledger has,
// and serial numbers without certificates. The next CRL of the authority has all of them and a
// higher number.
func (l *Ledger) TakeList(ctx context.Context, list ForeignList, why string) error {
	return l.recordList(ctx, list, why, func(ctx context.Context, t *transaction, m Missing, body *listBody) error {
		return t.resolve(ctx, list.Authority, m.Revoked, &body.listed)
	})
}

// resolve sorts revocations by whether the ledger has the certificate.
func (t *transaction) resolve(ctx context.Context, authority *x509.Certificate, revoked []ca.Revocation, l *listed) error {
	key := ca.KeyHash(authority)
	for _, r := range revoked {
		c, err := t.certificate(ctx, "c.serial = ? AND c.issuer_key = ?", serialBytes(r.Serial), key[:])
		if err != nil {
			return err
		}
		if c != nil {
			l.Certificates = append(l.Certificates, listedCertificate{hex.EncodeToString(c.Fingerprint), r.At.UnixMicro(), r.Reason})
		} else {
			l.Serials = append(l.Serials, listedSerial{hex.EncodeToString(serialBytes(r.Serial)), r.At.UnixMicro(), r.Reason})
		}
	}
	return nil
}

// DropList records a foreign list and, by serial, that its entries that the ledger lacks are not
// revoked. The next CRL of the authority lacks them.
func (l *Ledger) DropList(ctx context.Context, list ForeignList, why string) error {
	return l.recordList(ctx, list, why, func(_ context.Context, _ *transaction, m Missing, body *listBody) error {
		for _, r := range m.Revoked {
			body.Dropped = append(body.Dropped, hex.EncodeToString(serialBytes(r.Serial)))
		}
		return nil
	})
}

// recordList records a list; resolve decides about the entries that the ledger lacks.
func (l *Ledger) recordList(ctx context.Context, list ForeignList, why string, resolve func(context.Context, *transaction, Missing, *listBody) error) error {
	if list.Authority == nil || list.Number <= 0 || list.Base != 0 || len(list.SHA256) != hashSize {
		return errors.New("record a list: authority, number or hash is wrong")
	}
	if err := writable("reason", why); err != nil {
		return fmt.Errorf("record a list: %w", err)
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		by, err := t.authorityOf(ctx, list.Authority)
		if err != nil {
			return err
		}
		m, err := t.missing(ctx, list, t.now())
		if err != nil {
			return err
		}
		if m.None() {
			return nil // another process was faster
		}
		body := listBody{crlBody: list.body(by), Why: why}
		if err := resolve(ctx, t, m, &body); err != nil {
			return err
		}
		return t.writeList(ctx, list, &body)
	})
}

func (t *transaction) writeList(ctx context.Context, list ForeignList, body *listBody) error {
	seq, err := t.append(ctx, kindList, body)
	if err != nil {
		return err
	}
	return t.send(ctx, append(body.statements(list.Authority, seq), one(insertCRL, list.row(seq)...))...)
}

// statements returns the statements that revoke what an entry of an authority lists.
func (l *listed) statements(authority *x509.Certificate, seq int64) (all []statement) {
	for _, c := range l.Certificates {
		fingerprint, _ := hex.DecodeString(c.Fingerprint)
		all = append(all, one(updateRevoked, c.At, int64(c.Reason), seq, fingerprint))
	}
	key := ca.KeyHash(authority)
	for _, s := range l.Serials {
		serial, _ := hex.DecodeString(s.Serial)
		all = append(all, some("DELETE FROM revocations WHERE issuer_key = ? AND serial = ?", key[:], serial),
			one("INSERT INTO revocations (issuer_key, serial, revoked_at, reason, seq) VALUES (?, ?, ?, ?, ?)", key[:], serial, s.At, int64(s.Reason), seq))
	}
	return all
}

// listedSerials returns all revocations without a certificate, by the key of the issuer and the
// serial number.
func (t *transaction) listedSerials(ctx context.Context) (map[string]*revokedThen, error) {
	all := map[string]*revokedThen{}
	err := revocationsTable().rows(ctx, t.session, "", nil, func(row []any) error {
		key, _ := row[0].([]byte)
		serial, _ := row[1].([]byte)
		at, _ := row[2].(int64)
		reason, _ := row[3].(int64)
		all[string(key)+string(serial)] = &revokedThen{At: at, Reason: ca.Reason(reason)}
		return nil
	})
	return all, err
}

// ReadList returns the ForeignList of a complete CRL that an authority signed, of which cert is any
// certificate; sum is the SHA-256 of its DER. The caller must have verified the signature.
func ReadList(list *x509.RevocationList, cert *x509.Certificate, sum []byte) (ForeignList, error) {
	f := ForeignList{CRL: CRL{Authority: cert, ThisUpdate: list.ThisUpdate, NextUpdate: list.NextUpdate,
		Size: int64(len(list.Raw)), SHA256: sum, Entries: int64(len(list.RevokedCertificateEntries))}}
	if list.Number == nil || !list.Number.IsInt64() || list.Number.Sign() <= 0 {
		return f, errors.New("the list has no number that can be gone on from")
	}
	f.Number = list.Number.Int64()
	for _, e := range list.RevokedCertificateEntries {
		reason := ca.Reason(e.ReasonCode)
		switch {
		case e.SerialNumber.Sign() <= 0, reason == ca.RemoveFromCRL: // invalid in any list, and in a complete one
			continue
		case !slices.Contains(ca.Reasons(), reason):
			reason = ca.Unspecified
		}
		f.Revoked = append(f.Revoked, ca.Revocation{Serial: e.SerialNumber, At: e.RevocationTime, Reason: reason})
	}
	return f, nil
}
