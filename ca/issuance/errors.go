package issuance

import (
	"context"
	"errors"
	"fmt"

	"kedge/ca/ledger"
)

// UnknownAuthorityError reports that the ledger has no authority with a name.
type UnknownAuthorityError struct {
	Name  string
	Known []string
}

func (e *UnknownAuthorityError) Error() string {
	return fmt.Sprintf("there is no authority %q in the ledger", e.Name)
}

// ErrNoAuthority is returned if a ledger is empty or none of its authorities issues: an init was
// interrupted.
var ErrNoAuthority = errors.New("no authority of this ledger issues")

// RetiredError reports that an authority is out of use.
type RetiredError = ledger.RetiredError

// RevokedAuthorityError reports that an authority, or one above it, is revoked or on hold.
type RevokedAuthorityError = ledger.RevokedIssuerError

// NoKeyError reports that the key of an authority is not here.
type NoKeyError struct{ Authority string }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("the key of the authority %q is not here", e.Authority)
}

// UnusableError reports that an authority's key, its certificate and those above it do not match,
// although each of them was found.
type UnusableError struct {
	Authority string
	Err       error
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("the authority %q cannot be used: %v", e.Authority, e.Err)
}
func (e *UnusableError) Unwrap() error { return e.Err }

// MayBeRecorded reports whether the certificate may be in the ledger in spite of an error. Then the
// key must be kept, so that the next run finds out.
func MayBeRecorded(err error) bool {
	_, gone := errors.AsType[*ledger.UnreachableError](err)
	return gone || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
