package ledger

import (
	"bytes"
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kedge/ca"
)

const (
	insertToken = `INSERT INTO tokens (id, secret_hash, names, pattern, profile, uses, expires_at, networks, for_key, may_replace, why, request, seq, made_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertUse = "INSERT INTO token_uses (token, key_hash, seq) VALUES (?, ?, ?)"
	endToken  = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"

	readTokens = `SELECT t.id, t.secret_hash, t.names, t.pattern, t.profile, t.uses, t.expires_at, t.networks, t.for_key, t.may_replace, t.why, t.request, t.seq, t.made_at,
		t.revoked_at, t.void_seq, (SELECT count(*) FROM token_uses u WHERE u.token = t.id) FROM tokens t `
)

func scanToken(row scanner) (Token, error) {
	var t Token
	var names, networks string
	var expires, replace, made int64
	var revoked, void sql.NullInt64
	err := row.Scan(&t.ID, &t.SecretHash, &names, &t.Pattern, &t.Profile, &t.Uses, &expires, &networks, &t.ForKey, &replace, &t.Why, &t.Request, &t.Seq, &made,
		&revoked, &void, &t.Used)
	if err != nil {
		return t, err
	}
	t.Names = lines(names)
	t.Expires, t.At, t.Replace, t.Void = time.UnixMicro(expires).UTC(), time.UnixMicro(made).UTC(), replace != 0, void.Valid
	if revoked.Valid {
		at := time.UnixMicro(revoked.Int64).UTC()
		t.Revoked = &at
	}
	for _, text := range lines(networks) {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return t, fmt.Errorf("the token %x has a network that cannot be read: verify the ledger", t.ID)
		}
		t.Networks = append(t.Networks, n)
	}
	return t, nil
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// tokens returns those that match a clause.
func (s *session) tokens(ctx context.Context, which string, args ...any) ([]Token, error) {
	return readTokensBy(ctx, s.conn, s.e, which, args...)
}

func readTokensBy(ctx context.Context, q querier, e *engine, which string, args ...any) ([]Token, error) {
	rows, err := q.QueryContext(ctx, e.sql(readTokens+which), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanToken)
}

// Token returns a token, or a *TokenError.
func (l *Ledger) Token(ctx context.Context, id []byte) (Token, error) {
	all, err := l.tokens.get(ctx, id)
	t, ok := all[string(id)]
	if err == nil && !ok {
		err = &TokenError{ID: id, Why: TokenUnknown}
	}
	return t, l.engine.explain(err)
}

// readTokens reads tokens by their IDs.
func (l *Ledger) readTokens(ctx context.Context, ids [][]byte) (map[string]Token, error) {
	found := map[string]Token{}
	for some := range slices.Chunk(ids, maxBatch) {
		all, err := readTokensBy(ctx, l.db, l.engine, "WHERE t.id IN "+marks(len(some)), anys(some)...)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			found[string(t.ID)] = t
		}
	}
	return found, nil
}

// Presented returns the token of an enrollment, or a *TokenError if the token is unknown or its secret
// another. Record checks that again.
func (l *Ledger) Presented(ctx context.Context, e *ca.Enrollment) (Token, error) {
	t, err := l.Token(ctx, e.Token)
	if err == nil && !t.isShownBy(e) {
		return Token{}, &TokenError{ID: e.Token, Why: TokenSecret}
	}
	return t, err
}

// CheckToken returns the *TokenError for an enrollment that Record would refuse whatever certificate it
// is for, if the key with a hash has not used the token before: so it is refused without a signature
// and without a lock. The token is as Presented returned it. Record checks that again.
func (l *Ledger) CheckToken(ctx context.Context, e *ca.Enrollment, t *Token, keyHash []byte) error {
	if why := t.refuses(e); why != 0 {
		return &TokenError{ID: e.Token, Why: why, Approval: isApproval(e)}
	}
	why := t.isOver(l.now())
	if why == 0 {
		return nil
	}
	var uses int64
	err := l.db.QueryRowContext(ctx, l.engine.sql("SELECT count(*) FROM token_uses WHERE token = ? AND key_hash = ?"), e.Token, keyHash).Scan(&uses)
	if uses != 0 || err != nil {
		return l.engine.explain(err)
	}
	return &TokenError{ID: e.Token, Why: why, Approval: isApproval(e)}
}

func isApproval(e *ca.Enrollment) bool { return e.Proof == ca.ProofApproval }

// isShownBy reports whether a host has proven that it may use the token: by its secret, which is
// compared in constant time, or by the request that was approved.
func (t *Token) isShownBy(e *ca.Enrollment) bool {
	if isApproval(e) {
		return len(t.Request) != 0 && bytes.Equal(t.Request, e.Request)
	}
	return len(t.Request) == 0 && subtle.ConstantTimeCompare(t.SecretHash, e.Secret) == 1
}

// Tokens yields all tokens, approvals among them, in the order in which they were made.
func (l *Ledger) Tokens(ctx context.Context) iter.Seq2[Token, error] {
	return each(ctx, l, scanToken, readTokens+"ORDER BY t.seq")
}

// tokenRevokedBody is the entry of a revoked token.
type tokenRevokedBody struct {
	ID  string `json:"id"`
	Why string `json:"why,omitempty"`
}

// RevokeToken revokes a token, of which nothing is issued from then on. With certificates set, it
// also revokes, as ca.PrivilegeWithdrawn, the certificates that the token gave and those that have
// replaced them, as far as they are valid or can be renewed, and returns them. A token that is
// revoked already is a *TokenError, unless certificates are to be revoked.
func (l *Ledger) RevokeToken(ctx context.Context, id []byte, certificates bool, why string) ([]Certificate, error) {
	if err := writable("reason", why); err != nil {
		return nil, fmt.Errorf("revoke a token: %w", err)
	}
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) ([]Certificate, error) {
		all, err := t.tokens(ctx, "WHERE t.id = ?", id)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return nil, &TokenError{ID: id, Why: TokenUnknown}
		}
		var given []Certificate
		if certificates {
			if given, err = t.standing(ctx, givenBy, id, t.now().UnixMicro()); err != nil {
				return nil, err
			}
		}
		if all[0].Revoked != nil && len(given) == 0 {
			return nil, &TokenError{ID: id, Why: TokenRevoked}
		}
		if all[0].Revoked == nil {
			err = t.revokeToken(ctx, id, why)
		}
		if err == nil {
			err = t.revokeAll(ctx, given, ca.PrivilegeWithdrawn, why)
		}
		return given, err
	})
}

func (t *transaction) revokeToken(ctx context.Context, id []byte, why string) error {
	if _, err := t.append(ctx, kindTokenRevoke, tokenRevokedBody{hex.EncodeToString(id), why}); err != nil {
		return err
	}
	return t.send(ctx, one(endToken, t.at.UnixMicro(), id))
}

// alive is the condition for a certificate that is accepted, can become so when a hold is released,
// or can be renewed.
const alive = "(c.revoked_at IS NULL OR c.reason = 6) AND (c.not_after >= ? OR c.seq IN (SELECT l.newest FROM lineages l WHERE l.id = c.lineage))"

// givenBy selects the certificates in the lineages of a token.
const givenBy = `c.seq IN (SELECT m.seq FROM token_uses u JOIN certificates o ON o.seq = u.seq JOIN certificates m ON m.common_name = o.common_name AND m.lineage = o.lineage
	WHERE u.token = ?)`

// standing returns the certificates that match a condition and are alive. The last argument is the
// time.
func (t *transaction) standing(ctx context.Context, where string, args ...any) ([]Certificate, error) {
	return t.certificates(ctx, where+" AND "+alive+" ORDER BY c.seq", args...)
}

// revokeAll revokes certificates that are not revoked, or on hold.
func (t *transaction) revokeAll(ctx context.Context, all []Certificate, reason ca.Reason, why string) error {
	if len(all) == 0 {
		return nil
	}
	var prints [][]byte
	for i := range all {
		prints = append(prints, all[i].Fingerprint)
	}
	at := t.now()
	seq, err := t.append(ctx, kindRevoke, revokedBody{Fingerprints: hexes(prints), Reason: reason, At: at.UnixMicro(), Why: why})
	if err != nil {
		return err
	}
	return t.setRevoked(ctx, prints, at.UnixMicro(), int64(reason), seq)
}
