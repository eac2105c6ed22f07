package awscrl

import (
	"fmt"
	"strings"

	"kedge/ca"
	"kedge/ca/issuance"
)

// NoListError reports that an authority has no list to push.
type NoListError struct{ Authority string }

func (e *NoListError) Error() string {
	return fmt.Sprintf("there is no list of %q to push", e.Authority)
}

// SizeError reports a list that is too large for IAM Roles Anywhere.
type SizeError struct {
	Authority string
	Size      int // characters of PEM
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the list of %q has %d bytes; IAM Roles Anywhere takes %d at most", e.Authority, e.Size, ca.MaxCRLSize)
}

// BehindError reports that the ledger is behind a list at AWS: it lacks its number or some of its revocations, so
// that the list is not replaced.
type BehindError struct {
	ARN string // of the list
	Err *issuance.ForgottenError
}

func (e *BehindError) Error() string { return e.Err.Error() }

// Unwrap returns the *issuance.ForgottenError.
func (e *BehindError) Unwrap() error { return e.Err }

// ForeignError reports that a list has the tag of this CA and authority, and another key signed it.
type ForeignError struct {
	ARN       string
	Authority string
	Why       string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s has the tag of this CA and is no list of %q: %s", e.ARN, e.Authority, e.Why)
}

// UntaggedError reports that a list of the authority was imported without the tag of this CA, by a person or another
// program, so that it is not replaced.
type UntaggedError struct {
	ARN        string
	Key, Value string // of the tag
}

func (e *UntaggedError) Error() string {
	return fmt.Sprintf("%s is a list of this CA without its tag: it is not replaced, since something else may manage it", e.ARN)
}

// FullError reports that a trust anchor has as many lists as IAM Roles Anywhere takes, and none is of this authority.
type FullError struct {
	Authority string
	Anchor    string   // ARN
	Lists     []string // their ARNs
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the trust anchor %s has no room for the list of %q: it has %d lists, %s", e.Anchor, e.Authority, len(e.Lists), strings.Join(e.Lists, " and "))
}

// OlderError reports that AWS has a later list than the one to push, which the ledger has recorded.
type OlderError struct {
	Authority     string
	ARN           string
	There, Number int64 // of the list at AWS, and of the one to push
}

func (e *OlderError) Error() string {
	return fmt.Sprintf("%s is list %d of %q already, and the one to push is list %d: numbers never go back", e.ARN, e.There, e.Authority, e.Number)
}

// ReadBackError reports that AWS has another list after a push than the one that was pushed.
type ReadBackError struct {
	ARN   string
	Want  string // describes the list that was pushed
	Found string // describes the one that AWS has
}

func (e *ReadBackError) Error() string {
	return fmt.Sprintf("%s is %s after it was replaced by %s", e.ARN, e.Found, e.Want)
}

// DisabledError reports that the list is at AWS and revokes nothing: it is disabled.
type DisabledError struct {
	Authority string
	ARN       string
}

func (e *DisabledError) Error() string {
	return fmt.Sprintf("%s, the list of %q, is up to date and disabled at AWS: what it revokes gets sessions all the same", e.ARN, e.Authority)
}

// UnknownOutcomeError reports an import whose answer was lost, and whose list is not there.
type UnknownOutcomeError struct {
	Authority string
	Err       error // about the import
}

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("it is not known whether the list of %q was imported: %v", e.Authority, e.Err)
}

// Unwrap returns the error of the import.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// AnswerError reports an answer without what it must have: it may be of a proxy, and not of AWS.
type AnswerError struct{ Operation string }

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer to rolesanywhere:%s has no list in it", e.Operation)
}
