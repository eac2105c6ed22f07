package tpm

import (
	"bytes"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// entity is an object or hierarchy that a command needs the authorization of.
type entity struct {
	handle tpm2.TPMHandle
	name   tpm2.TPM2BName
	auth   []byte
}

// storage is a loaded storage key: a parent, to which sessions are salted.
type storage struct {
	entity
	public tpm2.TPMTPublic
}

// newSession starts a session that authorizes the use of an entity. Whoever listens learns
// neither the auth value nor, with encryption, the first parameter: the session's key comes
// from a salt that only the TPM can decrypt.
//
// The session is bound to the entity, which leaves its auth value out of the HMAC key: go-tpm
// cuts the value there at its first zero byte (v0.9.8, hmacKeyFromAuthValue), but not here.
func newSession(c *conn, salt storage, e entity, more ...tpm2.AuthOption) (tpm2.Session, error) {
	auth := bytes.TrimRight(e.auth, "\x00") // Part 1, section 19.6.5
	options := append([]tpm2.AuthOption{
		tpm2.Salted(salt.handle, salt.public),
		tpm2.Bound(e.handle, e.name, auth),
		tpm2.Auth(auth),
	}, more...)
	s, _, err := tpm2.HMACSession(c, tpm2.TPMAlgSHA256, 16, options...)
	if err != nil {
		return nil, fmt.Errorf("start a session: %w", err)
	}
	c.hold(s.Handle(), tpm2.TPM2BName{})
	return s, nil
}

// encryptIn encrypts the first parameter of commands.
func encryptIn() tpm2.AuthOption { return tpm2.AESEncryption(128, tpm2.EncryptIn) }

// authorized runs command with the authorization of e: in a session of its own where there
// is an auth value, and without any where there is none to hide.
func authorized(c *conn, salt func() (storage, error), e entity, command func(tpm2.AuthHandle) error, more ...tpm2.AuthOption) error {
	h := tpm2.AuthHandle{Handle: e.handle, Name: e.name, Auth: tpm2.PasswordAuth(nil)}
	if len(e.auth) == 0 {
		return command(h)
	}
	parent, err := salt()
	if err != nil {
		return err
	}
	session, err := newSession(c, parent, e, more...)
	if err != nil {
		return err
	}
	defer c.flush(session.Handle())
	h.Auth = session
	return command(h)
}
