package ledger

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"kedge/ca"
)

// The rules for certificates that hosts ask for:
//
//   - A token gives a certificate while it is known by its secret, neither revoked, void, expired
//     nor spent, and if the name, the address, the key and the profile are those that it is for. The
//     certificate and the use of the token are recorded together. The same token with the same key
//     gives the same certificate again.
//   - A name that a key holds is given to another key only by a token that may replace it, and
//     then the lineages of the name end. It is held until it is decommissioned, whether its
//     certificate is valid, expired or revoked.
//   - An approval is a token for one request, that is for one key, its names and a profile: approval.go.
//   - A denied name gets no certificate.
//   - An expired certificate is renewed only within its grace, and only so often in a lineage.
//   - A leaf has no name of an enrollment server, nor such a server that of a host: reserved.go.

const (
	// heldByOther finds the newest certificate of a common name that has another key.
	heldByOther = "SELECT max(l.newest) FROM lineages l JOIN certificates n ON n.seq = l.newest WHERE l.common_name = ? AND n.key_hash <> ?"
	everNamed   = "SELECT max(e.seq) FROM certificates e WHERE e.common_name = ? AND e.kind = 'leaf'"

	findHeld   = "SELECT l.id FROM lineages l JOIN certificates n ON n.seq = l.newest WHERE l.common_name = ? AND n.key_hash <> ? LIMIT 1"
	findNamed  = "SELECT e.seq FROM certificates e WHERE e.common_name = ? AND e.kind = 'leaf' LIMIT 1"
	findDenied = "SELECT d.seq FROM denials d WHERE d.name = ?"

	// findRenewable finds the lineage of a certificate that has not expired, or did so within the grace.
	findRenewable = `SELECT l.id FROM lineages l JOIN certificates o ON o.seq = l.newest
		WHERE o.fingerprint = ? AND (o.not_after >= ? OR o.not_after >= ? AND l.recoveries < ?)`

	endNamed        = "DELETE FROM lineages WHERE common_name = ? AND id <> (SELECT lineage FROM certificates WHERE seq = ?)"
	updateRecovered = `UPDATE lineages SET newest = ?, only_key = NULL, recoveries = recoveries + (SELECT count(*) FROM certificates o WHERE o.seq = lineages.newest AND o.not_after < ?)
		WHERE id = (SELECT lineage FROM certificates WHERE seq = ?)`
)

// byToken reports whether a token, or an approval, gave the certificate.
func (r *record) byToken() bool {
	return r.enrollment != nil && (r.enrollment.Proof == ca.ProofToken || r.enrollment.Proof == ca.ProofApproval)
}

// countsLate reports whether the renewal is counted if the old certificate has expired.
func (r *record) countsLate() bool {
	return r.enrollment != nil && r.enrollment.Proof == ca.ProofRenewal
}

// denialRules returns the rule for denied names, which the operator alone can still issue at the CA.
// It comes before those of lineages, which may answer with a certificate.
func (t *transaction) denialRules(r *record) []rule {
	if r.row.Kind != Probe && (r.row.Kind != Leaf || r.enrollment == nil && len(r.row.Replaces) == 0) {
		return nil
	}
	return []rule{{statement{findDenied, []any{r.row.CommonName}, 0}, func(ctx context.Context, s *session, r *record) error {
		denied, err := s.denial(ctx, r.row.CommonName)
		if denied == nil || err != nil {
			return err
		}
		return denied
	}}}
}

// enrollmentRules returns the rules for a host's certificate. Those about the token itself are
// checked before: see spending.
func (t *transaction) enrollmentRules(r *record) []rule {
	row := &r.row
	switch {
	case r.countsLate():
		return []rule{t.graceRule(r)}
	case !r.byToken():
		return nil
	case r.token.unused():
		return []rule{{statement{findNamed, []any{row.CommonName}, 0}, isHeld(everNamed, row.CommonName)}}
	case !r.token.Replace:
		args := []any{row.CommonName, row.KeyHash}
		return []rule{{statement{findHeld, args, 0}, isHeld(heldByOther, args...)}}
	}
	return nil
}

// isHeld returns the reason that names the certificate of the other key.
func isHeld(find string, args ...any) reason {
	return func(ctx context.Context, s *session, r *record) error {
		c, err := s.certificate(ctx, "c.seq = ("+find+")", args...)
		if c == nil || err != nil {
			return err
		}
		return &HeldError{Name: r.row.CommonName, Newest: *c}
	}
}

// graceRule refuses the renewal of a certificate that expired too long ago, or once too often.
func (t *transaction) graceRule(r *record) rule {
	now := t.now()
	args := []any{r.row.Replaces, now.UnixMicro(), now.Add(-r.enrollment.Grace).UnixMicro(), recoveriesLimit(r.enrollment)}
	return rule{statement{findRenewable, args, 1}, func(ctx context.Context, s *session, r *record) error {
		presented, err := s.certificate(ctx, "c.fingerprint = ?", r.row.Replaces)
		if presented == nil || err != nil || !now.After(presented.NotAfter) {
			return err
		}
		e := &GraceError{Presented: *presented, Until: presented.NotAfter.Add(r.enrollment.Grace), Limit: r.enrollment.Recoveries}
		if err := s.queryRow(ctx, "SELECT coalesce(max(recoveries), 0) FROM lineages WHERE id = ?", presented.Lineage).Scan(&e.Recoveries); err != nil {
			return err
		}
		return e
	}}
}

// recoveriesLimit returns how many times a certificate of a lineage can be renewed after its end.
func recoveriesLimit(e *ca.Enrollment) int64 {
	if e.Recoveries == 0 {
		return math.MaxInt64
	}
	return int64(e.Recoveries)
}

// spending has the tokens that a batch spends, as they are in the transaction and, for the records
// that follow, as those before leave them.
type spending struct {
	tokens map[string]*Token // by ID
	uses   map[string]int64  // the seq of the certificate, by token and key
}

func useOf(token, key []byte) string { return string(token) + string(key) }

// terms reads the authorities, and the tokens of a batch, as they are in the transaction.
func (t *transaction) terms(ctx context.Context, batch []*job) (issuers, *spending, error) {
	all, s := issuers{}, &spending{map[string]*Token{}, map[string]int64{}}
	reads := []lookup{all.lookup(t.e)}
	var ids, keys []any
	for _, j := range batch {
		if j.record.byToken() {
			ids, keys = append(ids, []byte(j.record.enrollment.Token)), append(keys, j.record.row.KeyHash)
		}
	}
	used := 0
	if len(ids) != 0 {
		reads = append(reads, lookup{readTokens + "WHERE t.id IN " + marks(len(ids)), ids, func(row scanner) error {
			token, err := scanToken(row)
			s.tokens[string(token.ID)] = &token
			used += token.Used
			return err
		}})
	}
	err := t.e.ask(ctx, t.session, nil, reads)
	if err == nil && used != 0 {
		err = t.ask(ctx, s.readUses(append(ids, keys...)))
	}
	return all, s, err
}

// marks returns a list of parameters.
func marks(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

// readUses is the lookup of the uses of tokens by keys; as many of each.
func (s *spending) readUses(args []any) lookup {
	n := len(args) / 2
	return lookup{"SELECT token, key_hash, seq FROM token_uses WHERE token IN " + marks(n) + " AND key_hash IN " + marks(n), args, func(row scanner) error {
		var token, key []byte
		var seq int64
		err := row.Scan(&token, &key, &seq)
		s.uses[useOf(token, key)] = seq
		return err
	}}
}

// errUsedNow refuses a record whose token and key another record of the batch has.
var errUsedNow = errors.New("another with this token and key comes first")

// check refuses a record whose token does not give it, and counts the use of the token otherwise.
func (s *spending) check(ctx context.Context, t *transaction, r *record) (refused, err error) {
	if !r.byToken() {
		return nil, nil
	}
	refused, err = s.spend(ctx, t, r)
	if e, ok := errors.AsType[*TokenError](refused); ok {
		e.Approval = isApproval(r.enrollment)
	}
	return refused, err
}

func (s *spending) spend(ctx context.Context, t *transaction, r *record) (refused, err error) {
	e := r.enrollment
	token := s.tokens[string(e.Token)]
	if why := token.refuses(e); why != 0 {
		return &TokenError{ID: e.Token, Why: why}, nil
	}
	use := useOf(e.Token, r.row.KeyHash)
	seq, used := s.uses[use]
	switch {
	case used && seq == 0:
		return errUsedNow, nil
	case used:
		return t.usedBefore(ctx, r, seq)
	}
	if why := token.refusesNew(&r.row, t.now()); why != 0 {
		return &TokenError{ID: e.Token, Why: why}, nil
	}
	token.Used++
	s.uses[use] = 0
	r.token = token
	return nil, nil
}

// refuses returns why a token, or nil for an unknown one, is of no use to a host, also if the host has
// used it before; 0 if it is.
func (t *Token) refuses(e *ca.Enrollment) TokenReason {
	switch {
	case t == nil:
		return TokenUnknown
	case !t.isShownBy(e):
		return TokenSecret
	case t.Revoked != nil:
		return TokenRevoked
	case t.Void:
		return TokenVoid
	case !t.allows(e.Address):
		return TokenNetwork
	}
	return 0
}

// isOver returns why a token has no use left for a key that has not used it, or 0.
func (t *Token) isOver(now time.Time) TokenReason {
	switch {
	case now.After(t.Expires):
		return TokenExpired
	case t.Used >= t.Uses:
		return TokenSpent
	}
	return 0
}

// refusesNew returns why a token does not give a certificate to a key that has not used it, or 0.
func (t *Token) refusesNew(c *Certificate, now time.Time) TokenReason {
	switch why := t.isOver(now); {
	case why != 0:
		return why
	case len(t.ForKey) != 0 && !bytes.Equal(t.ForKey, c.KeyHash):
		return TokenKey
	case t.Profile != c.Profile:
		return TokenProfile
	case !t.gives(c.CommonName, c.KeyHash):
		return TokenName
	}
	return 0
}

// usedBefore returns the answer to a key that has used its token: its certificate again, unless that
// was revoked or the name denied since, or the request is for another name.
func (t *transaction) usedBefore(ctx context.Context, r *record, seq int64) (refused, err error) {
	c, err := t.certificate(ctx, "c.seq = ?", seq)
	if err != nil {
		return nil, err
	}
	denied, err := t.denial(ctx, r.row.CommonName)
	switch {
	case err != nil:
		return nil, err
	case c == nil || c.RevokedAt != nil:
		return &TokenError{ID: r.enrollment.Token, Why: TokenSpent}, nil
	case c.Subject != r.row.Subject || c.Profile != r.row.Profile:
		return &TokenError{ID: r.enrollment.Token, Why: TokenName}, nil
	case denied != nil:
		return denied, nil
	case t.now().After(c.NotAfter):
		return &TokenError{ID: r.enrollment.Token, Why: TokenExpired}, nil
	}
	return &AnsweredError{Newest: *c}, nil
}
