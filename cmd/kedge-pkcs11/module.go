//go:build cgo && unix

package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"

	"kedge/internal/wire"
)

// module is a loaded one. Its methods may be called by several goroutines.
type module struct {
	c        *pkcs11.Ctx
	sessions int        // of a slot, at the same time
	mu       sync.Mutex // guards pools
	pools    map[uint64]*pool
}

func load(path string, a *wire.Response) (*module, error) {
	c := pkcs11.New(path)
	if c == nil {
		return nil, loadError(path)
	}
	if err := c.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return nil, failed("C_Initialize", err)
	}
	info, err := c.GetInfo()
	if err != nil {
		return nil, failed("C_GetInfo", err)
	}
	a.Library = wire.Library{
		Manufacturer: unpad(info.ManufacturerID), Description: unpad(info.LibraryDescription),
		Major: uint64(info.LibraryVersion.Major), Minor: uint64(info.LibraryVersion.Minor),
	}
	return &module{c: c, sessions: sessionsOf(info), pools: map[uint64]*pool{}}, nil
}

func (m *module) do(q *wire.Request, a *wire.Response) error {
	switch q.Op {
	case wire.OpSlots:
		return m.slots(a)
	case wire.OpFind:
		return m.find(q, a)
	case wire.OpLogin:
		return m.login(q)
	case wire.OpSign:
		return m.sign(q, a)
	case wire.OpGenerate:
		return m.generate(q, a)
	case wire.OpCreate:
		return m.create(q, a)
	case wire.OpDestroy:
		return m.destroy(q)
	case wire.OpForget:
		return m.forget(q.Slot)
	}
	return fmt.Errorf("request %d is not known", q.Op)
}

// pool returns the sessions of a slot.
func (m *module) pool(slot uint64) *pool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pools[slot] == nil {
		m.pools[slot] = newPool(m.c, slot, m.sessions)
	}
	return m.pools[slot]
}

// forget closes every session of a slot, which logs out. The calls under way fail.
func (m *module) forget(slot uint64) error {
	m.mu.Lock()
	if p := m.pools[slot]; p != nil {
		p.close()
	}
	delete(m.pools, slot)
	m.mu.Unlock()
	return failed("C_CloseAllSessions", m.c.CloseAllSessions(uint(slot)))
}

// slots lists the slots that have a token. One whose token goes away meanwhile is left out.
func (m *module) slots(a *wire.Response) error {
	ids, err := m.c.GetSlotList(true)
	if err != nil {
		return failed("C_GetSlotList", err)
	}
	for _, id := range ids {
		slot, err := m.c.GetSlotInfo(id)
		if err != nil {
			continue
		}
		token, err := m.c.GetTokenInfo(id)
		if err != nil {
			continue
		}
		mechanisms, err := m.c.GetMechanismList(id)
		if err != nil {
			continue
		}
		s := wire.Slot{
			ID: uint64(id), Description: unpad(slot.SlotDescription), Manufacturer: unpad(slot.ManufacturerID),
			Label: unpad(token.Label), TokenManufacturer: unpad(token.ManufacturerID), Model: unpad(token.Model),
			Serial: unpad(token.SerialNumber), Flags: uint64(token.Flags), MaxSessions: uint64(token.MaxSessionCount),
		}
		for _, mechanism := range mechanisms {
			s.Mechanisms = append(s.Mechanisms, uint64(mechanism.Mechanism))
		}
		a.Slots = append(a.Slots, s)
	}
	return nil
}
