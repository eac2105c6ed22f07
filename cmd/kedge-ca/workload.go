package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger"
)

// workload is a host with one of its names, by its newest valid certificate: what has to move
// when the root changes.
type workload struct {
	ledger.Certificate
	authority string // that issued it; empty when the ledger does not know it
	moved     bool   // to the root that was asked about
}

// workloads returns all of them, host by host, and whether they are below a root.
func (s *store) workloads(ctx context.Context, r *rotation, root string) iter.Seq2[workload, error] {
	authorities := r.byKey()
	return func(yield func(workload, error) bool) {
		var newest []workload // of one host
		flush := func() bool {
			for _, w := range newest {
				if !yield(w, nil) {
					return false
				}
			}
			newest = newest[:0]
			return true
		}
		for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, State: ledger.Valid, Host: "*"}) {
			if err != nil {
				yield(workload{}, err)
				return
			}
			if len(newest) > 0 && newest[0].Host != c.Host && !flush() {
				return
			}
			c.DER = nil
			w := workload{Certificate: c, authority: authorities[c.IssuerKeyID]}
			w.moved = w.authority != "" && r.rootOf(w.authority) == root
			i := slices.IndexFunc(newest, func(other workload) bool { return other.Subject == c.Subject })
			switch {
			case i < 0:
				newest = append(newest, w)
			case newest[i].Seq < c.Seq:
				newest[i] = w
			}
		}
		flush()
	}
}

// movedAt is when a workload got its first certificate below a root; the zero time if it has
// none.
func (s *store) movedAt(ctx context.Context, r *rotation, root string, w workload) (time.Time, error) {
	var first time.Time
	for _, a := range r.below(root) {
		key := hex.EncodeToString(a.Certificate.SubjectKeyId)
		for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, Host: w.Host, Subject: w.Subject, Issuer: key, Limit: 1}) {
			if err != nil {
				return first, err
			}
			if first.IsZero() || c.IssuedAt.Before(first) {
				first = c.IssuedAt
			}
		}
	}
	return first, nil
}

// tally counts hosts. One has moved when all its names have.
type tally struct {
	moved, remaining int
	named            []string  // the first that remain
	until            time.Time // when the last certificate of those that remain ends
}

// maxRemaining is how many hosts a question names.
const maxRemaining = 5

// tally counts the hosts that are below a root, and those that are not.
func (s *store) tally(ctx context.Context, r *rotation, root string) (tally, error) {
	var t tally
	host, seen, remains := "", false, false
	end := func() {
		switch {
		case !seen:
			return
		case !remains:
			t.moved++
			return
		}
		if t.remaining++; len(t.named) < maxRemaining {
			t.named = append(t.named, host)
		}
	}
	for w, err := range s.workloads(ctx, r, root) {
		if err != nil {
			return t, err
		}
		if w.Host != host || !seen {
			end()
			host, seen, remains = w.Host, true, false
		}
		if !w.moved {
			remains = true
			if w.NotAfter.After(t.until) {
				t.until = w.NotAfter
			}
		}
	}
	end()
	return t, nil
}

// names lists those that remain, for a person.
func (t tally) names() string {
	text := strings.Join(t.named, ", ")
	if n := t.remaining - len(t.named); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
