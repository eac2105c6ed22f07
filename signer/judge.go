package signer

import (
	"crypto"
	"errors"
	"fmt"
)

// judged makes the identity by this host's clock and, where a certificate is out of its validity by
// that, by the service's: hosts boot with wrong clocks, and a certificate may be minutes old.
func (f Files) judged(key crypto.Signer, certs []located) (*Identity, error) {
	id, err := newIdentity(key, certs, f.Now())
	if _, ok := errors.AsType[*ValidityError](err); !ok || f.ServiceTime == nil {
		return id, err
	}
	now, unknown := f.ServiceTime()
	if unknown != nil {
		return nil, fmt.Errorf("%w; the service's time is not known: %w", err, unknown)
	}
	return newIdentity(key, certs, now)
}
