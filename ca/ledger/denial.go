package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca"
)

// Denial is a name that gets no certificate.
type Denial struct {
	Name string // the common name
	At   time.Time
	Why  string // may be empty
	Seq  int64  // of its entry
}

// denyBody is the entry of a denial, and of its end.
type denyBody struct {
	Name string `json:"name"`
	Why  string `json:"why,omitempty"`
	Undo bool   `json:"undo,omitempty"`
}

// decommissionBody is the entry of a name that was given up. Entries that revoke its certificates
// and tokens follow.
type decommissionBody struct {
	Name string `json:"name"`
	Why  string `json:"why,omitempty"`
}

const (
	insertDenial = "INSERT INTO denials (name, seq, at, why) VALUES (?, ?, ?, ?)"
	deleteDenial = "DELETE FROM denials WHERE name = ?"
	readDenials  = "SELECT name, seq, at, why FROM denials "
)

func scanDenial(row scanner) (Denial, error) {
	var d Denial
	var at int64
	err := row.Scan(&d.Name, &d.Seq, &at, &d.Why)
	d.At = time.UnixMicro(at).UTC()
	return d, err
}

// denial returns the error for a denied name, or nil.
func (s *session) denial(ctx context.Context, name string) (*DeniedError, error) {
	d, err := scanDenial(s.queryRow(ctx, readDenials+"WHERE name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &DeniedError{Name: d.Name, At: d.At, Why: d.Why}, nil
}

// DenyRenewal denies certificates to a common name: it is neither enrolled nor renewed, by whatever
// key, until AllowRenewal. Its certificates stay valid until they expire. A name that the ledger
// does not know is a *NotFoundError, one that is denied already a *DeniedError.
func (l *Ledger) DenyRenewal(ctx context.Context, name, why string) error {
	if err := writableName(name, why); err != nil {
		return fmt.Errorf("deny renewals: %w", err)
	}
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		denied, err := t.denial(ctx, name)
		if err != nil {
			return err
		}
		if denied != nil {
			return denied
		}
		c, err := t.certificate(ctx, "c.seq = ("+everNamed+")", name)
		if err != nil {
			return err
		}
		named, err := t.usable(ctx, name)
		if err != nil {
			return err
		}
		if c == nil && len(named) == 0 {
			return &NotFoundError{What: fmt.Sprintf("a certificate or a token for the name %q", name)}
		}
		seq, err := t.append(ctx, kindDeny, denyBody{Name: name, Why: why})
		if err != nil {
			return err
		}
		return t.send(ctx, one(insertDenial, name, seq, t.at.UnixMicro(), why))
	})
}

// AllowRenewal ends a denial. A name that is not denied is a *NotFoundError.
func (l *Ledger) AllowRenewal(ctx context.Context, name string) error {
	return l.alone(ctx, func(ctx context.Context, t *transaction) error {
		denied, err := t.denial(ctx, name)
		if err != nil {
			return err
		}
		if denied == nil {
			return &NotFoundError{What: fmt.Sprintf("a denial of the name %q", name)}
		}
		if _, err := t.append(ctx, kindDeny, denyBody{Name: name, Undo: true}); err != nil {
			return err
		}
		return t.send(ctx, one(deleteDenial, name))
	})
}

// Denials yields the names that are denied, by name.
func (l *Ledger) Denials(ctx context.Context) iter.Seq2[Denial, error] {
	return each(ctx, l, scanDenial, readDenials+"ORDER BY name")
}

// Decommissioned is what Decommission has ended.
type Decommissioned struct {
	Certificates []Certificate // revoked, as they were before
	Tokens       []Token       // revoked, as they were before
}

// Decommission gives up a common name, in one transaction: it revokes, as ca.CessationOfOperation,
// the certificates with the name that are valid or can be renewed, ends their lineages, revokes the
// tokens that name it, and lifts its denial. Then the name is free for another key. If there is
// nothing of all that, the error is a *FreeError or, if the name was never given up, a *NotFoundError.
func (l *Ledger) Decommission(ctx context.Context, name, why string) (Decommissioned, error) {
	if err := writableName(name, why); err != nil {
		return Decommissioned{}, fmt.Errorf("decommission: %w", err)
	}
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Decommissioned, error) {
		return t.decommission(ctx, name, why)
	})
}

func (t *transaction) decommission(ctx context.Context, name, why string) (d Decommissioned, err error) {
	if d.Certificates, err = t.standing(ctx, "c.common_name = ? AND c.kind = 'leaf'", name, t.now().UnixMicro()); err != nil {
		return d, err
	}
	if d.Tokens, err = t.usable(ctx, name); err != nil {
		return d, err
	}
	if _, err = t.append(ctx, kindDecommission, decommissionBody{name, why}); err != nil {
		return d, err
	}
	ended, err := t.exec(ctx, "DELETE FROM lineages WHERE common_name = ?", name)
	if err != nil {
		return d, err
	}
	lifted, err := t.exec(ctx, deleteDenial, name)
	if err != nil {
		return d, err
	}
	if len(d.Certificates) == 0 && len(d.Tokens) == 0 && ended == 0 && lifted == 0 { // the entry is rolled back
		return d, t.notHeld(ctx, name)
	}
	if err := t.revokeAll(ctx, d.Certificates, ca.CessationOfOperation, why); err != nil {
		return d, err
	}
	for _, token := range d.Tokens {
		if err := t.revokeToken(ctx, token.ID, why); err != nil {
			return d, err
		}
	}
	return d, nil
}

// notHeld returns the error for a name that nothing holds.
func (t *transaction) notHeld(ctx context.Context, name string) error {
	const last = "SELECT at, body FROM entries WHERE kind <> 'issue' AND kind = 'decommission' AND seq < ? AND body LIKE ? ORDER BY seq DESC"
	text, err := encode(name)
	if err != nil {
		return err
	}
	rows, err := t.conn.QueryContext(ctx, t.e.sql(last), t.seq, `{"name":`+strings.NewReplacer(`\`, `_`, `%`, `_`).Replace(text)+"%")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var body string
		if err := rows.Scan(&at, &body); err != nil {
			return err
		}
		var gone decommissionBody
		if json.Unmarshal([]byte(body), &gone) == nil && gone.Name == name {
			return &FreeError{Name: name, At: time.UnixMicro(at)}
		}
	}
	return cmp.Or(rows.Err(), error(&NotFoundError{What: fmt.Sprintf("a host with the name %q", name)}))
}

// usable returns the tokens that name a name, and are neither revoked nor void.
func (t *transaction) usable(ctx context.Context, name string) ([]Token, error) {
	all, err := t.tokens(ctx, "WHERE t.revoked_at IS NULL AND t.void_seq IS NULL AND t.pattern = '' ORDER BY t.seq")
	var named []Token
	for _, token := range all {
		if slices.Contains(token.Names, name) {
			named = append(named, token)
		}
	}
	return named, err
}

// writableName refuses a name or a reason that cannot be stored.
func writableName(name, why string) error {
	if name == "" {
		return errors.New("the name is missing")
	}
	return errors.Join(writable("name", name), writable("reason", why))
}
