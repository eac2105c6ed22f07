package main

import (
	"context"
	"errors"

	"kedge/ca/issuance"
)

// isRevoked reports whether notRevoked refuses an authority. Whether those above it are whole is for
// others to say.
func (s *store) isRevoked(ctx context.Context, name string) (bool, error) {
	path, err := s.authorityPath(ctx, name)
	if err != nil {
		return false, nil
	}
	err = s.notRevoked(ctx, path)
	if _, revoked := errors.AsType[*issuance.RevokedAuthorityError](err); revoked {
		return true, nil
	}
	return false, err
}
