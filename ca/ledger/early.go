package ledger

import (
	"context"
	"database/sql"
	"errors"

	"kedge/ca"
)

// findGranted finds the lineage of a certificate that its host can renew now, as the rules say.
const findGranted = `SELECT l.id FROM lineages l JOIN certificates o ON o.seq = l.newest
	WHERE o.fingerprint = ? AND l.name = ? AND o.revoked_at IS NULL AND (l.only_key IS NULL OR l.only_key = ?)
	AND (o.not_after >= ? OR o.not_after >= ? AND l.recoveries < ?)
	AND NOT EXISTS (SELECT 1 FROM denials d WHERE d.name = l.common_name)`

// CheckRenewal returns the error with which Record would refuse the renewal of a leaf by its host for
// the key with a hash, whatever certificate is issued: so a host that is revoked, denied or out of
// service gets neither a signature of the CA nor the lock. A *CloneError is recorded. Record checks all
// of it again.
func (l *Ledger) CheckRenewal(ctx context.Context, old Certificate, keyHash []byte, e *ca.Enrollment) error {
	now := l.now()
	var id int64
	err := l.db.QueryRowContext(ctx, l.engine.sql(findGranted), old.Fingerprint, old.Subject, keyHash,
		now.UnixMicro(), now.Add(-e.Grace).UnixMicro(), recoveriesLimit(e)).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return l.engine.explain(err)
	}
	r := &record{enrollment: e, row: Certificate{
		Kind: Leaf, Subject: old.Subject, CommonName: old.CommonName, KeyHash: keyHash, Replaces: old.Fingerprint,
	}}
	err = l.read(ctx, func(s *session) error {
		for _, rule := range (&transaction{session: s, clock: l.now}).rules(r) {
			if err := rule.refuse(ctx, s, r); err != nil {
				return err
			}
		}
		return nil
	})
	return l.noteClone(ctx, err, e)
}
