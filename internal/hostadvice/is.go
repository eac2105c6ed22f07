package hostadvice

import (
	"errors"
	"io/fs"
)

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// as returns what an error is or wraps of a type; nil, or zero, if there is none.
func as[T error](err error) T {
	e, _ := errors.AsType[T](err)
	return e
}

// at reports whether an error is one of some kind, and names a path.
func at(target error) func(error) bool {
	return func(err error) bool { return is[*fs.PathError](err) && errors.Is(err, target) }
}
