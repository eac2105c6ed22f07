package ledger

import (
	"context"
	"fmt"
	"time"

	"kedge/ca"
)

// The rules of a ledger are checked here, in the transaction that records, under the head
// lock: no other writer, in whatever process or on whatever machine, comes between a check and the
// row that depends on it.
//
//   - The issuer is an authority of the ledger, neither retired nor revoked and valid now, and so
//     is every authority above it that the ledger has: issuers.go.
//   - A key that was revoked as compromised is never certified again; after other reasons, only
//     if the operator allows it.
//   - A certificate replaces the newest of its lineage, and a name has one lineage: lineage.go.
//   - What hosts get by themselves has rules of its own: enrollment.go.

// rule is a query that runs before a certificate is inserted.
type rule struct {
	statement        // a SELECT; any other number of rows than its rows refuses the certificate
	refuse    reason // returns the error
}

// reason finds out why a rule refused a record, outside of the transaction. It returns nil if the
// rule would now allow it.
type reason func(context.Context, *session, *record) error

const (
	findCompromised = "SELECT c.seq FROM certificates c WHERE c.key_hash = ? AND c.revoked_at IS NOT NULL AND c.reason IN (1, 2) LIMIT 1"

	// superseded (4) is no objection to a key, nor is a revocation in a lineage that continues with
	// this key.
	findRevokedKey = `SELECT c.seq FROM certificates c WHERE c.key_hash = ? AND c.revoked_at IS NOT NULL AND c.reason NOT IN (1, 2, 4)
		AND NOT EXISTS (SELECT 1 FROM lineages l JOIN certificates n ON n.seq = l.newest
			WHERE l.id = c.lineage AND n.key_hash = c.key_hash AND n.revoked_at IS NULL AND n.not_after >= ?) LIMIT 1`
)

// rules returns the rules for a record.
func (t *transaction) rules(r *record) []rule {
	all := []rule{{statement{findCompromised, []any{r.row.KeyHash}, 0}, revokedKey(findCompromised, false)}}
	if !r.body.RevokedKey {
		now := t.now().UnixMicro()
		all = append(all, rule{statement{findRevokedKey, []any{r.row.KeyHash, now}, 0}, revokedKey(findRevokedKey, true, now)})
	}
	all = append(all, t.denialRules(r)...)
	all = append(all, t.lineageRules(r)...)
	all = append(all, t.enrollmentRules(r)...)
	return append(all, t.nameRules(r)...)
}

// revokedKey returns the reason that names the revoked certificate.
func revokedKey(find string, allowable bool, more ...any) reason {
	return func(ctx context.Context, s *session, r *record) error {
		c, err := s.certificate(ctx, "c.seq = ("+find+")", append([]any{r.row.KeyHash}, more...)...)
		if c == nil || err != nil {
			return err
		}
		return &RevokedKeyError{Subject: c.Subject, Serial: c.Serial, Reason: c.Reason, At: *c.RevokedAt, Allowable: allowable}
	}
}

// RevokedKeyError reports that a key is not certified, since a certificate of it was revoked.
type RevokedKeyError struct {
	Subject, Serial string // of that certificate
	Reason          ca.Reason
	At              time.Time // of the revocation
	Allowable       bool      // ca.Issued.AllowRevokedKey would allow it
}

func (e *RevokedKeyError) Error() string {
	what := "which is never certified again"
	if e.Allowable {
		what = "and is certified again only when that is allowed"
	}
	return fmt.Sprintf("the key is that of the certificate %q (serial %s), which was revoked on %s as %s, %s",
		e.Subject, e.Serial, e.At.UTC().Format(time.RFC3339), e.Reason, what)
}

// plan has the statements that write a record.
type plan struct {
	record     *record
	statements []statement
	first      int // their index among those of the batch
	rules      []rule
	insert     int // the statement that inserts the certificate
	end        int // the one that ends other lineages of the name; 0: none
}

// plan returns the statements of a record: its rules, and its changes.
func (t *transaction) plan(r *record, first int) (*plan, error) {
	p := &plan{record: r, first: first, rules: t.rules(r)}
	for _, rule := range p.rules {
		p.statements = append(p.statements, rule.statement)
	}
	writes, insert, err := r.statements(t, kindIssue)
	if err != nil {
		return nil, err
	}
	p.insert = len(p.statements) + insert
	p.statements = append(p.statements, writes...)
	if r.row.Kind == Leaf {
		if len(r.row.Replaces) == 0 { // a renewal ends none
			p.end = len(p.statements)
		}
		p.statements = append(p.statements, r.lineageStatements()...)
	}
	return p, nil
}

// refusedRecord is a record that a rule refused, before the reason is known.
type refusedRecord struct {
	record *record
	reason reason
}

func (r *refusedRecord) Error() string {
	return fmt.Sprintf("the certificate %q is refused", r.record.row.Subject)
}

// judge evaluates the results of a plan's statements: refused means that the record is not to be
// written.
func (p *plan) judge(t *transaction, changed []int64) (refused, err error) {
	changed = changed[p.first:]
	for i, rule := range p.rules {
		if changed[i] != rule.rows {
			return &refusedRecord{p.record, rule.refuse}, nil
		}
	}
	if changed[p.insert] != 1 {
		return &refusedRecord{p.record, duplicate}, nil
	}
	for i, s := range p.statements {
		if err := t.exact(s, changed[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// receipt returns what a record changed.
func (t *transaction) receipt(ctx context.Context, p *plan, changed []int64) (Receipt, error) {
	r := Receipt{Seq: p.record.row.Seq, At: p.record.row.IssuedAt}
	if p.end == 0 || changed[p.first+p.end] == 0 {
		return r, nil
	}
	row := &p.record.row
	where, args := "c.common_name = ? AND c.subject = ?", []any{row.CommonName, row.Subject}
	if p.record.byToken() { // it ends the lineages of other subjects as well
		where, args = "c.common_name = ?", args[:1]
	}
	all, err := t.certificates(ctx, where+` AND c.kind = 'leaf' AND c.revoked_at IS NULL AND c.not_after >= ? AND c.key_hash <> ?
		ORDER BY c.seq DESC LIMIT ?`, append(args, t.now().UnixMicro(), row.KeyHash, int64(maxEnded))...)
	r.Ended = all
	return r, err
}
