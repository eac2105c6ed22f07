package pkcs11

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"kedge/internal/wire"
)

// Key is a private key on a token: a crypto.Signer and crypto.MessageSigner. It is located again
// when the token is inserted again or the module's process is restarted. It is safe for concurrent
// use, until its Module is closed.
type Key struct {
	m      *Module
	want   URI // as the caller gave it
	uri    URI // matches this key only
	public crypto.PublicKey

	always   bool        // CKA_ALWAYS_AUTHENTICATE
	oneByOne sync.Mutex  // held during a use that logs in
	verified atomic.Bool // a signature was verified with the public key

	at      atomic.Pointer[place]
	finding sync.Mutex
}

// place is the location of a key: its handle in a process.
type place struct {
	p      *process
	token  wire.Slot
	epoch  int
	object wire.Object
}

// Key finds the one private key that matches the URI, and logs in if the token requires it. The
// public key is read from the token: from the key itself, or from the public key or certificate
// with the same id. If the token has none, given is used; if it has one, given must be equal or
// nil. A type in the URI may be that of the certificate or public key. Errors are *NotFoundError,
// *AmbiguousError, *PINError, ErrPINRequired, *HelperError and others.
func (m *Module) Key(ctx context.Context, u URI, given crypto.PublicKey) (*Key, error) {
	at, err := m.place(ctx, u)
	if err != nil {
		return nil, err
	}
	k := &Key{m: m, want: u, uri: u.uriOf(at.token, at.object, "private")}
	if k.public, err = at.publicKey(ctx, given); err != nil {
		return nil, fmt.Errorf("%s: %w", k.uri, err)
	}
	if sign := at.object.Get(attrSign); len(sign) == 1 && sign[0] == 0 {
		return nil, fmt.Errorf("%s: %w", k.uri, ErrCannotSign)
	}
	k.always = isTrue(at.object.Get(attrAlwaysAuthenticate))
	k.at.Store(at)
	return k, nil
}

// URI returns a URI that matches this key and no other, without a PIN.
func (k *Key) URI() URI { return k.uri }

// Public returns the public key, an *ecdsa.PublicKey or *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// found returns the key's place, and finds it again if that is unknown or no longer valid.
func (k *Key) found(ctx context.Context) (*place, error) {
	if at := k.at.Load(); at != nil && at.p.alive() {
		return at, nil
	}
	k.finding.Lock()
	defer k.finding.Unlock()
	if at := k.at.Load(); at != nil && at.p.alive() {
		return at, nil
	}
	exact := k.uri
	exact.query = k.want.query
	at, err := k.m.place(ctx, exact)
	if err != nil {
		return nil, err
	}
	public, err := at.publicKey(ctx, k.public)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.uri, err)
	}
	if !sameKey(public, k.public) {
		return nil, fmt.Errorf("%s: is another key than before", k.uri)
	}
	k.at.Store(at)
	return at, nil
}

// lose discards a place that no longer works.
func (k *Key) lose(ctx context.Context, at *place) {
	if k.at.CompareAndSwap(at, nil) {
		at.p.forget(ctx, at.token.ID, at.epoch)
	}
}

// place finds the private key that matches the URI. If the token is gone, it ends the process: some
// modules detect tokens only when they are loaded.
func (m *Module) place(ctx context.Context, u URI) (*place, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		p, err := m.running(ctx)
		if err != nil {
			return nil, err
		}
		at, err := m.placeIn(ctx, p, u)
		if missing := (*NotFoundError)(nil); errors.As(err, &missing) && missing.What == "token" {
			p.retire()
		}
		if isBroken(err) {
			p.retire()
		}
		if err == nil || attempt == attempts || !isLost(err) {
			return at, err
		}
		if at != nil { // a place whose sessions were lost
			p.forget(ctx, at.token.ID, at.epoch)
		}
	}
}

// placeIn is place in one process. With an error it returns the token, if one was chosen.
func (m *Module) placeIn(ctx context.Context, p *process, u URI) (*place, error) {
	if typ := u.value("type"); typ == "secret-key" || typ == "data" {
		return nil, fmt.Errorf("%s: type=%s is not a key pair's", u, typ)
	}
	u = u.without("type")
	token, err := p.tokenWithKey(ctx, u)
	if err != nil {
		return nil, err
	}
	at := &place{p: p, token: token, epoch: p.state(token.ID).currentEpoch()}
	keys, err := m.privateKeys(ctx, p, token, u)
	if err != nil {
		return at, err
	}
	if len(keys) != 1 {
		return at, p.notOneKey(ctx, token, u, keys)
	}
	at.object = keys[0]
	return at, nil
}

// privateKeys lists the private keys of a token that match, and logs in unless there is one that
// can be used without a PIN. If the URI has a PIN, it is used.
func (m *Module) privateKeys(ctx context.Context, p *process, t wire.Slot, u URI) ([]wire.Object, error) {
	if !u.hasPIN() {
		if keys, err := p.keysNamed(ctx, t, u); err != nil || isOpen(keys) {
			return keys, err
		}
	}
	loginErr := m.login(ctx, p, t, u)
	if loginErr != nil && !errors.Is(loginErr, ErrPINRequired) {
		return nil, loginErr
	}
	keys, err := p.privateKeys(ctx, t, u)
	if loginErr != nil && !isOpen(keys) { // a key may be usable without a PIN
		return nil, loginErr
	}
	return keys, err
}

// tokenWithKey returns the one token that the URI can mean: the only one that matches, or the only
// one of those with a matching object that is visible without a PIN. No PIN is tried on a token
// that might be the wrong one.
func (p *process) tokenWithKey(ctx context.Context, u URI) (wire.Slot, error) {
	tokens, all, err := p.tokens(ctx, u)
	if err != nil {
		return wire.Slot{}, err
	}
	switch len(tokens) {
	case 0:
		missing := &NotFoundError{URI: u, What: "token"}
		for _, t := range all {
			missing.There = append(missing.There, u.uriOfToken(t))
		}
		return wire.Slot{}, missing
	case 1:
		return tokens[0], nil
	}
	unclear := &AmbiguousError{URI: u, What: "token"}
	var with []wire.Slot
	var objects []URI
	for _, t := range tokens {
		unclear.Candidates = append(unclear.Candidates, u.uriOfToken(t))
		seen, err := p.visible(ctx, t, u)
		if err != nil {
			return wire.Slot{}, err
		}
		if len(seen) > 0 {
			with = append(with, t)
			objects = append(objects, seen...)
		}
	}
	switch len(with) {
	case 0:
		return wire.Slot{}, unclear
	case 1:
		return with[0], nil
	}
	return wire.Slot{}, &AmbiguousError{URI: u, What: "key", Candidates: objects}
}

// visible lists those objects of matching key pairs that are visible at the moment, as URIs of the
// private key.
func (p *process) visible(ctx context.Context, t wire.Slot, u URI) ([]URI, error) {
	var uris []URI
	for _, class := range []uint64{classPrivateKey, classPublicKey, classCertificate} {
		objects, err := p.find(ctx, t, class, u)
		if err != nil {
			return nil, err
		}
		uris = addURIs(uris, u, t, objects)
	}
	return uris, nil
}

// addURIs appends the URIs of private keys that are not in the list yet.
func addURIs(uris []URI, u URI, t wire.Slot, objects []wire.Object) []URI {
next:
	for _, o := range objects {
		exact := u.uriOf(t, o, "private")
		for _, have := range uris {
			if have.equal(exact) {
				continue next
			}
		}
		uris = append(uris, exact)
	}
	return uris
}

// isOpen reports whether there is exactly one key, usable without a PIN.
func isOpen(keys []wire.Object) bool {
	return len(keys) == 1 && len(keys[0].Get(attrPrivate)) == 1 && !isTrue(keys[0].Get(attrPrivate))
}

// keysNamed lists the private keys of a token that match, with their attributes.
func (p *process) keysNamed(ctx context.Context, t wire.Slot, u URI) ([]wire.Object, error) {
	return p.find(ctx, t, classPrivateKey, u, []uint64{attrPrivate, attrKeyType, attrSign, attrAlwaysAuthenticate},
		[]uint64{attrModulus, attrPublicExponent}, []uint64{attrECParams}, []uint64{attrECPoint}, []uint64{attrPublicKeyInfo})
}

// privateKeys lists the private keys of a token that match, or else those whose public key or
// certificate matches and has the same id: labels often differ.
func (p *process) privateKeys(ctx context.Context, t wire.Slot, u URI) ([]wire.Object, error) {
	keys, err := p.keysNamed(ctx, t, u)
	if err != nil || len(keys) > 0 {
		return keys, err
	}
	tried := map[string]bool{"": true}
	for _, class := range []uint64{classPublicKey, classCertificate} {
		objects, err := p.find(ctx, t, class, u)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			id := string(o.Get(attrID))
			if tried[id] {
				continue
			}
			tried[id] = true
			same, err := p.keysNamed(ctx, t, URI{}.with("id", id))
			if err != nil {
				return nil, err
			}
			keys = append(keys, same...)
		}
	}
	return keys, nil
}

// notOneKey returns an error with the keys that match, or with all keys if none does.
func (p *process) notOneKey(ctx context.Context, t wire.Slot, u URI, keys []wire.Object) error {
	if len(keys) == 0 {
		missing := &NotFoundError{URI: u, What: "private key"}
		there, err := p.find(ctx, t, classPrivateKey, URI{})
		missing.There = addURIs(nil, u, t, there)
		return errors.Join(missing, err)
	}
	unclear := &AmbiguousError{URI: u, What: "private key"}
	for _, o := range keys {
		unclear.Candidates = append(unclear.Candidates, u.uriOf(t, o, "private"))
	}
	return unclear
}

// isTrue reads a CK_BBOOL.
func isTrue(value []byte) bool { return len(value) == 1 && value[0] != 0 }
