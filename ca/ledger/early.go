package ledger

import (
	"bytes"
	"context"
	"time"

	"kedge/ca"
)

// standing is what decides whether a leaf that is the newest of its lineage can be renewed, besides its
// own columns. It was read with them.
type standing struct {
	onlyKey    []byte // nil: any
	recoveries int64
	denied     bool // the name of the lineage
}

// canRenew reports whether the host of a leaf could renew it for a key when it was read, as findNewest,
// findRenewable and findDenied say.
func (c *Certificate) canRenew(key []byte, e *ca.Enrollment, now time.Time) bool {
	l := c.standing
	return l != nil && !l.denied && c.RevokedAt == nil && (l.onlyKey == nil || bytes.Equal(l.onlyKey, key)) &&
		(!now.After(c.NotAfter) || !now.After(c.NotAfter.Add(e.Grace)) && l.recoveries < recoveriesLimit(e))
}

// CheckRenewal returns the error with which Record would refuse the renewal of a leaf by its host for
// the key with a hash, whatever certificate is issued: so a host that is revoked, denied or out of
// service gets neither a signature of the CA nor the lock. A *CloneError is recorded. Record checks all
// of it again: a leaf that could be renewed when Certificate read it is not read again here, any other is.
func (l *Ledger) CheckRenewal(ctx context.Context, old Certificate, keyHash []byte, e *ca.Enrollment) error {
	if old.canRenew(keyHash, e, l.now()) {
		return nil
	}
	current, err := l.Certificate(ctx, old.Fingerprint)
	if err != nil || current.canRenew(keyHash, e, l.now()) {
		return err
	}
	r := &record{enrollment: e, row: Certificate{
		Kind: Leaf, Subject: old.Subject, CommonName: old.CommonName, KeyHash: keyHash, Replaces: old.Fingerprint,
	}}
	err = l.read(ctx, func(s *session) error { // each reason supposes that the leaf cannot be renewed
		for _, rule := range (&transaction{session: s, clock: l.now}).rules(r) {
			if err := rule.refuse(ctx, s, r); err != nil {
				return err
			}
		}
		return nil
	})
	return l.noteClone(ctx, err, e)
}
