package tpm

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/go-tpm/tpm2"
)

var (
	// ErrNoDevice is returned if there is no TPM at the address. It wraps the cause too.
	ErrNoDevice = errors.New("no TPM there")
	// ErrAuthRequired is returned if the key has an auth value, and none was given.
	ErrAuthRequired = errors.New("the key has an auth value, and none was given")
	// ErrForeignKey is returned if another TPM made the key file, or this one has been cleared
	// since, or the parent cannot be guessed.
	ErrForeignKey = errors.New("this TPM cannot load the key: it was made by another TPM, before this one was cleared, or below another parent")
	// ErrBusy is returned if other programs hold all slots of a TPM without resource manager.
	ErrBusy = errors.New("the TPM has no free slot: other programs hold them all")
	// ErrNoHandle is returned if there is no key under the persistent handle.
	ErrNoHandle = errors.New("nothing lies under the handle")
	// ErrHandleTaken is returned if the persistent handle for a new key is in use.
	ErrHandleTaken = errors.New("the handle is taken")
	// ErrClosed is returned by a key after Close.
	ErrClosed = errors.New("the key is closed")

	errLink = errors.New("the connection to the TPM broke") // wraps errors of the connection
)

// UnfitError reports that the key cannot sign digests.
type UnfitError struct{ Reason string }

func (e *UnfitError) Error() string { return e.Reason }

// AuthError reports that the TPM refused an auth value, or checks none at the moment.
type AuthError struct {
	Of      string // "key", "parent" or "owner" (the hierarchy)
	Untried bool   // a wrong one would have locked the TPM: see Config.SpareLast
	Locked  bool   // the TPM refuses every protected key, whatever the auth value
	// Counted reports whether the attempt was counted. Tries is the counter, and Max the count at
	// which the TPM locks; both are 0 if the TPM does not report them.
	Counted    bool
	Tries, Max uint32
	Recovery   time.Duration // after which the TPM takes one attempt off the counter; 0: never
	cause      error
}

func (e *AuthError) Error() string {
	if e.Untried {
		return fmt.Sprintf("the auth value of the %s was not tried: there are %d wrong tries, and the TPM locks after %d%s", e.Of, e.Tries, e.Max, e.recovery())
	}
	if e.Locked {
		return fmt.Sprintf("the TPM is locked after %d wrong auth values%s", e.Tries, e.recovery())
	}
	text := "the TPM refused the auth value of the " + e.Of
	switch {
	case !e.Counted || e.Max == 0:
		return text
	case e.Tries >= e.Max:
		return fmt.Sprintf("%s, and is locked now, after %d wrong tries%s", text, e.Tries, e.recovery())
	}
	return fmt.Sprintf("%s: wrong try %d of %d, after which it locks%s", text, e.Tries, e.Max, e.recovery())
}

func (e *AuthError) recovery() string {
	if e.Recovery == 0 {
		return ""
	}
	return fmt.Sprintf("; it forgets one every %s", e.Recovery)
}

// Unwrap returns the TPM's error.
func (e *AuthError) Unwrap() error { return e.cause }

// isAuth reports whether the TPM refused an authorization. TCG TPM 2.0 Library Part 1, section
// 19.8: protected objects give AUTH_FAIL, which is counted, others BAD_AUTH.
func isAuth(err error) bool {
	return errors.Is(err, tpm2.TPMRCAuthFail) || errors.Is(err, tpm2.TPMRCBadAuth) || errors.Is(err, tpm2.TPMRCLockout)
}

// isFull reports whether the TPM has no slot for an object or a session.
func isFull(err error) bool {
	return errors.Is(err, tpm2.TPMRCObjectMemory) || errors.Is(err, tpm2.TPMRCSessionMemory) ||
		errors.Is(err, tpm2.TPMRCObjectHandles) || errors.Is(err, tpm2.TPMRCSessionHandles)
}

// isStale reports whether the TPM does not know a handle that it returned before: it was reset, or
// another program flushed the handle.
func isStale(err error) bool {
	var rc tpm2.TPMRC
	if !errors.As(err, &rc) {
		return false
	}
	if rc >= tpm2.TPMRCReferenceH0 && rc <= tpm2.TPMRCReferenceH0+0xE { // H0 to H6, S0 to S6
		return true
	}
	var named tpm2.TPMFmt1Error
	if !errors.As(rc, &named) {
		return false
	}
	ofHandle, _ := named.Handle()
	return ofHandle && (errors.Is(rc, tpm2.TPMRCHandle) || errors.Is(rc, tpm2.TPMRCValue))
}

// authError adds the TPM's counters to an error. Part 2, section 6.13: TPM_PT.
func authError(c *conn, of string, cause error) error {
	e := &AuthError{Of: of, Locked: errors.Is(cause, tpm2.TPMRCLockout), Counted: !errors.Is(cause, tpm2.TPMRCBadAuth), cause: cause}
	e.count(c)
	return e
}

// count reads the counters, as far as the TPM reports them.
func (e *AuthError) count(c *conn) {
	rsp, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTLockoutCounter), PropertyCount: 3}.Execute(c)
	if err != nil {
		return
	}
	list, err := rsp.CapabilityData.Data.TPMProperties()
	if err != nil {
		return
	}
	for _, p := range list.TPMProperty {
		switch p.Property {
		case tpm2.TPMPTLockoutCounter:
			e.Tries = p.Value
		case tpm2.TPMPTMaxAuthFail:
			e.Max = p.Value
		case tpm2.TPMPTLockoutInterval:
			e.Recovery = time.Duration(p.Value) * time.Second
		}
	}
}
