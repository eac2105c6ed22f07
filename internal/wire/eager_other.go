//go:build !unix

package wire

import (
	"io"
	"os"
)

// Pipe returns a pipe.
func Pipe() (r, w *os.File, err error) { return os.Pipe() }

// Eager returns the pipe: this system has no reading that does not sleep.
func Eager(pipe *os.File) io.Reader { return pipe }
