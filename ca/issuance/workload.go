package issuance

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	"kedge/ca/ledger"
)

// Workload is a host and one of its names, with the newest valid certificate: the unit that moves
// when the root changes.
type Workload struct {
	ledger.Certificate
	Authority string // its issuer; empty if the ledger does not have it
	Moved     bool   // to the given root
}

// Workloads returns the workloads of all hosts, host by host, with Moved set for those below a
// root.
func (s *Service) Workloads(ctx context.Context, r *Rotation, root string) iter.Seq2[Workload, error] {
	authorities := r.byKey()
	return func(yield func(Workload, error) bool) {
		var newest []Workload // of one host
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
				yield(Workload{}, err)
				return
			}
			if len(newest) > 0 && newest[0].Host != c.Host && !flush() {
				return
			}
			c.DER = nil
			w := Workload{Certificate: c, Authority: authorities[string(c.IssuerKey)]}
			w.Moved = w.Authority != "" && r.rootOf(w.Authority) == root
			i := slices.IndexFunc(newest, func(other Workload) bool { return other.Subject == c.Subject })
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

// MovedAt returns when a workload got its first certificate below a root; the zero time if it has
// none.
func (s *Service) MovedAt(ctx context.Context, r *Rotation, root string, w Workload) (time.Time, error) {
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

// Movement is a workload, and when it moved.
type Movement struct {
	Workload
	At time.Time // zero if it has not moved
}

// Movements adds to workloads the time at which they moved.
func (s *Service) Movements(ctx context.Context, r *Rotation, root string, all iter.Seq2[Workload, error]) iter.Seq2[Movement, error] {
	return func(yield func(Movement, error) bool) {
		for w, err := range all {
			m := Movement{Workload: w}
			if err == nil && w.Moved {
				m.At, err = s.MovedAt(ctx, r, root, w)
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Tally counts hosts. One has moved when all its names have.
type Tally struct {
	Moved, Remaining int
	Named            []string  // the first 20 that remain
	Until            time.Time // when the last of their certificates expires
}

const (
	maxRemaining = 5  // bounds the names in a sentence
	maxNamed     = 20 // bounds Tally.Named
)

// Tally counts the hosts that are below a root, and those that are not.
func (s *Service) Tally(ctx context.Context, r *Rotation, root string) (Tally, error) {
	var t Tally
	host, seen, remains := "", false, false
	end := func() {
		switch {
		case !seen:
			return
		case !remains:
			t.Moved++
			return
		}
		if t.Remaining++; len(t.Named) < maxNamed {
			t.Named = append(t.Named, host)
		}
	}
	for w, err := range s.Workloads(ctx, r, root) {
		if err != nil {
			return t, err
		}
		if w.Host != host || !seen {
			end()
			host, seen, remains = w.Host, true, false
		}
		if !w.Moved {
			remains = true
			if w.NotAfter.After(t.Until) {
				t.Until = w.NotAfter
			}
		}
	}
	end()
	return t, nil
}

// Names lists those that remain, for a sentence: the first few, and how many more.
func (t Tally) Names() string { return someOf(t.Named, maxRemaining, t.Remaining) }

// AllNames is Names with all of Named.
func (t Tally) AllNames() string { return someOf(t.Named, maxNamed, t.Remaining) }

// Need describes which hosts need a root, as the end of a sentence: "2 hosts need (a, b)". It is empty if
// none does.
func (t Tally) Need() string { return t.say("needs", "need", "", t.Names()) }

// LeftBehind is Need for a root that is retired: "2 hosts are left behind (a, b)".
func (t Tally) LeftBehind() string { return t.say("is", "are", " left behind", t.AllNames()) }

func (t Tally) say(one, many, rest, names string) string {
	switch t.Remaining {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 host %s%s (%s)", one, rest, names)
	}
	return fmt.Sprintf("%d hosts %s%s (%s)", t.Remaining, many, rest, names)
}
