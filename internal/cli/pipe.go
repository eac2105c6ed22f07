package cli

import (
	"errors"
	"io"
	"syscall"
)

// UntilClosed drops what is written to a pipe after its reader has gone, as in "list | head": for
// commands that only look, as for other programs that filter and list, that is no error.
func UntilClosed(w io.Writer) io.Writer { return untilClosed{w} }

type untilClosed struct{ io.Writer }

func (w untilClosed) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}
