package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"kedge/ca"
)

// issuer is an authority, with the columns that the rules need.
type issuer struct {
	name, parent, state string
	subject             string
	key                 string // ca.KeyHash
	notBefore, notAfter time.Time
	revoked             bool
	reason              ca.Reason
}

// issuers are the authorities of a ledger, by name.
type issuers map[string]*issuer

// An authority is revoked if its certificate is, or if any certificate of its key is because of a
// compromise: keyCompromise (1) or cACompromise (2).
const readIssuers = `SELECT a.name, a.parent, a.state, c.subject, c.key_hash, c.not_before, c.not_after,
	CASE WHEN c.revoked_at IS NOT NULL THEN COALESCE(c.reason, 0)
		ELSE (SELECT min(k.reason) FROM certificates k WHERE k.key_hash = c.key_hash AND k.revoked_at IS NOT NULL AND k.reason IN (1, 2)) END
	FROM authorities a `

// issuers reads the authorities as they are in the transaction.
func (t *transaction) issuers(ctx context.Context) (issuers, error) {
	all := issuers{}
	return all, t.ask(ctx, all.lookup(t.e))
}

// lookup is the one that adds all authorities.
func (all issuers) lookup(e *engine) lookup { return lookup{readIssuers + e.joined, nil, all.add} }

func (all issuers) add(row scanner) error {
	var i issuer
	var key []byte
	var notBefore, notAfter int64
	var reason sql.NullInt64 // null if not revoked
	if err := row.Scan(&i.name, &i.parent, &i.state, &i.subject, &key, &notBefore, &notAfter, &reason); err != nil {
		return err
	}
	i.key, i.notBefore, i.notAfter = string(key), time.UnixMicro(notBefore).UTC(), time.UnixMicro(notAfter).UTC()
	i.revoked, i.reason = reason.Valid, ca.Reason(reason.Int64)
	all[i.name] = &i
	return nil
}

// withKey returns the authority with a key, or nil.
func (all issuers) withKey(key []byte) *issuer {
	for _, i := range all {
		if i.key == string(key) {
			return i
		}
	}
	return nil
}

// check refuses a certificate whose issuer must not issue, and sets the issuer in the record.
func (all issuers) check(r *record, now time.Time) error {
	i, err := all.of(r)
	if i == nil || err != nil {
		return err
	}
	if r.row.Kind == Root { // which may have expired before it is renewed
		return all.standing(i)
	}
	return all.usable(i, now)
}

// of returns the authority that signed a certificate, and sets it in the record. For a root that is
// not an authority yet, it returns nil.
func (all issuers) of(r *record) (*issuer, error) {
	if r.row.Kind == Root {
		r.row.IssuerKey = r.row.KeyHash
		return all.withKey(r.row.KeyHash), nil
	}
	if r.issuer == nil {
		return nil, fmt.Errorf("record the certificate %q: the issuer is missing", r.row.Subject)
	}
	key := ca.KeyHash(r.issuer)
	i := all.withKey(key[:])
	if i == nil {
		return nil, &UnknownIssuerError{Subject: r.row.Subject, Issuer: r.row.Issuer}
	}
	r.row.IssuerKey, r.body.By = key[:], i.name
	return i, nil
}

// usable refuses an authority that is not standing or not valid at a time, or below such a one.
func (all issuers) usable(i *issuer, now time.Time) error {
	if err := all.standing(i); err != nil {
		return err
	}
	for _, i := range all.path(i) {
		if now.Before(i.notBefore) || now.After(i.notAfter) {
			return &ca.ValidityError{Subject: i.subject, NotBefore: i.notBefore, NotAfter: i.notAfter, Now: now}
		}
	}
	return nil
}

// standing refuses an authority that is retired or revoked, or below such a one.
func (all issuers) standing(i *issuer) error {
	for _, i := range all.path(i) {
		switch {
		case i.state == Retired:
			return &RetiredError{Name: i.name}
		case i.revoked:
			return &RevokedIssuerError{Name: i.name, Reason: i.reason}
		}
	}
	return nil
}

// path returns an authority and those above it, as far as they are in the ledger.
func (all issuers) path(i *issuer) (path []*issuer) {
	for i != nil && len(path) < len(all) {
		path = append(path, i)
		i = all[i.parent]
	}
	return path
}

// UnknownIssuerError reports that a certificate was not recorded, since its issuer is no authority
// of the ledger.
type UnknownIssuerError struct{ Subject, Issuer string }

func (e *UnknownIssuerError) Error() string {
	return fmt.Sprintf("the certificate %q is not recorded: its issuer %q is no authority of this ledger", e.Subject, e.Issuer)
}

// RetiredError reports that an authority is retired: the trust anchor no longer has its root, or
// will not for long.
type RetiredError struct{ Name string }

func (e *RetiredError) Error() string {
	return fmt.Sprintf("the authority %q is retired; it issues nothing", e.Name)
}

// RevokedIssuerError reports that an authority, or one above it, is revoked or on hold.
type RevokedIssuerError struct {
	Name   string
	Reason ca.Reason
}

func (e *RevokedIssuerError) Error() string {
	return fmt.Sprintf("the authority %q is revoked: %s; nobody would accept what is issued below it", e.Name, e.Reason)
}
