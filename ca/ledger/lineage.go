package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/ca"
)

// Leaves that replace one another form a lineage. The table lineages has the newest
// certificate of each lineage that can be renewed: a name has one, and issuing the name to
// another key, without replacing anything, starts a new one and ends the others.
//
// A renewal presents the certificate that it replaces. If that is the newest, it is renewed.
// If it is not, but the key is that of the newest, then an answer was lost, and the newest
// is returned. Otherwise two hosts have the same key or certificate: a clone, which resolve.go ends.

const (
	// insertNext is insertCertificate for a leaf that replaces none. It joins the lineage of its
	// name if that has its key, and starts one otherwise.
	insertNext = insertColumns + `coalesce((SELECT l.id FROM lineages l JOIN certificates n ON n.seq = l.newest
		WHERE l.name = ? AND n.key_hash = ? ORDER BY l.id DESC LIMIT 1), ?)) ON CONFLICT DO NOTHING`
	insertRenewal = insertColumns + "(SELECT o.lineage FROM certificates o WHERE o.fingerprint = ?)) ON CONFLICT DO NOTHING"

	endLineages   = "DELETE FROM lineages WHERE name = ? AND id <> (SELECT lineage FROM certificates WHERE seq = ?)"
	insertLineage = `INSERT INTO lineages (id, name, newest, old, common_name, recoveries) SELECT lineage, subject, seq, 0, common_name, 0 FROM certificates WHERE seq = ?
		ON CONFLICT (id) DO UPDATE SET newest = excluded.newest, only_key = NULL`
	updateLineage = "UPDATE lineages SET newest = ?, only_key = NULL WHERE id = (SELECT lineage FROM certificates WHERE seq = ?)"

	findNewest = "SELECT l.id FROM lineages l JOIN certificates o ON o.seq = l.newest WHERE o.fingerprint = ? AND l.name = ? AND o.revoked_at IS NULL AND (l.only_key IS NULL OR l.only_key = ?)"
	findSame   = `SELECT n.seq FROM lineages l JOIN certificates n ON n.seq = l.newest
		WHERE l.name = ? AND n.key_hash = ? AND n.issuer_key = ? AND n.revoked_at IS NULL AND n.not_after >= ?`
	// findClones counts those with the beginning of an entry, and all with its newest certificate, whose
	// entry they follow, and since that was kept.
	findClones = `SELECT count(CASE WHEN substr(e.body, 1, CAST(? AS INTEGER)) = ? THEN 1 END), count(*)
		FROM entries e WHERE e.kind <> 'issue' AND e.seq > ? AND e.kind = ? AND e.body LIKE ?
		AND e.seq > (SELECT COALESCE(max(r.seq), 0) FROM entries r WHERE r.kind <> 'issue' AND r.kind = 'resolve' AND r.body LIKE ?)`
	findSameCA = `SELECT max(c.seq) AS seq FROM certificates c
		WHERE c.subject = ? AND c.key_hash = ? AND c.issuer_key = ? AND c.revoked_at IS NULL AND c.not_after >= ? AND c.kind <> 'leaf' HAVING max(c.seq) IS NOT NULL`
)

// lineageRules returns the rules about a certificate and the others with its name.
func (t *transaction) lineageRules(r *record) []rule {
	row := &r.row
	switch {
	case row.Kind == Leaf && len(row.Replaces) != 0:
		return []rule{{statement{findNewest, []any{row.Replaces, row.Subject, row.KeyHash}, 1}, notNewest}}
	case row.Kind == Leaf && r.once:
		return []rule{t.once(r, findSame)}
	case r.once:
		return []rule{t.once(r, findSameCA)}
	}
	return nil
}

// once refuses a certificate if there is a valid one already.
func (t *transaction) once(r *record, find string) rule {
	args := []any{r.row.Subject, r.row.KeyHash, r.row.IssuerKey, t.now().UnixMicro()}
	return rule{statement{find, args, 0}, func(ctx context.Context, s *session, _ *record) error {
		c, err := s.certificate(ctx, "c.seq = ("+find+")", args...)
		if c == nil || err != nil {
			return err
		}
		return &AnsweredError{Newest: *c}
	}}
}

// insertLeaf returns the statement that inserts a leaf.
func (r *record) insertLeaf() statement {
	row := &r.row
	if len(row.Replaces) != 0 {
		return some(insertRenewal, append(r.values(), row.Replaces)...)
	}
	return some(insertNext, append(r.values(), row.Subject, row.KeyHash, row.Seq)...)
}

// lineageStatements returns the changes of a leaf to lineages. The first ends others.
func (r *record) lineageStatements() []statement {
	row := &r.row
	switch {
	case r.countsLate():
		return []statement{one(updateRecovered, row.Seq, row.IssuedAt.UnixMicro(), row.Seq)}
	case len(row.Replaces) != 0:
		return []statement{one(updateLineage, row.Seq, row.Seq)}
	case r.byToken():
		return []statement{some(endNamed, row.CommonName, row.Seq), one(insertLineage, row.Seq), one(insertUse, r.enrollment.Token, row.KeyHash, row.Seq)}
	}
	return []statement{some(endLineages, row.Subject, row.Seq), one(insertLineage, row.Seq)}
}

// AnsweredError reports that a certificate was not issued, since the key has the newest of the
// lineage already: the answer to an earlier request was lost, or another process was faster.
type AnsweredError struct{ Newest Certificate }

func (e *AnsweredError) Error() string {
	return fmt.Sprintf("the key has a certificate %q already, serial %s", e.Newest.Subject, e.Newest.Serial)
}

// CloneError reports that a certificate is not renewed, since another key has the newest of its
// lineage: two hosts have had the same key and certificate. The ledger records it.
type CloneError struct {
	Presented Certificate // the one to be renewed
	Newest    Certificate
	Key       []byte // ca.KeyHash of the requester's key
	Noted     bool   // the ledger has an entry about it since this request
}

func (e *CloneError) Error() string {
	if e.Presented.Seq == e.Newest.Seq { // after Resolve
		return fmt.Sprintf("the certificate %q, serial %s, is renewed by another key alone: a copy of it is in use elsewhere", e.Presented.Subject, e.Presented.Serial)
	}
	return fmt.Sprintf("the certificate %q, serial %s, was replaced by serial %s, which has another key: a copy of it is in use elsewhere",
		e.Presented.Subject, e.Presented.Serial, e.Newest.Serial)
}

// EndedError reports that a certificate is not renewed, since its name was issued to another key.
type EndedError struct {
	Presented Certificate
	By        *Certificate // the newest of the name; nil if there is none
}

func (e *EndedError) Error() string {
	text := fmt.Sprintf("the certificate %q, serial %s, can no longer be renewed", e.Presented.Subject, e.Presented.Serial)
	if e.By != nil {
		text += fmt.Sprintf(": its name was issued to another key on %s, serial %s", e.By.IssuedAt.Format(time.RFC3339), e.By.Serial)
	}
	return text
}

// notNewest finds out why a certificate cannot be replaced.
func notNewest(ctx context.Context, s *session, r *record) error {
	presented, err := s.certificate(ctx, "c.fingerprint = ?", r.row.Replaces)
	switch {
	case err != nil:
		return err
	case presented == nil:
		return &NotFoundError{What: fmt.Sprintf("a certificate with the SHA-256 %x, to be renewed,", r.row.Replaces)}
	case presented.Subject != r.row.Subject:
		return fmt.Errorf("the certificate %q cannot replace one of another name, %q", r.row.Subject, presented.Subject)
	case presented.RevokedAt != nil:
		return presented.revokedError()
	}
	newest, onlyKey, err := s.newest(ctx, presented)
	switch {
	case err != nil:
		return err
	case newest.RevokedAt != nil:
		return newest.revokedError()
	case newest.Seq == presented.Seq:
		if onlyKey == nil || bytes.Equal(onlyKey, r.row.KeyHash) {
			return nil
		}
	case bytes.Equal(newest.KeyHash, r.row.KeyHash):
		return &AnsweredError{Newest: *newest}
	}
	return &CloneError{Presented: *presented, Newest: *newest, Key: r.row.KeyHash}
}

// newest returns the newest certificate of the lineage of a leaf, and the only key that can renew it,
// nil for any. A lineage that has ended is an *EndedError.
func (s *session) newest(ctx context.Context, leaf *Certificate) (newest *Certificate, onlyKey []byte, err error) {
	newest, err = s.certificate(ctx, "c.seq = (SELECT newest FROM lineages WHERE id = ?)", leaf.Lineage)
	if err != nil {
		return nil, nil, err
	}
	if newest != nil {
		err = s.queryRow(ctx, "SELECT only_key FROM lineages WHERE id = ?", leaf.Lineage).Scan(&onlyKey)
		return newest, onlyKey, err
	}
	by, err := s.certificate(ctx, "c.seq = (SELECT max(newest) FROM lineages WHERE name = ?)", leaf.Subject)
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, &EndedError{Presented: *leaf, By: by}
}

// cloneBody is the entry of a refused renewal.
type cloneBody struct {
	Subject   string `json:"subject"`
	Presented string `json:"presented"`         // fingerprint of the one to be renewed
	Newest    string `json:"newest"`            // fingerprint
	Key       string `json:"key"`               // ca.KeyHash of the requester's key
	Proof     string `json:"proof,omitempty"`   // of a host that asked a server; absent if the operator asked at the CA
	Address   string `json:"address,omitempty"` // of the requester
}

// maxClones is how many refused renewals are recorded while a certificate is the newest, and again
// after each Resolve: the key of an older one is enough to ask with new keys without end, and entries
// are never deleted. The alarm is one for a name, and lasts until Resolve.
const maxClones = 32

// noteClone records a refused renewal if err is that, and returns err. The same request is recorded
// once: see recordClone. If it cannot be recorded, the error is that alone: the host is to ask again, so
// that the alarm is not lost.
func (l *Ledger) noteClone(ctx context.Context, err error, by *ca.Enrollment) error {
	if clone, ok := errors.AsType[*CloneError](err); ok {
		if failed := l.recordClone(ctx, clone, by); failed != nil {
			return failed
		}
	}
	return err
}

// recordClone records a refused renewal; once for each key and newest certificate, from whatever
// address, as long as there are fewer than maxClones.
func (l *Ledger) recordClone(ctx context.Context, e *CloneError, by *ca.Enrollment) error {
	body := cloneBody{Subject: e.Presented.Subject, Presented: hex.EncodeToString(e.Presented.Fingerprint), Newest: hex.EncodeToString(e.Newest.Fingerprint), Key: hex.EncodeToString(e.Key)}
	if by != nil {
		body.Proof = by.Proof
	}
	text, err := encode(body)
	if err != nil {
		return err
	}
	start := strings.TrimSuffix(text, "}") // the address would follow
	body.Address = addressOf(by)
	noted, err := aloneFor(ctx, l, func(ctx context.Context, t *transaction) (bool, error) {
		var same, all int64
		err := t.queryRow(ctx, findClones, int64(utf8.RuneCountInString(start)), start, e.Newest.Seq, kindClone, `%"newest":"`+body.Newest+`"%`, `%"keep":"`+body.Newest+`"%`).Scan(&same, &all)
		if same != 0 || all >= maxClones || err != nil {
			return false, err
		}
		_, err = t.append(ctx, kindClone, body)
		return err == nil, err
	})
	e.Noted = noted
	return err
}

// Newest returns the newest certificate of the lineage of a leaf, possibly the leaf itself. A
// lineage that has ended is an *EndedError.
func (l *Ledger) Newest(ctx context.Context, c Certificate) (Certificate, error) {
	for newest, err := range l.selected(ctx, "c.seq = (SELECT newest FROM lineages WHERE id = ?)", c.Lineage) {
		return newest, err
	}
	e := &EndedError{Presented: c}
	for by, err := range l.selected(ctx, "c.seq = (SELECT max(newest) FROM lineages WHERE name = ?)", c.Subject) {
		if err != nil {
			return Certificate{}, err
		}
		e.By = &by
	}
	return Certificate{}, e
}

// selected yields the certificates that match a condition.
func (l *Ledger) selected(ctx context.Context, where string, args ...any) iter.Seq2[Certificate, error] {
	return each(ctx, l, scanCertificate, "SELECT "+certificateColumns+" FROM certificates c WHERE "+where, args...)
}
