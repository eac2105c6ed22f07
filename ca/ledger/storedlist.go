package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kedge/ca"
)

const (
	storeList = "INSERT INTO lists (issuer_key, seq, der) VALUES (?, ?, ?) ON CONFLICT (issuer_key) DO UPDATE SET seq = excluded.seq, der = excluded.der"
	readList  = "SELECT der FROM lists WHERE issuer_key = ?"
)

// isStored reports whether the list is kept for publication: deltas are not.
func (c *CRL) isStored() bool { return c.Base == 0 && len(c.DER) > 0 }

// isOf reports whether the hash is that of the DER, if there is any.
func (c *CRL) isOf(der []byte) bool {
	sum := sha256.Sum256(der)
	return len(der) == 0 || bytes.Equal(sum[:], c.SHA256)
}

// PublishedCRL returns the last complete CRL of an authority that was recorded with its DER: the
// same bytes for every reader. If there is none, the error is a *NotFoundError.
func (l *Ledger) PublishedCRL(ctx context.Context, authority *x509.Certificate) ([]byte, error) {
	var der []byte
	key := ca.KeyHash(authority)
	err := l.db.QueryRowContext(ctx, l.engine.sql(readList), key[:]).Scan(&der)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &NotFoundError{What: fmt.Sprintf("a stored CRL of %q", authority.Subject)}
	}
	return der, l.engine.explain(err)
}

// storedList is a CRL that must be in the table lists.
type storedList struct {
	seq    int64
	sha256 string // of the DER, hexadecimal
}

// checkLists compares the stored lists with the entries.
func (v *verifier) checkLists(ctx context.Context) error {
	t := listsTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		key, _ := row[0].([]byte)
		want, ok := v.lists[string(key)]
		if !ok {
			v.report.add(t.name, fmt.Sprintf("%x", key), "no entry records this list")
			return nil
		}
		delete(v.lists, string(key))
		v.report.compare(t, fmt.Sprintf("%x", key), row[:2], []any{key, want.seq})
		der, _ := row[2].([]byte)
		if sum := sha256.Sum256(der); hex.EncodeToString(sum[:]) != want.sha256 {
			v.report.add(t.name, fmt.Sprintf("%x", key), "der has the SHA-256 %x; the list that was made has %s", sum, want.sha256)
		}
		return nil
	})
	for _, key := range slices.Sorted(maps.Keys(v.lists)) {
		v.report.add(t.name, fmt.Sprintf("%x", key), "it is missing")
	}
	return err
}
