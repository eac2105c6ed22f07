package enrollclient

import (
	"fmt"
	"io/fs"
	"time"

	"kedge/signer/session"
)

// UnreachableError reports that no answer came.
type UnreachableError struct {
	Server string // host and port
	Err    error  // of net/http, without its *url.Error
}

// Error is in the words of the errors about AWS: who could not be reached, and why.
func (e *UnreachableError) Error() string {
	return (&session.NetworkError{Host: e.Server, Err: e.Err}).Error()
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// UntrustedError reports a server that did not show that it belongs to the CA.
type UntrustedError struct {
	Server string
	System bool // it should have had a certificate that the system trusts
	Other  bool // it may be right, and its URL wrong
	Reason string
}

func (e *UntrustedError) Error() string {
	return e.Server + " is not trusted: " + e.Reason
}

// EndedError reports an enrolled host whose certificate the server renews no more.
type EndedError struct {
	Name, Dir string
	At        time.Time // of the refusal
	Reason    string
}

func (e *EndedError) Error() string {
	return fmt.Sprintf("%s is enrolled in %s, but the server renews its certificate no more: at %s %s", e.Name, e.Dir, e.At.UTC().Format(time.RFC3339), e.Reason)
}

// UnmadeError reports that there is no place for the identity.
type UnmadeError struct {
	Dir string
	Err *fs.PathError
}

func (e *UnmadeError) Error() string {
	return fmt.Sprintf("the folder %s cannot be made: %s: %v", e.Dir, e.Err.Path, e.Err.Err)
}

func (e *UnmadeError) Unwrap() error { return e.Err }

// AnswerError reports an answer that is not one of an enrollment server, or one that this host must not use.
type AnswerError struct {
	Server  string
	Status  int // of HTTP, if that is the trouble
	Problem string
}

func (e *AnswerError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("%s answered with HTTP status %d, and not as an enrollment server: %s", e.Server, e.Status, e.Problem)
	}
	return "the answer of " + e.Server + " is not used: " + e.Problem
}

// NameTakenError reports that the name of a host that just got a certificate is that of an identity that
// is already there. The certificate is not in use.
type NameTakenError struct{ Name, Dir string }

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the server gave this host the name %q, and %s has an identity already: nothing there was changed", e.Name, e.Dir)
}

// RemovingError reports an identity whose certificate was revoked, and whose removal was interrupted.
type RemovingError struct{ Dir string }

func (e *RemovingError) Error() string {
	return "the certificate in " + e.Dir + " was revoked, and removing it was interrupted"
}

// NameError reports a name of a host that no folder can have.
type NameError struct{ Name string }

func (e *NameError) Error() string { return fmt.Sprintf("the name %q makes no folder name", e.Name) }
