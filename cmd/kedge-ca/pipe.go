package main

import (
	"errors"
	"io"
	"syscall"
)

// reader is the host for commands that only look. A pipe whose reader has seen enough, as in
// "kedge-ca list | head", is no error for them, as for other programs that filter and list. What
// issues or signs must tell that its output was lost.
func (h host) reader() host {
	h.Out = untilClosed{h.Out}
	return h
}

// untilClosed drops what comes after the reader of a pipe has gone.
type untilClosed struct{ io.Writer }

func (w untilClosed) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}
