package ledger

import (
	"bytes"
	"context"
	"fmt"

	"kedge/ca"
)

// GiveUp revokes, at the request of the host that has the key of a leaf, the certificates of its
// lineage that are valid or can be renewed, as ca.CessationOfOperation, in one transaction. They are
// returned as they were before. If the key of the leaf, which is given by the SHA-256 of its DER, is
// not that of the newest, the host may be a copy: a *CloneError. Other errors: *RevokedError,
// *EndedError and *NotFoundError.
func (l *Ledger) GiveUp(ctx context.Context, fingerprint []byte, why string) ([]Certificate, error) {
	if err := writable("reason", why); err != nil {
		return nil, fmt.Errorf("give up: %w", err)
	}
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) ([]Certificate, error) {
		c, err := t.certificate(ctx, "c.fingerprint = ?", fingerprint)
		switch {
		case err != nil:
			return nil, err
		case c == nil:
			return nil, &NotFoundError{What: fmt.Sprintf("a certificate with the SHA-256 %x", fingerprint)}
		case c.RevokedAt != nil:
			return nil, c.revokedError()
		}
		newest, _, err := t.newest(ctx, c)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(newest.KeyHash, c.KeyHash) {
			return nil, &CloneError{Presented: *c, Newest: *newest, Key: c.KeyHash}
		}
		all, err := t.standing(ctx, "c.common_name = ? AND c.lineage = ? AND c.kind = 'leaf'", c.CommonName, c.Lineage, t.now().UnixMicro())
		if err != nil {
			return nil, err
		}
		return all, t.revokeAll(ctx, all, ca.CessationOfOperation, why)
	})
}
