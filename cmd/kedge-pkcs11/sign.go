//go:build cgo && unix

package main

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"kedge/internal/wire"
)

// login logs the user in. One session of the pool carries it for all others.
func (m *module) login(q *wire.Request) error {
	p := m.pool(q.Slot)
	p.auth.Lock()
	defer p.auth.Unlock()
	return p.use(func(s pkcs11.SessionHandle) error {
		err := m.c.Login(s, pkcs11.CKU_USER, pinOf(q))
		if errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
			return nil
		}
		return failed("C_Login", err)
	})
}

// sign makes one signature. A key with CKA_ALWAYS_AUTHENTICATE wants its PIN between the two
// calls, PKCS#11 v2.40 section 4.9.
func (m *module) sign(q *wire.Request, a *wire.Response) error {
	mechanism, err := newMechanism(q)
	if err != nil {
		return err
	}
	return m.pool(q.Slot).use(func(s pkcs11.SessionHandle) error {
		if err := m.c.SignInit(s, []*pkcs11.Mechanism{mechanism}, pkcs11.ObjectHandle(q.Object)); err != nil {
			return failed("C_SignInit", err)
		}
		if q.Auth != wire.AuthNone {
			if err := m.c.Login(s, pkcs11.CKU_CONTEXT_SPECIFIC, pinOf(q)); err != nil {
				return failed("C_Login", err)
			}
		}
		var err error
		a.Data, err = m.c.Sign(s, q.Data)
		return failed("C_Sign", err)
	})
}

// pinOf returns the PIN of the request. An empty one becomes a null pointer, with which a
// token asks by itself.
func pinOf(q *wire.Request) string {
	if q.Auth != wire.AuthPIN {
		return ""
	}
	return string(q.PIN)
}

func newMechanism(q *wire.Request) (*pkcs11.Mechanism, error) {
	switch {
	case q.Mechanism == pkcs11.CKM_RSA_PKCS_PSS && len(q.Params) == 3:
		return pkcs11.NewMechanism(uint(q.Mechanism), pkcs11.NewPSSParams(uint(q.Params[0]), uint(q.Params[1]), uint(q.Params[2]))), nil
	case len(q.Params) > 0:
		return nil, fmt.Errorf("mechanism 0x%X with %d parameters is not known", q.Mechanism, len(q.Params))
	}
	return pkcs11.NewMechanism(uint(q.Mechanism), nil), nil
}
