package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Limit returns the value of a flag that may be repeated and limits something. Each value is taken as it is,
// with its commas. An empty one, such as that of a variable of the shell that is not set, is refused: without
// it the command would allow more than was meant.
func Limit(to *[]string) pflag.Value {
	return limit{to, func(text string) []string { return []string{text} }}
}

// LimitList is like Limit, but a value can be several with commas between them.
func LimitList(to *[]string) pflag.Value {
	return limit{to, func(text string) []string { return strings.Split(text, ",") }}
}

type limit struct {
	to    *[]string
	split func(string) []string
}

var errEmptyLimit = errors.New("it is empty: leave the flag out if there is no such limit")

// Set adds values.
func (l limit) Set(text string) error { return l.add(l.split(text)) }

// Append adds one value.
func (l limit) Append(text string) error { return l.add([]string{text}) }

// Replace sets all values.
func (l limit) Replace(values []string) error {
	*l.to = nil
	return l.add(values)
}

func (l limit) add(values []string) error {
	if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
		return errEmptyLimit
	}
	*l.to = append(*l.to, values...)
	return nil
}

// GetSlice returns the values.
func (l limit) GetSlice() []string { return *l.to }

// Type is the one of pflag's own flags that may be repeated.
func (l limit) Type() string { return "stringArray" }

// String returns the values for a default in the help; there is none.
func (l limit) String() string {
	if l.to == nil {
		return ""
	}
	return strings.Join(*l.to, ",")
}
