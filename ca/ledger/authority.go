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

	"kedge/ca"
)

// The states of authorities.
const (
	Active  = "active"
	Next    = "next"    // being rotated to
	Retired = "retired" // its certificates may still be valid, and it may still sign CRLs
)

// Authority is a CA that this ledger belongs to.
type Authority struct {
	Name        string
	Certificate *x509.Certificate // its current one
	Fingerprint []byte            // SHA-256 of Certificate; may be nil in SetAuthority
	Parent      string            // the name of the authority above; empty for a root, or when that is elsewhere
	State       string            // Active, Next or Retired
	Issuing     bool              // issues leaves, unless another is asked for; one at most does
}

type authorityBody struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	Parent      string `json:"parent,omitempty"`
	State       string `json:"state"`
	Issuing     bool   `json:"issuing"`
}

const (
	insertAuthority = `INSERT INTO authorities (name, fingerprint, parent, state, issuing, seq) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, parent = excluded.parent,
			state = excluded.state, issuing = excluded.issuing, seq = excluded.seq`
	clearIssuing = "UPDATE authorities SET issuing = 0 WHERE issuing <> 0"
)

// SetAuthority adds an authority, or changes what is known of the one with this name. Its
// certificate must have been recorded. When it is to issue, the one that did stops to.
func (l *Ledger) SetAuthority(ctx context.Context, a Authority) error {
	body, err := a.body()
	if err != nil {
		return err
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		fingerprint := sha256.Sum256(a.Certificate.Raw)
		if _, _, _, err := t.revoked(ctx, fingerprint[:]); err != nil {
			return fmt.Errorf("authority %q: %w", a.Name, err)
		}
		seq, err := t.append(ctx, kindAuthority, body, l.now())
		if err != nil {
			return err
		}
		var all []statement
		issuing := int64(0)
		if a.Issuing {
			issuing = 1
			all = append(all, statement{clearIssuing, nil})
		}
		all = append(all, statement{insertAuthority, []any{a.Name, fingerprint[:], a.Parent, a.State, issuing, seq}})
		_, err = t.send(ctx, all...)
		return err
	})
}

func (a *Authority) body() (authorityBody, error) {
	if a.Certificate == nil {
		return authorityBody{}, fmt.Errorf("authority %q: the certificate is missing", a.Name)
	}
	fingerprint := sha256.Sum256(a.Certificate.Raw)
	switch {
	case a.Name == "":
		return authorityBody{}, errors.New("an authority needs a name")
	case a.State != Active && a.State != Next && a.State != Retired:
		return authorityBody{}, fmt.Errorf("authority %q: the state %q is none of %s, %s, %s", a.Name, a.State, Active, Next, Retired)
	case len(a.Fingerprint) != 0 && !bytes.Equal(a.Fingerprint, fingerprint[:]):
		return authorityBody{}, fmt.Errorf("authority %q: the fingerprint is not that of its certificate", a.Name)
	}
	for what, text := range map[string]string{"name": a.Name, "parent": a.Parent} {
		if err := writable(what, text); err != nil {
			return authorityBody{}, fmt.Errorf("authority %q: %w", a.Name, err)
		}
	}
	return authorityBody{Name: a.Name, Fingerprint: hex.EncodeToString(fingerprint[:]), Parent: a.Parent, State: a.State, Issuing: a.Issuing}, nil
}

// Authorities returns all authorities, in the order in which they were last changed.
func (l *Ledger) Authorities(ctx context.Context) ([]Authority, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT a.name, a.fingerprint, a.parent, a.state, a.issuing, c.der
		FROM authorities a LEFT JOIN certificates c ON c.fingerprint = a.fingerprint ORDER BY a.seq, a.name`)
	if err != nil {
		return nil, l.engine.explain(err)
	}
	defer rows.Close()
	var all []Authority
	for rows.Next() {
		a, err := scanAuthority(rows)
		if err != nil {
			return nil, l.engine.explain(err)
		}
		all = append(all, a)
	}
	return all, l.engine.explain(rows.Err())
}

func scanAuthority(row scanner) (Authority, error) {
	var a Authority
	var issuing int64
	var der sql.Null[[]byte]
	if err := row.Scan(&a.Name, &a.Fingerprint, &a.Parent, &a.State, &issuing, &der); err != nil {
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
