package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kedge/ca"
)

// When two hosts have had the same certificate, its lineage has two branches: the newest certificate,
// whose key was first, and the older one that another key has presented since, and is refused. The
// operator decides which host keeps the name:
//
//   - To keep the newest leaves the lineage as it is.
//   - To keep the one that was presented makes it the newest again, to be renewed by that key alone:
//     both hosts have the key of the certificate, and only one has that key. If no host asked a
//     server, but the operator at the CA, where a key that is refused is not kept, any key renews it.
//
// What other keys of the lineage have is revoked in the same transaction.

// resolveBody is the entry of such a decision. Entries that revoke certificates follow.
type resolveBody struct {
	Name string `json:"name"`          // the common name
	Keep string `json:"keep"`          // fingerprint of the newest certificate of the lineage from now on
	Key  string `json:"key,omitempty"` // ca.KeyHash of the only key that can renew it; absent: any
	Why  string `json:"why,omitempty"`
}

const (
	setNewest     = "UPDATE lineages SET newest = ?, only_key = ? WHERE id = ?"
	setUnreplaced = "UPDATE certificates SET replaced_seq = NULL WHERE seq = ?"
	readClones    = "SELECT seq, at, kind, body, prev, hash FROM entries WHERE kind IN ('clone', 'resolve') ORDER BY seq"
)

// Resolved is what Resolve has decided.
type Resolved struct {
	Kept Certificate // the newest of the lineage
	// Back reports that Kept had been replaced: the host that was refused goes on, and Key, the
	// ca.KeyHash of the key that it asked with, from Address, is the only one that can renew; nil: any.
	Back    bool
	Key     []byte
	Address netip.Addr
	Revoked []Certificate // the certificates of other keys, as they were before
}

// NotClonedError reports that there is nothing to resolve.
type NotClonedError struct{ Name string }

func (e *NotClonedError) Error() string {
	return fmt.Sprintf("no other key has asked for the next certificate of %q, or that is resolved", e.Name)
}

// ChoiceError reports that a certificate is not one that Resolve can keep.
type ChoiceError struct {
	Name, Serial string
	Newest       Certificate
	Presented    []Certificate // by the keys that were refused
	Keys         int           // how many keys presented the one that was chosen; 0: none
}

func (e *ChoiceError) Error() string {
	if e.Keys > 1 {
		return fmt.Sprintf("%d keys were refused with the certificate of %q with serial %s: which of them is the host's is not known", e.Keys, e.Name, e.Serial)
	}
	var serials []string
	for _, c := range e.Presented {
		serials = append(serials, c.Serial)
	}
	return fmt.Sprintf("serial %s is none of the certificates of %q to choose from: the newest, %s, and what was refused, %s", e.Serial, e.Name, e.Newest.Serial, strings.Join(serials, ", "))
}

// Resolve decides, in one transaction, which host goes on with a name of which two hosts have had the
// same certificate, given by the serial number of the certificate that it has: the newest of the
// lineage, or one that was presented by a key that was refused. The certificates of other keys in
// the lineage that are valid are revoked, and so are those which were presented. Then the alarm
// ends, until another key asks again. Errors: *NotClonedError, *ChoiceError, *RevokedError and
// *EndedError.
func (l *Ledger) Resolve(ctx context.Context, name, serial, why string) (Resolved, error) {
	if err := writableName(name, why); err != nil {
		return Resolved{}, fmt.Errorf("resolve: %w", err)
	}
	return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Resolved, error) {
		b, err := t.branches(ctx, name)
		if err != nil {
			return Resolved{}, err
		}
		r, err := b.choose(serial)
		if err != nil {
			return Resolved{}, err
		}
		err = t.keep(ctx, b, &r, why)
		return r, err
	})
}

// branches are what there is to choose from.
type branches struct {
	name      string
	newest    Certificate
	onlyKey   []byte        // of the lineage
	presented []Certificate // by the keys that were refused, each once
	clones    []Clone
}

// branches reads those of a name: of its lineage that another key has asked to renew.
func (t *transaction) branches(ctx context.Context, name string) (*branches, error) {
	all, err := t.openClones(ctx)
	if err != nil {
		return nil, err
	}
	held, err := t.certificates(ctx, "c.common_name = ? AND c.seq IN (SELECT newest FROM lineages WHERE common_name = ?) ORDER BY c.seq DESC", name, name)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(held, func(c Certificate) bool { return len(all[c.Lineage]) > 0 })
	if i < 0 {
		return nil, &NotClonedError{Name: name}
	}
	b := &branches{name: name, newest: held[i], clones: all[held[i].Lineage]}
	for _, c := range b.clones {
		if slices.ContainsFunc(b.presented, func(p Certificate) bool { return bytes.Equal(p.Fingerprint, c.Presented) }) {
			continue
		}
		p, err := t.certificate(ctx, "c.fingerprint = ?", c.Presented)
		if err != nil {
			return nil, err
		}
		if p != nil {
			b.presented = append(b.presented, *p)
		}
	}
	err = t.queryRow(ctx, "SELECT only_key FROM lineages WHERE id = ?", b.newest.Lineage).Scan(&b.onlyKey)
	return b, err
}

// choose returns the branch with a serial number.
func (b *branches) choose(serial string) (Resolved, error) {
	serial = strings.TrimLeft(strings.ToLower(strings.ReplaceAll(serial, ":", "")), "0")
	is := func(c Certificate) bool { return strings.TrimLeft(c.Serial, "0") == serial }
	r := Resolved{Kept: b.newest, Key: b.onlyKey}
	refused := &ChoiceError{Name: b.name, Serial: serial, Newest: b.newest, Presented: b.presented}
	if !is(b.newest) {
		i := slices.IndexFunc(b.presented, is)
		if i < 0 {
			return r, refused
		}
		r = Resolved{Kept: b.presented[i], Back: true}
		keys := map[string]bool{}
		for _, c := range b.clones {
			if bytes.Equal(c.Presented, r.Kept.Fingerprint) && c.Proof != "" {
				keys[string(c.Key)] = true
				r.Key, r.Address = c.Key, c.Address
			}
		}
		if refused.Keys = len(keys); refused.Keys > 1 {
			return r, refused
		}
	}
	if r.Kept.RevokedAt != nil {
		return r, r.Kept.revokedError()
	}
	return r, nil
}

// keep writes a decision.
func (t *transaction) keep(ctx context.Context, b *branches, r *Resolved, why string) error {
	body := resolveBody{Name: b.name, Keep: hex.EncodeToString(r.Kept.Fingerprint), Key: hex.EncodeToString(r.Key), Why: why}
	if _, err := t.append(ctx, kindResolve, body); err != nil {
		return err
	}
	if r.Back {
		err := t.send(ctx, one(setNewest, r.Kept.Seq, orNull(r.Key), r.Kept.Lineage), one(setUnreplaced, r.Kept.Seq))
		if err != nil {
			return err
		}
	}
	return t.endBranch(ctx, b, r, why)
}

// endBranch revokes the certificates of the branch that is not kept: as compromised, since another
// host has had the key, unless it is the key of the one that is kept.
func (t *transaction) endBranch(ctx context.Context, b *branches, r *Resolved, why string) error {
	all, err := t.certificates(ctx, "c.common_name = ? AND c.lineage = ? AND c.seq <> ? AND (c.revoked_at IS NULL OR c.reason = 6) ORDER BY c.seq", b.name, r.Kept.Lineage, r.Kept.Seq)
	if err != nil {
		return err
	}
	byReason := map[ca.Reason][]Certificate{}
	for _, c := range all {
		if !b.isOther(&c, r, t.now()) {
			continue
		}
		reason := ca.KeyCompromise
		if bytes.Equal(c.KeyHash, r.Kept.KeyHash) {
			reason = ca.Superseded
		}
		byReason[reason] = append(byReason[reason], c)
	}
	r.Revoked = slices.Concat(byReason[ca.KeyCompromise], byReason[ca.Superseded])
	return errors.Join(t.revokeAll(ctx, byReason[ca.KeyCompromise], ca.KeyCompromise, why), t.revokeAll(ctx, byReason[ca.Superseded], ca.Superseded, why))
}

// isOther reports whether a certificate of the lineage belongs to the branch that is not kept: what
// came after the one that is kept or, if that is the newest, what was presented and what else has its
// key. An expired one counts only if it can come back: it was the newest, or it was presented.
func (b *branches) isOther(c *Certificate, r *Resolved, now time.Time) bool {
	if r.Back {
		return c.Seq > r.Kept.Seq && (c.Seq == b.newest.Seq || !now.After(c.NotAfter))
	}
	return slices.ContainsFunc(b.presented, func(p Certificate) bool {
		return p.Seq == c.Seq || bytes.Equal(p.KeyHash, c.KeyHash) && !bytes.Equal(c.KeyHash, r.Kept.KeyHash) && !now.After(c.NotAfter)
	})
}

// openClones returns the renewals that were refused, by the lineage that they were about, without
// those that a later Resolve has settled.
func (s *session) openClones(ctx context.Context) (map[int64][]Clone, error) {
	entries, err := s.cloneEntries(ctx)
	if err != nil {
		return nil, err
	}
	open := map[int64][]Clone{}
	known := map[string]Certificate{} // by fingerprint
	for _, e := range entries {
		clone, err := e.cloneOrKept()
		if err != nil {
			return nil, err
		}
		newest, err := s.remembered(ctx, known, clone.Newest)
		if err != nil {
			return nil, err
		}
		if e.Kind == kindResolve {
			delete(open, newest.Lineage)
			continue
		}
		presented, err := s.remembered(ctx, known, clone.Presented)
		if err != nil {
			return nil, err
		}
		clone.Serial = presented.Serial
		open[newest.Lineage] = append(open[newest.Lineage], clone)
	}
	return open, nil
}

// cloneOrKept reads the entry of a refused renewal or, as the newest of a Clone, the certificate that
// was kept.
func (e *Entry) cloneOrKept() (c Clone, err error) {
	if e.Kind == kindClone {
		return e.clone()
	}
	var resolved resolveBody
	if err = e.decode(&resolved); err == nil {
		c.Newest, err = hex.DecodeString(resolved.Keep)
	}
	return c, err
}

// remembered returns a certificate, which is read once. One that is not there has no lineage.
func (s *session) remembered(ctx context.Context, known map[string]Certificate, fingerprint []byte) (Certificate, error) {
	if c, ok := known[string(fingerprint)]; ok {
		return c, nil
	}
	c, err := s.certificate(ctx, "c.fingerprint = ?", fingerprint)
	if c == nil || err != nil {
		return Certificate{}, err
	}
	known[string(fingerprint)] = *c
	return *c, nil
}

// cloneEntries returns the entries of refused renewals and of decisions about them, in order.
func (s *session) cloneEntries(ctx context.Context) ([]Entry, error) {
	rows, err := s.conn.QueryContext(ctx, readClones)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanEntry)
}

// OpenClones returns the renewals that were refused, since another key has the newest certificate, by
// the lineage that they were about, which may have ended since. Those that the operator has resolved
// are left out.
func (l *Ledger) OpenClones(ctx context.Context) (all map[int64][]Clone, err error) {
	err = l.read(ctx, func(s *session) error {
		all, err = s.openClones(ctx)
		return err
	})
	return all, err
}
