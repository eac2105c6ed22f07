//go:build cgo && unix

package main

import (
	"errors"
	"sync"

	"github.com/miekg/pkcs11"
)

// maxSessions is how many operations a token works on at the same time. A network HSM takes
// milliseconds for each; a local one gains nothing from more.
const maxSessions = 16

// sessionsOf returns how many sessions a module is given at the same time. tpm2-pkcs11 mixes up those
// that sign at once, with CKR_OPERATION_NOT_INITIALIZED, and crashes when one of them is closed; and a
// TPM works on one command at a time anyway.
func sessionsOf(info pkcs11.Info) int {
	if unpad(info.ManufacturerID) == "tpm2-software.github.io" {
		return 1
	}
	return maxSessions
}

// pool holds the sessions of a slot. They stay open: the last one to be closed logs out.
type pool struct {
	c       *pkcs11.Ctx
	slot    uint
	tickets chan struct{} // taken by each session in use
	mu      sync.Mutex    // guards the rest
	idle    []pkcs11.SessionHandle
	open    int
	closed  bool       // forgotten: what comes back is closed
	auth    sync.Mutex // one login at a time
}

func newPool(c *pkcs11.Ctx, slot uint64, sessions int) *pool {
	return &pool{c: c, slot: uint(slot), tickets: make(chan struct{}, sessions)}
}

// session takes a session: an idle one, a new one, or the next to become idle where the token
// has no more. Give it back with put.
func (p *pool) session() (pkcs11.SessionHandle, error) {
	p.tickets <- struct{}{}
	for {
		if s, ok := p.takeIdle(); ok {
			return s, nil
		}
		s, err := p.c.OpenSession(p.slot, pkcs11.CKF_SERIAL_SESSION)
		if err == nil {
			p.mu.Lock()
			p.open++
			p.mu.Unlock()
			return s, nil
		}
		if !errors.Is(err, pkcs11.Error(pkcs11.CKR_SESSION_COUNT)) || !p.shrink() {
			<-p.tickets
			return 0, failed("C_OpenSession", err)
		}
	}
}

// shrink keeps the caller's ticket for good, and waits for that of another, whose session is
// idle then. It returns false where there is no other.
func (p *pool) shrink() bool {
	p.mu.Lock()
	others := p.open > 0
	p.mu.Unlock()
	if others {
		p.tickets <- struct{}{}
	}
	return others
}

func (p *pool) takeIdle() (pkcs11.SessionHandle, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return 0, false
	}
	s := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return s, true
}

// put gives a session back after a call that ended with err. One that may be in the middle
// of something is replaced, the new one first: the last one to be closed logs out.
func (p *pool) put(s pkcs11.SessionHandle, err error) {
	defer func() { <-p.tickets }()
	if err != nil {
		fresh, openErr := p.c.OpenSession(p.slot, pkcs11.CKF_SERIAL_SESSION)
		p.c.CloseSession(s)
		if openErr != nil {
			p.mu.Lock()
			p.open--
			p.mu.Unlock()
			return
		}
		s = fresh
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.c.CloseSession(s)
		return
	}
	p.idle = append(p.idle, s)
}

// close is for a pool whose sessions are about to be closed.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.idle = true, nil
}

// use runs f with a session.
func (p *pool) use(f func(pkcs11.SessionHandle) error) error {
	s, err := p.session()
	if err != nil {
		return err
	}
	err = f(s)
	p.put(s, err)
	return err
}

// useWritable runs f with a session that may change the token, and closes it.
func (p *pool) useWritable(f func(pkcs11.SessionHandle) error) error {
	s, err := p.c.OpenSession(p.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return failed("C_OpenSession", err)
	}
	defer p.c.CloseSession(s)
	return f(s)
}
