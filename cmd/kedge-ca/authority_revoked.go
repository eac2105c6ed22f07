package main

import (
	"context"
	"errors"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
)

// revokedAuthorityError says that an authority, or one above it, is revoked or on hold.
type revokedAuthorityError struct {
	name   string
	reason ca.Reason
}

func (e *revokedAuthorityError) Error() string {
	return fmt.Sprintf("the authority %q is revoked: %s; nobody would accept what is issued below it", e.name, e.reason)
}

// notRevoked refuses an authority whose certificate, or that of one above it, is revoked. No
// list holds a root.
func (s *store) notRevoked(ctx context.Context, path []ledger.Authority) error {
	for _, a := range path {
		if a.Parent == "" {
			continue
		}
		c, err := s.ledger.Certificate(ctx, a.Fingerprint)
		if err != nil {
			return err
		}
		if c.RevokedAt != nil {
			return &revokedAuthorityError{a.Name, c.Reason}
		}
	}
	return nil
}

// isRevoked reports whether notRevoked refuses an authority. Whether those above it are whole is for
// others to say.
func (s *store) isRevoked(ctx context.Context, name string) (bool, error) {
	path, err := s.authorityPath(ctx, name)
	if err != nil {
		return false, nil
	}
	err = s.notRevoked(ctx, path)
	if _, revoked := errors.AsType[*revokedAuthorityError](err); revoked {
		return true, nil
	}
	return false, err
}
