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
	"slices"

	"kedge/ca"
)

// The states of authorities.
const (
	Active  = "active"
	Next    = "next"    // the new root of a rotation
	Retired = "retired" // its certificates may still be valid, and it may still sign CRLs
)

// Authority is a CA of this ledger.
type Authority struct {
	Name        string
	Certificate *x509.Certificate // its current one
	Fingerprint []byte            // SHA-256 of Certificate; returned by Authorities, otherwise ignored
	Parent      string            // the name of the authority above; empty for a root, or if that is not in the ledger
	State       string            // Active, Next or Retired
	Issuing     bool              // it issues leaves by default; at most one authority does
	Seq         int64             // of the entry that last changed it; 0 for a new one
}

type authorityBody struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Parent      string `json:"parent,omitempty"`
	State       string `json:"state"`
	Issuing     bool   `json:"issuing"`
	From        *int64 `json:"from,omitempty"` // the previous Seq, 0 for none; absent in schema 1
}

const (
	insertAuthority = "INSERT INTO authorities (name, fingerprint, parent, state, issuing, seq) VALUES (?, ?, ?, ?, ?, ?)"
	updateAuthority = "UPDATE authorities SET fingerprint = ?, parent = ?, state = ?, issuing = ?, seq = ? WHERE name = ? AND seq = ?"
	clearIssuing    = "UPDATE authorities SET issuing = 0, seq = ? WHERE issuing <> 0 AND name <> ?"
)

// ChangedError reports that an authority was not changed, since another process has changed it
// after the caller read it.
type ChangedError struct{ Name string } // empty: it is another that changed

func (e *ChangedError) Error() string {
	if e.Name == "" {
		return "the authorities were changed by another process at this moment"
	}
	return fmt.Sprintf("the authority %q was changed by another process at this moment", e.Name)
}

// SetAuthorities adds or changes authorities, all or none. An existing one must be as the caller
// read it, by its Seq, otherwise the error is a *ChangedError; it keeps its key. The certificates
// must have been recorded. If one is Issuing, the previous one no longer is; it must be active and,
// as all above it, neither retired nor revoked. A new one must have a new key, and a revoked
// certificate is not replaced by an older one.
func (l *Ledger) SetAuthorities(ctx context.Context, all ...Authority) error {
	for i := range all {
		if err := all[i].check(); err != nil {
			return err
		}
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error { return t.setAuthorities(ctx, all) })
}

// SetAuthoritiesSince is SetAuthorities for a change that depends on all authorities: if they
// differ from read, which Authorities returned, the error is a *ChangedError.
func (l *Ledger) SetAuthoritiesSince(ctx context.Context, read []Authority, all ...Authority) error {
	for i := range all {
		if err := all[i].check(); err != nil {
			return err
		}
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		if err := t.unchangedSince(ctx, read); err != nil {
			return err
		}
		return t.setAuthorities(ctx, all)
	})
}

// unchangedSince refuses if an authority was added or changed. Each change has an entry of its own.
func (t *transaction) unchangedSince(ctx context.Context, read []Authority) error {
	var last, seen int64
	if err := t.queryRow(ctx, "SELECT COALESCE(max(seq), 0) FROM authorities").Scan(&last); err != nil {
		return err
	}
	for _, a := range read {
		seen = max(seen, a.Seq)
	}
	if last != seen {
		return &ChangedError{}
	}
	return nil
}

func (t *transaction) setAuthorities(ctx context.Context, all []Authority) error {
	for i := range all {
		if err := t.setAuthority(ctx, &all[i]); err != nil {
			return fmt.Errorf("authority %q: %w", all[i].Name, err)
		}
	}
	issuers, err := t.issuers(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if !a.Issuing {
			continue
		}
		if err := issuers.standing(issuers[a.Name]); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) setAuthority(ctx context.Context, a *Authority) error {
	fingerprint := sha256.Sum256(a.Certificate.Raw)
	if _, _, _, err := t.revoked(ctx, fingerprint[:]); err != nil {
		return err
	}
	if err := t.unchanged(ctx, a); err != nil {
		return err
	}
	seq, err := t.append(ctx, kindAuthority, a.body())
	if err != nil {
		return err
	}
	issuing := int64(0)
	if a.Issuing {
		issuing = 1
		if err := t.send(ctx, some(clearIssuing, seq, a.Name)); err != nil {
			return err
		}
	}
	if a.Seq == 0 {
		return t.send(ctx, one(insertAuthority, a.Name, fingerprint[:], a.Parent, a.State, issuing, seq))
	}
	return t.send(ctx, one(updateAuthority, fingerprint[:], a.Parent, a.State, issuing, seq, a.Name, a.Seq))
}

// unchanged refuses an authority that differs from what the caller read.
func (t *transaction) unchanged(ctx context.Context, a *Authority) error {
	var seq int64
	var key []byte
	var made, revoked sql.NullInt64
	err := t.queryRow(ctx, `SELECT a.seq, c.key_hash, c.seq, c.revoked_at FROM authorities a LEFT JOIN certificates c ON c.fingerprint = a.fingerprint
		WHERE a.name = ?`, a.Name).Scan(&seq, &key, &made, &revoked)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	hash := ca.KeyHash(a.Certificate)
	switch {
	case seq != a.Seq:
		return &ChangedError{Name: a.Name}
	case seq == 0:
		return t.newKey(ctx, hash[:])
	case !bytes.Equal(key, hash[:]):
		return errors.New("its key would be another: with another key it is another authority")
	case !revoked.Valid:
		return nil
	}
	var next int64
	fingerprint := sha256.Sum256(a.Certificate.Raw)
	if err := t.queryRow(ctx, "SELECT seq FROM certificates WHERE fingerprint = ?", fingerprint[:]).Scan(&next); err != nil {
		return err
	}
	if next < made.Int64 {
		return errors.New("its certificate is revoked, and would give way to an older one")
	}
	return nil
}

// newKey refuses the key of an existing authority.
func (t *transaction) newKey(ctx context.Context, hash []byte) error {
	issuers, err := t.issuers(ctx)
	if err != nil {
		return err
	}
	if other := issuers.withKey(hash); other != nil {
		return fmt.Errorf("its key is that of the authority %q", other.name)
	}
	return nil
}

// WithAuthority returns a Recorder for the certificate of an authority, which also makes it the
// authority's certificate, in the same transaction and by the rules of SetAuthorities. a is the new
// state of the authority, without the certificate.
func (l *Ledger) WithAuthority(a Authority) ca.Recorder { return authorityRecorder{l, a} }

type authorityRecorder struct {
	ledger    *Ledger
	authority Authority
}

// RecordIssued records the certificate and the authority.
func (r authorityRecorder) RecordIssued(ctx context.Context, i ca.Issued) error {
	a := r.authority
	a.Certificate = i.Certificate
	record, err := newRecord(i)
	if err == nil {
		err = a.check()
	}
	if err != nil {
		return err
	}
	j := &job{record: record}
	return r.ledger.alone(ctx, func(ctx context.Context, t *transaction) error {
		if err := t.insertOne(ctx, j); err != nil {
			return err
		}
		return t.setAuthorities(ctx, []Authority{a})
	})
}

// check refuses invalid authorities.
func (a *Authority) check() error {
	switch {
	case a.Name == "":
		return errors.New("an authority needs a name")
	case a.Certificate == nil:
		return fmt.Errorf("authority %q: the certificate is missing", a.Name)
	case a.State != Active && a.State != Next && a.State != Retired:
		return fmt.Errorf("authority %q: the state %q is none of %s, %s, %s", a.Name, a.State, Active, Next, Retired)
	case a.Issuing && a.State != Active:
		return fmt.Errorf("authority %q: it cannot issue and be %s", a.Name, a.State)
	}
	for what, text := range map[string]string{"name": a.Name, "parent": a.Parent} {
		if err := writable(what, text); err != nil {
			return fmt.Errorf("authority %q: %w", a.Name, err)
		}
	}
	return nil
}

func (a *Authority) body() authorityBody {
	fingerprint := sha256.Sum256(a.Certificate.Raw)
	return authorityBody{Name: a.Name, Fingerprint: hex.EncodeToString(fingerprint[:]), Parent: a.Parent, State: a.State, Issuing: a.Issuing, From: &a.Seq}
}

// readAuthorities looks each certificate up: PostgreSQL, which does not know how few authorities there
// are, would join them by reading all certificates.
const readAuthorities = `SELECT a.name, a.fingerprint, a.parent, a.state, a.issuing, a.seq,
	(SELECT c.der FROM certificates c WHERE c.fingerprint = a.fingerprint) FROM authorities a ORDER BY a.seq, a.name`

// Authorities returns all authorities, in the order in which they were last changed.
func (l *Ledger) Authorities(ctx context.Context) ([]Authority, error) {
	all, err := l.authorities.get(ctx, struct{}{})
	return slices.Clone(all), l.engine.explain(err)
}

func (l *Ledger) readAuthorities(ctx context.Context, _ []struct{}) ([]Authority, error) {
	rows, err := l.db.QueryContext(ctx, readAuthorities)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanAuthority)
}

func scanAuthority(row scanner) (Authority, error) {
	var a Authority
	var issuing int64
	var der sql.Null[[]byte]
	if err := row.Scan(&a.Name, &a.Fingerprint, &a.Parent, &a.State, &issuing, &a.Seq, &der); err != nil {
		return a, err
	}
	a.Issuing = issuing != 0
	cert, err := ca.ParseCertificate(der.V)
	if err != nil {
		return a, fmt.Errorf("the certificate of the authority %q is not in the ledger any more, or not as it was: verify the ledger: %w", a.Name, err)
	}
	a.Certificate = cert
	return a, nil
}
