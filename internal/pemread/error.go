package pemread

import "fmt"

// Reason is the kind of trouble that an Error has, for advice about it.
type Reason int

// The reasons.
const (
	Empty    Reason = iota + 1 // nothing but white space
	TooLarge                   // more than Options.MaxSize
	Foreign                    // another format, named in the text
	Cut                        // the beginning of something: END or bytes at the end are missing
	Damaged                    // the right format, but with something in it that cannot be
)

// Error reports why input cannot be read. Its text continues the name of the input and a colon,
// which only the caller knows.
type Error struct {
	Reason Reason
	text   string
}

// Error returns the text.
func (e *Error) Error() string { return e.text }

func fail(reason Reason, format string, args ...any) error {
	return &Error{reason, fmt.Sprintf(format, args...)}
}
