package cli

import "fmt"

// StatusError is how another program ended that was run in place of this one. Main ends with the
// same code, and prints nothing: that program has printed what there is to print.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("it ended with code %d", e.Code) }
