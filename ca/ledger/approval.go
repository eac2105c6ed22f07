package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// An approval is a Token for one Request. It needs no secret: the request names the key, and only the
// holder of that key can use a certificate for it. A denied request is an approval that
// was revoked when it was made. So the rules for tokens are those for approvals.

// MinRequestID is the least number of characters of an ID that name a request to be decided: 64 bits,
// so that a second request whose ID begins alike cannot be computed while the first one waits.
const MinRequestID = 16

// RequestIDError reports a text that names no request that could be decided.
type RequestIDError struct {
	Text      string
	Ambiguous bool // several begin so
}

func (e *RequestIDError) Error() string {
	if e.Ambiguous {
		return fmt.Sprintf("several requests begin with %q", e.Text)
	}
	return fmt.Sprintf("%q is not the beginning of the ID of a request, %d or more of its 64 hexadecimal digits", e.Text, MinRequestID)
}

// Approving specifies how a request is decided.
type Approving struct {
	ID      []byte    // of the approval: TokenIDSize random bytes
	At      time.Time // when it is made
	Expires time.Time // the host must ask until then; without meaning for a denial
	Replace bool      // it may take the name from another key, whose lineages then end
	Why     string    // may be empty
}

// decision returns the newest approval or denial of a request that still counts, or nil. One that is
// void, or has expired before the host came for its certificate, does not.
func decision(ctx context.Context, q querier, e *engine, request []byte, now time.Time) (*Token, error) {
	all, err := readTokensBy(ctx, q, e, "WHERE t.request = ? ORDER BY t.seq DESC LIMIT 1", request)
	if err != nil || len(all) == 0 || !all[0].decides(now) {
		return nil, err
	}
	return &all[0], nil
}

// decides reports whether the decision still applies, so that the operator is not asked again.
func (t *Token) decides(now time.Time) bool {
	return t.Revoked != nil || !t.Void && (t.Used > 0 || !now.After(t.Expires))
}

// Decision returns the approval of a request. If there is none, or the operator has to decide again,
// the error is a *TokenError with TokenUnknown; for a denied request with TokenRevoked.
func (l *Ledger) Decision(ctx context.Context, request []byte) (Token, error) {
	t, err := decision(ctx, l.db, l.engine, request, l.now())
	switch {
	case err != nil:
		return Token{}, l.engine.explain(err)
	case t == nil:
		return Token{}, &TokenError{ID: request, Why: TokenUnknown, Approval: true}
	case t.Revoked != nil:
		return *t, &TokenError{ID: t.ID, Why: TokenRevoked, Approval: true}
	}
	return *t, nil
}

// Approve approves the request whose ID begins with a text of MinRequestID characters or more, and
// returns the approval. It is one that waits, or on which was decided before without use. A name that
// another key holds needs Approving.Replace: otherwise the error is a *HeldError. Others are
// *RequestIDError, *NotFoundError, *DeniedError and, for a request that has its certificate or
// approval already, *TokenError with TokenSpent or *DuplicateError.
func (l *Ledger) Approve(ctx context.Context, request string, a Approving) (Token, error) {
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Token, error) {
		token, err := t.asked(ctx, request)
		if err != nil {
			return token, err
		}
		if token.Seq != 0 && token.Revoked == nil && token.decides(t.now()) {
			return token, &DuplicateError{What: fmt.Sprintf("an approval of the request %x", token.Request)}
		}
		token = token.decided(a)
		token.Expires, token.Replace = a.Expires, a.Replace
		if !a.Expires.After(a.At) {
			return token, errors.New("approve a request: the approval would have expired when it is made")
		}
		if err := t.free(ctx, &token, token.Names[0]); err != nil {
			return token, err
		}
		return t.decide(ctx, token)
	})
}

// DenyRequest denies a request, which is named as for Approve. If it was approved, and its host has not
// come for the certificate, the approval is revoked.
func (l *Ledger) DenyRequest(ctx context.Context, request string, a Approving) (Token, error) {
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Token, error) {
		token, err := t.asked(ctx, request)
		if err != nil {
			return token, err
		}
		at := t.now()
		switch {
		case token.Revoked != nil:
			return token, &TokenError{ID: token.ID, Why: TokenRevoked, Approval: true}
		case token.Seq != 0 && token.decides(at):
			token.Revoked = &at
			return token, t.revokeToken(ctx, token.ID, a.Why)
		}
		token = token.decided(a)
		token.Expires, token.Revoked = a.At, &at
		return t.decide(ctx, token)
	})
}

// decided returns what is asked for, with a decision of its own.
func (t *Token) decided(a Approving) Token {
	return Token{ID: a.ID, Request: t.Request, Names: t.Names, Profile: t.Profile, Uses: 1, ForKey: t.ForKey, Why: a.Why, At: a.At}
}

// decide records a decision, after which the request no longer waits.
func (t *transaction) decide(ctx context.Context, token Token) (Token, error) {
	if len(token.ID) != TokenIDSize || token.At.IsZero() {
		return token, errors.New("decide on a request: the ID or the time of the decision is missing")
	}
	if err := token.checkTexts(); err != nil {
		return token, err
	}
	if err := t.insertToken(ctx, &token); err != nil {
		return token, err
	}
	token.Seq, token.At = t.seq, t.at
	return token, t.send(ctx, some(deleteRequest, token.Request))
}

// asked returns the only request that begins with a text: the last decision on it or, with Seq 0, the
// one that waits. A request whose host has its certificate is a *TokenError.
func (t *transaction) asked(ctx context.Context, text string) (Token, error) {
	from, to, ok := requestRange(text)
	if !ok {
		return Token{}, &RequestIDError{Text: text}
	}
	decided, err := readTokensBy(ctx, t.conn, t.e, "WHERE t.request >= ? AND t.request <= ? ORDER BY t.seq", from, to)
	if err != nil {
		return Token{}, err
	}
	waits, err := waiting(ctx, t.conn, t.e, "WHERE id >= ? AND id <= ? AND expires_at >= ?", from, to, t.now().UnixMicro())
	if err != nil {
		return Token{}, err
	}
	for _, r := range waits {
		decided = append(decided, Token{Request: r.ID, Names: []string{r.Name}, Profile: r.Profile, ForKey: r.KeyHash})
	}
	return lastOf(decided, text)
}

// lastOf returns the last of those whose request begins with a text, if all are of one request.
func lastOf(all []Token, text string) (last Token, err error) {
	for _, token := range all {
		switch {
		case !strings.HasPrefix(hex.EncodeToString(token.Request), strings.ToLower(text)):
			continue
		case last.Request != nil && !bytes.Equal(last.Request, token.Request):
			return Token{}, &RequestIDError{Text: text, Ambiguous: true}
		}
		last = token
	}
	switch {
	case last.Request == nil:
		return last, &NotFoundError{What: fmt.Sprintf("a request that begins with %q", text)}
	case last.Used > 0:
		return last, &TokenError{ID: last.ID, Why: TokenSpent, Approval: true}
	}
	return last, nil
}

// requestRange returns the least and the greatest ID that begin with the whole bytes of a text.
func requestRange(text string) (from, to []byte, ok bool) {
	const size = hashSize
	if len(text) < MinRequestID || len(text) > 2*size {
		return nil, nil, false
	}
	if _, err := hex.DecodeString(text + "0"[:len(text)%2]); err != nil {
		return nil, nil, false
	}
	from, err := hex.DecodeString(text[:len(text)/2*2])
	rest := size - len(from)
	to = append(bytes.Clone(from), bytes.Repeat([]byte{0xff}, rest)...)
	return append(from, make([]byte, rest)...), to, err == nil
}
