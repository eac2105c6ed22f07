package ledger

import (
	"context"
	"errors"
	"fmt"
)

// insert writes certificates, and returns those that are refused.
func (t *transaction) insert(ctx context.Context, batch []*job) (map[int]error, error) {
	issuers, spending, err := t.terms(ctx, batch)
	if err != nil {
		return nil, err
	}
	refused := map[int]error{}
	plans := make([]*plan, len(batch))
	names := map[string]bool{}
	var all [][]statement
	first := 0
	for i, j := range batch {
		if !j.record.isFirst(names) {
			refused[i] = errors.New("another of this name comes first")
			continue
		}
		refusal := issuers.check(j.record, t.now())
		if refusal == nil {
			if refusal, err = spending.check(ctx, t, j.record); err != nil {
				return nil, err
			}
		}
		if refusal != nil {
			refused[i] = refusal
			continue
		}
		if plans[i], err = t.plan(j.record, first); err != nil {
			return nil, err
		}
		all = append(all, plans[i].statements)
		first += len(plans[i].statements)
	}
	head := t.head()
	changed, err := t.sendByText(ctx, append(all, []statement{head}))
	if err == nil {
		err = t.exact(head, changed[first])
	}
	if err != nil {
		return nil, err
	}
	for i, p := range plans {
		if p == nil {
			continue
		}
		refusal, err := p.judge(t, changed)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			refused[i] = refusal
			continue
		}
		if batch[i].receipt, err = t.receipt(ctx, p, changed); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// insertOne writes a certificate in a transaction that does more, and finds out why it is refused.
func (t *transaction) insertOne(ctx context.Context, j *job) error {
	refused, err := t.insert(ctx, []*job{j})
	if err == nil && refused[0] != nil {
		refused[0], err = t.explain(ctx, refused[0])
	}
	return errors.Join(err, refused[0])
}

// duplicate finds out which part of a certificate is in the ledger already.
func duplicate(ctx context.Context, s *session, r *record) error {
	c := &r.row
	for _, one := range []struct {
		where string
		args  []any
		what  string
	}{
		{"c.fingerprint = ?", []any{c.Fingerprint}, fmt.Sprintf("the certificate %q (SHA-256 %x)", c.Subject, c.Fingerprint)},
		{"c.serial = ? AND c.issuer_key_id = ?", []any{c.serial, c.keyID}, fmt.Sprintf("the serial number %s of the issuer %q", c.Serial, c.Issuer)},
	} {
		found, err := s.certificate(ctx, one.where, one.args...)
		if err != nil {
			return err
		}
		if found != nil {
			return &DuplicateError{What: one.what}
		}
	}
	return &BrokenError{Where: s.e.where, Err: fmt.Errorf("it did not take the certificate %q: its place in the chain is taken, or another hand keeps it out", c.Subject)}
}
