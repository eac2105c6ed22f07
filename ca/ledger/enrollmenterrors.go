package ledger

import (
	"fmt"
	"time"
)

// TokenReason is why a token gave no certificate.
type TokenReason int

// The reasons. A server answers TokenSecret as TokenUnknown, so that nobody can find out IDs.
const (
	TokenUnknown TokenReason = iota + 1 // the ledger has no such token
	TokenSecret                         // the secret is another
	TokenExpired
	TokenSpent   // it was used as often as it may be, or the certificate that it gave this key is revoked
	TokenRevoked // by the operator
	TokenNetwork // the host's address is in none of its networks
	TokenName    // it is for other names
	TokenKey     // it is for another key
	TokenProfile // it is for another profile
	TokenVoid    // it was made before the ledger was restored, and may have been used since
)

// String returns the reason as the end of a sentence about the token.
func (r TokenReason) String() string {
	switch r {
	case TokenUnknown:
		return "is not in the ledger"
	case TokenSecret:
		return "has another secret"
	case TokenExpired:
		return "has expired"
	case TokenSpent:
		return "was used before"
	case TokenRevoked:
		return "was revoked"
	case TokenNetwork:
		return "cannot be used from this network"
	case TokenName:
		return "is for other names"
	case TokenKey:
		return "is for another key"
	case TokenProfile:
		return "is for another profile"
	case TokenVoid:
		return "was made before the ledger was restored, and is void"
	}
	return fmt.Sprintf("is refused (%d)", int(r))
}

// TokenError reports that a token or an approval gave no certificate. It is as it was before.
type TokenError struct {
	ID       []byte
	Why      TokenReason
	Approval bool // the ID is that of an approval
}

func (e *TokenError) Error() string {
	what := "token"
	if e.Approval {
		what = "approval"
	}
	return fmt.Sprintf("the %s %x %s", what, e.ID, e.Why)
}

// HeldError reports that a name is not given to a key, since another key holds it: the name has a
// lineage that has not ended, whether its certificate is valid, expired or revoked. For a token that
// is for new names only, a certificate with the name is enough.
type HeldError struct {
	Name   string      // the common name
	Newest Certificate // of the other key
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("the name %q is held by another key, that of the certificate with serial %s, issued on %s",
		e.Name, e.Newest.Serial, e.Newest.IssuedAt.Format(time.RFC3339))
}

// DeniedError reports that a name gets no certificate, since the operator denied it.
type DeniedError struct {
	Name string
	At   time.Time
	Why  string // may be empty
}

func (e *DeniedError) Error() string {
	text := fmt.Sprintf("certificates for the name %q are denied since %s", e.Name, e.At.UTC().Format(time.RFC3339))
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

// FreeError reports that a name was given up before, and that nothing has had it since.
type FreeError struct {
	Name string
	At   time.Time
}

func (e *FreeError) Error() string {
	return fmt.Sprintf("%q was decommissioned on %s already, and no host has had the name since", e.Name, e.At.UTC().Format(time.RFC3339))
}

// GraceError reports that an expired certificate is not renewed.
type GraceError struct {
	Presented  Certificate
	Until      time.Time // the end of the grace
	Recoveries int       // how often a certificate of its lineage was renewed after it expired
	Limit      int       // of Recoveries; 0: none
}

func (e *GraceError) Error() string {
	text := fmt.Sprintf("the certificate %q, serial %s, expired on %s and ", e.Presented.Subject, e.Presented.Serial, e.Presented.NotAfter.Format(time.RFC3339))
	if e.Limit != 0 && e.Recoveries >= e.Limit {
		return text + fmt.Sprintf("its host was late %d times before, of which %d are allowed", e.Recoveries, e.Limit)
	}
	return text + fmt.Sprintf("could be renewed until %s", e.Until.Format(time.RFC3339))
}

// ReservedNameError reports that a certificate is refused for one of its DNS names or addresses: it
// is that of an enrollment server, and would be a host's, or the reverse.
type ReservedNameError struct {
	Name   string
	Server bool // the certificate that is refused is the server's
}

func (e *ReservedNameError) Error() string {
	if e.Server {
		return fmt.Sprintf("the name %q is that of a host, and cannot be an enrollment server's", e.Name)
	}
	return fmt.Sprintf("the name %q is that of an enrollment server, and cannot be a host's", e.Name)
}
