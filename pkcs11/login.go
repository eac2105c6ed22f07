package pkcs11

import (
	"context"
	"fmt"
	"sync"

	"kedge/internal/wire"
)

// slotState is the state of the sessions of a process with a slot.
type slotState struct {
	mu       sync.Mutex // guards the rest; held during a login
	loggedIn bool
	tried    bool // to log in
	epoch    int  // counts how often the sessions were given up
}

func (p *process) state(slot uint64) *slotState {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slots[slot] == nil {
		p.slots[slot] = &slotState{}
	}
	return p.slots[slot]
}

func (s *slotState) currentEpoch() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// forget gives up the sessions of a slot, unless somebody did so since epoch. A process with
// which even that fails has nothing to offer any more.
func (p *process) forget(ctx context.Context, slot uint64, epoch int) {
	s := p.state(slot)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != epoch {
		return
	}
	s.epoch++
	s.loggedIn = false
	// Without its token a slot has no sessions: that it says so is no news.
	p.call(ctx, &wire.Request{Op: wire.OpForget, Slot: slot})
}

// login logs in to the token, as it was listed just now, if it wants that and it was not done. The
// URI may say the PIN.
// A PIN is tried once: the error is a *PINError then.
func (m *Module) login(ctx context.Context, p *process, t wire.Slot, u URI) error {
	s := p.state(t.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loggedIn || t.Flags&flagLoginRequired == 0 {
		return nil
	}
	if s.tried { // since the token was listed, perhaps
		t.Flags = p.flags(ctx, t)
	}
	s.tried = true
	info := PINInfo{Token: t.Label, Serial: t.Serial, Retries: retriesOf(t.Flags)}
	switch {
	case t.Flags&flagUserPINInitialized == 0 && t.Flags&flagProtectedPath == 0:
		return fmt.Errorf("token %q: has no user PIN yet", t.Label)
	case info.Retries == RetriesNone:
		return &PINError{Token: t.Label, Retries: RetriesNone, Reason: "was not tried"}
	}
	q := &wire.Request{Op: wire.OpLogin, Slot: t.ID}
	if err := m.authenticate(ctx, q, tokenPIN{t, u, info}); err != nil {
		return err
	}
	_, err := p.call(ctx, q)
	err = m.judge(ctx, &place{p: p, token: t}, q, info, err)
	clear(q.PIN)
	s.loggedIn = err == nil
	return err
}

// flags asks for the flags of a token as they are now.
func (p *process) flags(ctx context.Context, t wire.Slot) uint64 {
	if a, err := p.call(ctx, &wire.Request{Op: wire.OpSlots}); err == nil {
		for _, s := range a.Slots {
			if s.ID == t.ID {
				return s.Flags
			}
		}
	}
	return t.Flags
}

// tokenPIN is the PIN of a token, and where it may be.
type tokenPIN struct {
	token wire.Slot
	uri   URI
	info  PINInfo
}

// authenticate fills in how the request logs in.
func (m *Module) authenticate(ctx context.Context, q *wire.Request, t tokenPIN) error {
	if m.o.SpareLast && t.info.Retries == RetriesOne {
		return &PINError{Token: t.info.Token, Retries: RetriesOne, Reason: "was not tried"}
	}
	if t.token.Flags&flagProtectedPath != 0 && !t.uri.hasPIN() {
		q.Auth = wire.AuthPad
		return nil
	}
	q.Auth = wire.AuthPIN
	var err error
	q.PIN, err = m.pin(ctx, t.uri, t.info)
	return err
}

// judge turns the refusal of a PIN into a *PINError with what the token says is left, and
// remembers the PIN as the token judged it.
func (m *Module) judge(ctx context.Context, at *place, q *wire.Request, info PINInfo, err error) error {
	switch {
	case err == nil:
		if (m.o.ReusePIN || m.o.Brief) && q.Auth == wire.AuthPIN {
			m.pins.keep(info.account(), q.PIN)
		}
		return nil
	case !hasCode(err, codePINIncorrect, codePINInvalid, codePINLenRange, codePINExpired, codePINLocked):
		if info.Key != "" {
			return err
		}
		return fmt.Errorf("log in to token %q: %w", info.Token, err)
	}
	if q.Auth == wire.AuthPIN {
		m.pins.refuse(info.account(), q.PIN)
	}
	refused := &PINError{Token: info.Token, Retries: retriesOf(at.p.flags(ctx, at.token)), Reason: err.Error()}
	if hasCode(err, codePINLocked) {
		refused.Retries = RetriesNone
	}
	return refused
}
