package pkcs11

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrPINRequired is returned if the token requires a PIN and neither the URI nor Options.PIN gives
// one.
var ErrPINRequired = errors.New("the token wants a PIN")

// ErrCannotSign is returned if the token does not let the key sign.
var ErrCannotSign = errors.New("the token does not let this key sign (CKA_SIGN is false)")

// errClosed is returned by a Module after Close.
var errClosed = errors.New("the PKCS#11 module was closed")

// errRetired is returned by a process that accepts no more calls.
var errRetired = errors.New("the process of the module ends")

// MissingHelperError reports that the program that loads modules is not installed.
type MissingHelperError struct {
	Looked []string // where it was looked for
}

func (e *MissingHelperError) Error() string {
	return "PKCS#11 keys need the program kedge-pkcs11, which is not at " + strings.Join(e.Looked, " nor at ")
}

// NoModuleError reports that there is no module with a name.
type NoModuleError struct {
	Name   string
	Looked []string // folders
}

func (e *NoModuleError) Error() string {
	return fmt.Sprintf("PKCS#11 module %s: not found in %s", e.Name, strings.Join(e.Looked, ", "))
}

// HelperError reports that the module's process ended during a call, or had to be killed. The next
// call starts another.
type HelperError struct {
	Module string // path
	Reason string // "died (signal: killed)", "did not answer within 30s and was ended"
}

func (e *HelperError) Error() string {
	return fmt.Sprintf("PKCS#11 module %s: its process, kedge-pkcs11, %s", e.Module, e.Reason)
}

// NotFoundError reports that nothing matches a URI.
type NotFoundError struct {
	URI   URI
	What  string // "token", "private key", "certificate"
	There []URI  // the objects of the kind, where they could be listed
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("no %s matches %s", e.What, e.URI)
	if len(e.There) == 0 {
		return text
	}
	return text + "; there is:" + lines(e.There)
}

// AmbiguousError reports that a URI matches several tokens or keys instead of one.
type AmbiguousError struct {
	URI        URI
	What       string
	Candidates []URI // each matches one of them, unless the token itself cannot tell them apart
}

func (e *AmbiguousError) Error() string {
	text := fmt.Sprintf("%d %ss match %s; choose one of:%s", len(e.Candidates), e.What, e.URI, lines(e.Candidates))
	different := map[string]bool{}
	for _, u := range e.Candidates {
		different[u.String()] = true
	}
	if len(different) < len(e.Candidates) {
		text += "\nthose that look alike have the same label and id; change one on the token"
	}
	return text
}

// lines lists URIs one to a line, to be copied.
func lines(uris []URI) string {
	const most = 20
	var b strings.Builder
	for i, u := range uris {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(uris)-most)
			break
		}
		b.WriteString("\n  " + u.String())
	}
	return b.String()
}

// Retries is how many wrong PINs a token accepts before it locks, as far as it reports that.
type Retries int

// The flags of CK_TOKEN_INFO; it has no numbers.
const (
	RetriesUnknown Retries = iota // the last PIN was right, or the token does not report it
	RetriesLow                    // at least one wrong PIN since the last right one
	RetriesOne                    // the next wrong PIN locks the token
	RetriesNone                   // the PIN is locked
)

func (r Retries) String() string {
	switch r {
	case RetriesLow:
		return "few tries are left"
	case RetriesOne:
		return "one try is left, then the token locks"
	case RetriesNone:
		return "the PIN is locked, and must be set anew with the SO PIN or PUK"
	}
	return "the token does not say how many tries are left"
}

func retriesOf(flags uint64) Retries {
	switch {
	case flags&flagPINLocked != 0:
		return RetriesNone
	case flags&flagPINFinalTry != 0:
		return RetriesOne
	case flags&flagPINCountLow != 0:
		return RetriesLow
	}
	return RetriesUnknown
}

// PINError reports that the token refused a PIN, which was tried once.
type PINError struct {
	Token   string // label
	Retries Retries
	Reason  string // "CKR_PIN_INCORRECT", or why the PIN was not tried
}

func (e *PINError) Error() string {
	return fmt.Sprintf("PIN of token %q: %s; %s", e.Token, e.Reason, e.Retries)
}

// callError is the error of a function of the module.
type callError struct {
	call  string // "C_Sign"; empty if the helper itself refused
	code  uint64
	words string // "CKR_DEVICE_ERROR"
}

func (e *callError) Error() string {
	if e.call == "" {
		return e.words
	}
	return e.call + ": " + e.words
}

// hasCode reports whether err came from the module with one of these codes.
func hasCode(err error, codes ...uint64) bool {
	var e *callError
	return errors.As(err, &e) && e.call != "" && slices.Contains(codes, e.code)
}

// isBroken reports whether the module or the device failed in a way that can last until the module
// is loaded again.
func isBroken(err error) bool {
	return hasCode(err, codeHostMemory, codeGeneralError, codeFunctionFailed, codeDeviceError, codeDeviceMemory)
}

// isLost reports whether sessions, login or handles are invalid, as after a token was removed: once
// they are renewed the call may succeed.
func isLost(err error) bool {
	return errors.Is(err, errRetired) || hasCode(err,
		codeSlotIDInvalid, codeDeviceError, codeDeviceRemoved, codeKeyHandleInvalid, codeObjectHandleInvalid, codeSessionClosed,
		codeSessionHandleInvalid, codeTokenNotPresent, codeTokenNotRecognized, codeUserNotLoggedIn, codeNotInitialized)
}
