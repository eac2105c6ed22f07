package ledger

import (
	"errors"
	"fmt"
)

// RefusedError reports that the server of the ledger, or a pooler before it, refused. Nothing was
// written: the transaction was not begun, or was rolled back.
type RefusedError struct {
	Where  string
	Err    error // the server's error
	Reason Refusal
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the ledger %s refused: %v", e.Where, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// Refusal is why a server refused.
type Refusal int

// The refusals.
const (
	RefusedLogin     Refusal = iota + 1 // the user, the password, the client's certificate, or the client's address
	RefusedDatabase                     // the database does not exist, or accepts no connections
	RefusedFull                         // all connections are in use
	RefusedReadOnly                     // a standby, or a server set to read-only
	RefusedParameter                    // a setting in the address of the ledger
	RefusedRights                       // the user may connect, and lacks a privilege
	RefusedTLS                          // TLS was required and is not available, or the reverse
)

// elsewhere reports whether another connection may succeed: this one is broken, or its server
// refuses.
func elsewhere(err error) bool {
	_, unreachable := errors.AsType[*UnreachableError](err)
	_, refused := errors.AsType[*RefusedError](err)
	return unreachable || refused
}
