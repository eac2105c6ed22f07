package tpm

import (
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// object is the key as it is in the TPM: how it is loaded, and under which handle it is.
type object struct {
	file    *keyFile       // nil: it is persistent
	handle  tpm2.TPMHandle // in the present connection
	public  tpm2.TPM2BPublic
	name    tpm2.TPM2BName
	secrets secrets
	session tpm2.Session // authorizes the use of the key: empty, or of the present connection

	parents []parentFunc
	// With these the key is loaded again by one command, and without its parent being made:
	// copies of what was loaded, encrypted by the TPM for itself, good until its next reset.
	saved, savedParent *tpm2.TPMSContext
	parent             storage // of which savedParent is the copy
}

// newObject checks the configuration and gets the auth values.
func newObject(c Config) (*object, error) {
	o := &object{handle: tpm2.TPMHandle(c.Handle)}
	switch {
	case len(c.File) > 0 && c.Handle != 0:
		return nil, errors.New("a TPM key is a file or a handle, not both")
	case len(c.File) > 0:
		file, err := parseKeyFile(c.File)
		if err != nil {
			return nil, err
		}
		o.file, o.public = file, file.public
		// What cannot sign is refused before anybody is asked for an auth value.
		if _, _, err = signingKey(o.public); err != nil {
			return nil, err
		}
		if o.name, err = nameOf(o.public); err != nil {
			return nil, err
		}
	case c.Handle == 0:
		return nil, errors.New("no TPM key given: a file or a persistent handle")
	case c.Handle>>24 != 0x81:
		return nil, fmt.Errorf("handle 0x%x of the key is not persistent: those are 0x81000000 to 0x81ffffff", c.Handle)
	}
	keyAuth := c.KeyAuth
	if o.file != nil && o.file.emptyAuth {
		keyAuth = nil
	} else if o.file != nil && keyAuth == nil {
		return nil, ErrAuthRequired
	}
	var err error
	if o.secrets, err = getSecrets(keyAuth, c.ParentAuth, c.OwnerAuth); err != nil {
		return nil, err
	}
	if o.file != nil {
		o.parents, err = parents(o.file, o.secrets)
	}
	return o, err
}

// getSecrets calls the functions that are given.
func getSecrets(key, parent, owner func() ([]byte, error)) (s secrets, err error) {
	get := func(what string, from func() ([]byte, error)) (auth []byte) {
		if from != nil && err == nil {
			if auth, err = from(); err != nil {
				err = fmt.Errorf("auth value of the %s: %w", what, err)
			}
		}
		return auth
	}
	s = secrets{get("key", key), get("parent", parent), get("owner", owner)}
	return s, err
}

func (o *object) hasAuth() bool { return len(o.secrets.key) > 0 }

// authorization is what a command sends to use the key.
func (o *object) authorization() tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: o.handle, Name: o.name, Auth: o.session}
}

// load makes the key usable in a new connection.
func (o *object) load(c *conn) error {
	o.session = tpm2.PasswordAuth(nil)
	if o.file == nil {
		return o.find(c)
	}
	if o.saved != nil {
		err := o.resume(c)
		if err == nil || errors.Is(err, errLink) || isFull(err) || c.ctx.Err() != nil {
			return err
		}
		c.flushAll()
		o.saved, o.savedParent = nil, nil // the TPM was reset
	}
	return o.loadBelow(c)
}

// find looks for the persistent key. A TPM may hold another one there by now.
func (o *object) find(c *conn) error {
	rsp, err := tpm2.ReadPublic{ObjectHandle: o.handle}.Execute(c)
	switch {
	case isStale(err):
		return fmt.Errorf("key 0x%x: %w", uint32(o.handle), ErrNoHandle)
	case err != nil:
		return fmt.Errorf("key 0x%x: %w", uint32(o.handle), err)
	case o.name.Buffer == nil:
		o.public, o.name = rsp.OutPublic, rsp.Name
	case !sameName(o.name, rsp.Name):
		return fmt.Errorf("key 0x%x: another key lies there than when it was opened", uint32(o.handle))
	}
	if !o.hasAuth() {
		return nil
	}
	salt, err := anySalt(c)
	if err != nil {
		return err
	}
	return o.authorize(c, salt)
}

// authorize starts the session for the use of the key. The parent has done its work then. Without a
// resource manager, which would swap it in and out with the key, it is flushed with the connection: after
// the signature.
func (o *object) authorize(c *conn, parent storage) (err error) {
	if !o.hasAuth() && c.raw {
		return nil
	}
	if o.hasAuth() {
		o.session, err = newSession(c, parent, entity{o.handle, o.name, o.secrets.key}, encryptIn())
		if isAuth(err) {
			err = authError(c, "key", err) // locked: the session is bound to the key
		}
		if err == nil && c.raw && o.file != nil && o.savedParent == nil && len(c.held) > 0 {
			o.saveParent(c, parent)
		}
	}
	c.flush(parent.handle)
	return err
}

// loadBelow loads the key below the first parent that fits.
func (o *object) loadBelow(c *conn) error {
	err := ErrForeignKey
	for i, find := range o.parents {
		var parent storage
		if parent, err = find(c); errors.Is(err, ErrNoHandle) && len(o.parents) > 1 {
			err = ErrForeignKey // the storage root key was only a guess
			continue
		}
		if err == nil {
			err = o.loadInto(c, parent)
		}
		if err == nil {
			o.parents = o.parents[i : i+1]
			return o.authorize(c, parent)
		}
		c.flush(parent.handle)
		if !errors.Is(err, tpm2.TPMRCIntegrity) {
			return err
		}
		err = ErrForeignKey
	}
	return err
}

func (o *object) loadInto(c *conn, parent storage) error {
	err := authorized(c, func() (storage, error) { return parent, nil }, parent.entity, func(h tpm2.AuthHandle) error {
		rsp, err := tpm2.Load{ParentHandle: h, InPrivate: o.file.private, InPublic: o.file.public}.Execute(c)
		if err != nil {
			return err
		}
		o.handle = rsp.ObjectHandle
		c.hold(o.handle, o.name)
		return nil
	}, encryptIn())
	switch {
	case isAuth(err):
		return authError(c, "parent", err)
	case err != nil:
		return fmt.Errorf("load the key: %w", err)
	}
	return nil
}

// save keeps a copy of the loaded key. Without one, it is loaded from its file again.
func (o *object) save(c *conn) {
	if o.file == nil || o.saved != nil {
		return
	}
	if rsp, err := (tpm2.ContextSave{SaveHandle: o.handle}).Execute(c); err == nil {
		o.saved = &rsp.Context
	}
}

func (o *object) saveParent(c *conn, parent storage) {
	if rsp, err := (tpm2.ContextSave{SaveHandle: parent.handle}).Execute(c); err == nil {
		o.savedParent, o.parent = &rsp.Context, parent
	}
}

// resume loads the copies.
func (o *object) resume(c *conn) error {
	rsp, err := tpm2.ContextLoad{Context: *o.saved}.Execute(c)
	if err != nil {
		return err
	}
	o.handle = rsp.LoadedHandle
	c.hold(o.handle, o.name)
	if !o.hasAuth() {
		return nil
	}
	parent := o.parent
	if o.savedParent == nil { // it is persistent
		if parent, err = o.parents[0](c); err != nil {
			return err
		}
		return o.authorize(c, parent)
	}
	if rsp, err = (tpm2.ContextLoad{Context: *o.savedParent}).Execute(c); err != nil {
		return err
	}
	parent.handle = rsp.LoadedHandle
	c.hold(parent.handle, parent.name)
	return o.authorize(c, parent)
}
