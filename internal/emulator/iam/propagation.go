package iam

import (
	"slices"
	"sync"
	"time"
)

// Propagation delays changes (IAMG troubleshoot_general, "Changes that I make are not always immediately visible").
// Decisions about sessions, permissions and access keys use what was before a change until the delay is over.
type Propagation struct {
	Delay      time.Duration
	StaleReads bool // operations that read are as late
	Now        func() time.Time
}

// propagation has the changes that are not in effect yet. It is safe for concurrent use.
type propagation struct {
	Propagation

	mu       sync.Mutex
	inEffect *data
	pending  []change // the oldest first
}

// change is a snapshot, and when it takes effect.
type change struct {
	data *data
	at   time.Time
}

// Propagate delays the changes from now on. It is called before the first call, if at all.
func (s *Store) Propagate(p Propagation) {
	s.propagation = &propagation{Propagation: p, inEffect: s.current.Load()}
}

// effective returns the snapshot that is in effect, given the current one.
func (s *Store) effective(current *data) *data {
	if s.propagation == nil {
		return current
	}
	return s.propagation.effective()
}

func (p *propagation) effective() *data {
	p.mu.Lock()
	defer p.mu.Unlock()
	for now := p.Now(); len(p.pending) > 0 && !now.Before(p.pending[0].at); p.pending = p.pending[1:] {
		p.inEffect = p.pending[0].data
	}
	return p.inEffect
}

// readable returns the snapshot that operations read.
func (s *Store) readable(current *data) *data {
	if s.propagation == nil || !s.propagation.StaleReads {
		return current
	}
	return s.propagation.effective()
}

// maxPending bounds the snapshots that are kept. Ours; AWS publishes nothing about many changes in a short time.
const maxPending = 1000

// announce makes a new snapshot take effect after the delay. Above maxPending, the oldest takes effect early.
func (s *Store) announce(d *data) {
	if p := s.propagation; p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pending = append(p.pending, change{d, p.Now().Add(p.Delay)})
		if len(p.pending) > maxPending {
			p.inEffect = p.pending[0].data
			p.pending = slices.Delete(p.pending, 0, 1) // which lets go of the snapshot
		}
	}
}

// settle makes everything take effect.
func (s *Store) settle() {
	if p := s.propagation; p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.inEffect, p.pending = s.current.Load(), nil
	}
}
