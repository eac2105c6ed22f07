package ledger

import (
	"errors"
	"fmt"
)

// RefusedError reports that the server of the ledger, or a pooler before it, answered and said
// no. Nothing was written: a transaction that is refused has not begun, or is rolled back.
type RefusedError struct {
	Where  string
	Err    error // in the words of the server
	Reason Refusal
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the ledger %s refused: %v", e.Where, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// Refusal is why a server said no.
type Refusal int

// The refusals.
const (
	RefusedLogin     Refusal = iota + 1 // the user, the password, the client's certificate, or where it comes from
	RefusedDatabase                     // there is no such database, or it takes no connections
	RefusedFull                         // all connections are taken
	RefusedReadOnly                     // a standby, or a server that was told to only read
	RefusedParameter                    // a setting that the address of the ledger names
	RefusedRights                       // the user may connect, and not do this
	RefusedTLS                          // TLS was asked for and is not there, or the other way round
)

// elsewhere reports whether another connection may do better: this one has ended, or its server
// refuses.
func elsewhere(err error) bool {
	_, unreachable := errors.AsType[*UnreachableError](err)
	_, refused := errors.AsType[*RefusedError](err)
	return unreachable || refused
}
