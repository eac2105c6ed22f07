package signer

import (
	"crypto"
	"fmt"
	"strings"
	"time"

	"kedge/signer/keyfile"
)

// ManyKeysError reports that an input holds several private keys, and that nothing tells which one is
// meant.
type ManyKeysError struct {
	Keys []string // each with the certificates that belong to it
}

func (e *ManyKeysError) Error() string {
	return fmt.Sprintf("there is more than one private key in it: %s; give the certificate that is meant in a file of its own", strings.Join(e.Keys, "; "))
}

// chooseKey returns the key that belongs to one of the certificates. A key is never guessed: if several
// fit, none is taken. One key alone is taken as it is, and told from the certificates later.
func chooseKey(keys []crypto.Signer, certs []located) (crypto.Signer, error) {
	keys = distinct(keys)
	switch len(keys) {
	case 0:
		return nil, ErrNoPrivateKey
	case 1:
		return keys[0], nil
	}
	var fit []crypto.Signer
	for _, key := range keys {
		if len(namesFor(key, certs)) > 0 {
			fit = append(fit, key)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	e := &ManyKeysError{}
	for _, key := range keys {
		text := KeyKind(key.Public())
		if names := namesFor(key, certs); len(names) > 0 {
			text += " of " + strings.Join(names, " and ")
		} else {
			text += " without a certificate"
		}
		e.Keys = append(e.Keys, text)
	}
	return nil, e
}

// distinct leaves out what is there twice.
func distinct(keys []crypto.Signer) (out []crypto.Signer) {
next:
	for _, key := range keys {
		for _, other := range out {
			if samePublic(key.Public(), other.Public()) {
				continue next
			}
		}
		out = append(out, key)
	}
	return out
}

// namesFor returns the names of the certificates that belong to a key.
func namesFor(key crypto.Signer, certs []located) (names []string) {
	for _, c := range certs {
		if samePublic(key.Public(), c.PublicKey) {
			names = append(names, fmt.Sprintf("%q, which expires on %s", name(c), c.NotAfter.UTC().Format(time.DateOnly)))
		}
	}
	return names
}

// unreadable is a certificate of an input that was passed over.
type unreadable struct {
	file string
	keyfile.Unreadable
}

func (u unreadable) String() string {
	return fmt.Sprintf("certificate %d in %s cannot be read: %s", u.Number, u.file, u.Reason)
}
