package role

import (
	"fmt"

	"kedge/signer/session"
)

// KeyError reports that the private key or the certificate cannot be used, whatever the cause.
type KeyError struct {
	Err     error
	New     bool    // it was to be made
	Clear   bool    // it was to be made, and could be without a password
	Mistake Mistake // of who gave the files, where it is known
}

func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// Mistake is what the files tell of how they were given.
type Mistake int

// The mistakes that are known.
const (
	NoMistake       Mistake = iota
	Swapped                 // the certificate's input holds a key, or the key's holds certificates
	CertificateOfCA         // it is a CA's, and the key belongs to another
)

// RequestError reports how the request that failed was made, as far as advice depends on it.
type RequestError struct {
	Err                                error
	Chained                            bool   // STS is asked, too
	Region, TrustAnchor, Profile, Role string // as given
}

func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns what failed.
func (e *RequestError) Unwrap() error { return e.Err }

// WrongRegion reports that another region signs than the trust anchor's, or nothing.
func (e *RequestError) WrongRegion() string {
	anchor, err := session.ParseARN(e.TrustAnchor)
	if err != nil || e.Region == "" || e.Region == anchor.Region {
		return ""
	}
	return fmt.Sprintf("--region %s signs for %[1]s, but the trust anchor is in %s", e.Region, anchor.Region)
}
