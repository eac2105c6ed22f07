package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"kedge/ca"
)

// tokenRow is a row of tokens, as the entries imply it.
type tokenRow struct {
	values     []any
	uses, used int
}

// The columns of tokens that later entries change.
const (
	tokenRequest   = 11
	tokenRevokedAt = 14
	tokenVoidSeq   = 15
)

func (r *tokenRow) open() bool {
	return r.values[tokenRevokedAt] == nil && r.values[tokenVoidSeq] == nil
}

// lineageChange is an entry that changes lineages between certificates: a name that was given up, or
// a certificate that was kept.
type lineageChange struct {
	seq  int64
	name string       // that was given up; empty: kept
	kept *Certificate // nil: the ledger does not have it
	body resolveBody
}

// replayEnrollment records what an entry implies for tokens, denials and names that were given up.
func (v *verifier) replayEnrollment(e *Entry) error {
	switch e.Kind {
	case kindToken, kindApproval, kindRequestDeny:
		return v.replayToken(e)
	case kindTokenRevoke:
		var body tokenRevokedBody
		if err := e.decode(&body); err != nil {
			return err
		}
		row := v.tokens[body.ID]
		if row == nil {
			return fmt.Errorf("it revokes the token %q, which no entry made", body.ID)
		}
		row.values[tokenRevokedAt] = e.At.UnixMicro()
	case kindDeny:
		var body denyBody
		if err := e.decode(&body); err != nil {
			return err
		}
		if delete(v.denials, body.Name); !body.Undo {
			v.denials[body.Name] = []any{body.Name, e.Seq, e.At.UnixMicro(), body.Why}
		}
	case kindDecommission:
		var body decommissionBody
		if err := e.decode(&body); err != nil {
			return err
		}
		delete(v.denials, body.Name)
		v.changes = append(v.changes, lineageChange{seq: e.Seq, name: body.Name})
	case kindResolve:
		var body resolveBody
		if err := e.decode(&body); err != nil {
			return err
		}
		v.changes = append(v.changes, lineageChange{seq: e.Seq, body: body})
	default:
		return v.replayRestore(e)
	}
	return nil
}

func (v *verifier) replayToken(e *Entry) error {
	var body tokenBody
	if err := e.decode(&body); err != nil {
		return err
	}
	row, err := body.row(e.Seq, e.At)
	if err != nil {
		return err
	}
	if v.tokens[body.ID] != nil {
		return fmt.Errorf("the token %q was made before", body.ID)
	}
	if (body.Request == "") != (e.Kind == kindToken) {
		return fmt.Errorf("the token %q is not what the kind of the entry says", body.ID)
	}
	token := &tokenRow{values: append(row, nil, nil), uses: body.Uses}
	if e.Kind == kindRequestDeny {
		token.values[tokenRevokedAt] = e.At.UnixMicro()
	}
	v.tokens[body.ID] = token
	return nil
}

func (v *verifier) replayRestore(e *Entry) error {
	var body restoreBody
	if err := e.decode(&body); err != nil {
		return err
	}
	var n int64
	for _, row := range v.tokens {
		if row.open() {
			row.values[tokenVoidSeq] = e.Seq
			n++
		}
	}
	if n != body.Tokens {
		return fmt.Errorf("it says that %d tokens became void, of %d", body.Tokens, n)
	}
	return nil
}

// findKept reads the certificates that entries of a page have kept.
func (v *verifier) findKept(ctx context.Context) error {
	for i := range v.changes {
		c := &v.changes[i]
		fingerprint, err := hex.DecodeString(c.body.Keep)
		if err != nil || c.name != "" {
			continue
		}
		if c.kept, err = v.session.certificate(ctx, "c.fingerprint = ?", fingerprint); err != nil {
			return err
		}
		if c.kept == nil {
			c.kept = v.findMoved(fingerprint)
		}
	}
	return nil
}

// changeBefore makes the changes of entries before a certificate.
func (v *verifier) changeBefore(seq int64) {
	for len(v.changes) != 0 && v.changes[0].seq < seq {
		c := v.changes[0]
		v.changes = v.changes[1:]
		if c.name != "" {
			v.history.decommission(c.name)
		} else {
			v.resolve(&c)
		}
	}
}

// resolve replays the entry of a certificate that was kept.
func (v *verifier) resolve(c *lineageChange) {
	key, err := hex.DecodeString(c.body.Key)
	if c.kept == nil && v.archive.incomplete {
		return
	}
	if c.kept == nil || err != nil {
		v.report.add("entries", c.seq, "it keeps the certificate %q, which is not there", c.body.Keep)
		return
	}
	back, ok := v.history.resolve(c.kept, string(key))
	if !ok && !v.archive.incomplete {
		v.report.add("entries", c.seq, "it keeps certificate %d, whose lineage has ended", c.kept.Seq)
	}
	if back {
		v.resumed[c.kept.Seq] = true
	}
}

// use records the use of a token that an entry implies.
func (v *verifier) use(body *issuedBody, r *record) {
	if !r.byToken() {
		return
	}
	v.uses[r.row.Seq] = []any{r.enrollment.Token, r.row.KeyHash, r.row.Seq}
	token := v.tokens[body.Token]
	if token == nil {
		v.report.add("entries", r.row.Seq, "the token %q was never made", body.Token)
		return
	}
	if isApproval(r.enrollment) != (token.values[tokenRequest] != nil) {
		v.report.add("entries", r.row.Seq, "the token %q was used as if it were of the other kind", body.Token)
	}
	if token.used++; token.used > token.uses {
		v.report.add("entries", r.row.Seq, "the token %q was used %d times, and is for %d", body.Token, token.used, token.uses)
	}
}

// tokenUses checks the uses of a page.
func (v *verifier) tokenUses(ctx context.Context, _ []Entry, from, to int64) error {
	t := tokenUsesTable()
	err := t.rows(ctx, v.session, between+t.key, []any{from, to}, func(row []any) error {
		v.seen[t.name]++
		seq, _ := row[2].(int64)
		if v.uses[seq] == nil && v.archive.incomplete && seq <= v.archive.horizon {
			return nil
		}
		if v.uses[seq] == nil {
			v.report.add(t.name, fmt.Sprintf("%x", row[0]), "seq is %d, and no entry records that use", seq)
			return nil
		}
		v.report.compare(t, fmt.Sprintf("%x", row[0]), row, v.uses[seq])
		delete(v.uses, seq)
		return nil
	})
	for _, seq := range slices.Sorted(maps.Keys(v.uses)) {
		v.report.add(t.name, fmt.Sprintf("%x", v.uses[seq][0]), "it is missing")
	}
	clear(v.uses)
	return err
}

// checkTokens compares the table with the entries.
func (v *verifier) checkTokens(ctx context.Context) error {
	t := tokensTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		id, _ := row[0].([]byte)
		want := v.tokens[hex.EncodeToString(id)]
		if want == nil {
			v.report.add(t.name, fmt.Sprintf("%x", id), "no entry records it")
			return nil
		}
		v.report.compare(t, fmt.Sprintf("%x", id), row, want.values)
		delete(v.tokens, hex.EncodeToString(id))
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(v.tokens)) {
		v.report.add(t.name, id, "it is missing")
	}
	return err
}

// checkDenials compares the table with the entries.
func (v *verifier) checkDenials(ctx context.Context) error {
	t := denialsTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		name, _ := row[0].(string)
		if v.denials[name] == nil {
			v.report.add(t.name, show(row[0]), "no entry records the denial")
			return nil
		}
		v.report.compare(t, plain(name), row, v.denials[name])
		delete(v.denials, name)
		return nil
	})
	for _, name := range slices.Sorted(maps.Keys(v.denials)) {
		v.report.add(t.name, plain(name), "it is missing")
	}
	return err
}

// enrollment returns the proof that an entry records, or nil.
func (b *issuedBody) enrollment() (*ca.Enrollment, error) {
	if b.Proof == "" {
		return nil, nil
	}
	e := &ca.Enrollment{Proof: b.Proof, KeyPlace: b.KeyPlace, Hook: b.Hook}
	var err, err2 error
	if b.Token != "" {
		e.Token, err = hex.DecodeString(b.Token)
	}
	if b.Address != "" {
		e.Address, err2 = netip.ParseAddr(b.Address)
	}
	return e, errors.Join(err, err2)
}
