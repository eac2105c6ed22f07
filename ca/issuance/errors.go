package issuance

import (
	"errors"
	"fmt"

	"kedge/ca"
)

// UnknownAuthorityError says that the ledger knows no authority of a name.
type UnknownAuthorityError struct {
	Name  string
	Known []string
}

func (e *UnknownAuthorityError) Error() string {
	return fmt.Sprintf("there is no authority %q in the ledger", e.Name)
}

// ErrNoAuthority says that a ledger is empty or that none of its authorities issues: an init
// was interrupted.
var ErrNoAuthority = errors.New("no authority of this ledger issues")

// RetiredError says that an authority is out of use: the trust anchor does not have its root
// any more, or will not soon.
type RetiredError struct{ Name string }

func (e *RetiredError) Error() string {
	return fmt.Sprintf("the authority %q is retired; it issues nothing", e.Name)
}

// RevokedAuthorityError says that an authority, or one above it, is revoked or on hold.
type RevokedAuthorityError struct {
	Name   string
	Reason ca.Reason
}

func (e *RevokedAuthorityError) Error() string {
	return fmt.Sprintf("the authority %q is revoked: %s; nobody would accept what is issued below it", e.Name, e.Reason)
}

// NoKeyError says that the key of an authority is not here.
type NoKeyError struct{ Authority string }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("the key of the authority %q is not here", e.Authority)
}

// UnusableError says that an authority's key, its certificate and those above it do not make a
// CA, although each of them could be had.
type UnusableError struct {
	Authority string
	Err       error
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("the authority %q cannot be used: %v", e.Authority, e.Err)
}
func (e *UnusableError) Unwrap() error { return e.Err }
