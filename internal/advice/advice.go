// Package advice says what to do after errors of the CA's libraries, in the words of kedge-ca: one
// sentence, with a command or a flag to use where there is one, and nothing where the package
// knows none. The errors of commands are advised on where the commands are. kedge has a table of its
// own, so that it links no CA.
package advice

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"

	"kedge/internal/config"
)

// Access says who may use the path that an error names, and ends where more can be said.
func Access(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	text := cmp.Or(config.DescribeAccess(path.Path), config.DescribeAccess(filepath.Dir(path.Path)))
	if text == "" {
		return ""
	}
	return text + "; "
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
