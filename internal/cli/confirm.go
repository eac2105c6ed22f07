package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Confirm asks a question on the controlling terminal and reports whether the answer was yes.
// Standard input and output are left alone. It returns ErrNoTerminal at once where there is
// none, and ErrInterrupted when the person gives up (Ctrl-C).
func Confirm(question string) (bool, error) {
	in, out, err := openTerminal()
	if err != nil {
		return false, err
	}
	defer in.Close()
	defer out.Close()
	return interruptible(out, func() (bool, error) { return confirm(in, out, question) })
}

// interruptible waits for an answer, or for SIGINT or SIGTERM. The reader of an interrupted question
// stays until the process ends.
func interruptible[T any](out io.Writer, read func() (T, error)) (T, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	type answer struct {
		value T
		err   error
	}
	answered := make(chan answer, 1)
	go func() {
		value, err := read()
		answered <- answer{value, err}
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		fmt.Fprintln(out)
		var none T
		return none, gaveUp(ctx)
	}
}

// maxAnswers is how often a question is asked before silence counts as no.
const maxAnswers = 3

// confirm takes "y" and "yes", in any case, for yes; "n", "no", an empty line and the end of
// input for no; after anything else it asks again.
func confirm(in io.Reader, out io.Writer, question string) (bool, error) {
	lines := bufio.NewReader(io.LimitReader(in, 4<<10))
	for range maxAnswers {
		fmt.Fprintf(out, "%s [y/N] ", Printable(question))
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return false, fmt.Errorf("read from the terminal: %w", err)
		}
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		case "n", "no", "":
			return false, nil
		}
		if err != nil {
			break
		}
		fmt.Fprintln(out, `Please type "yes" or "no".`)
	}
	return false, nil
}

// UnconfirmedError reports that a step that cannot be undone was not confirmed by --yes, and cannot be
// on a terminal: the command line lacks something.
type UnconfirmedError struct {
	Question string
	Err      error
}

func (e *UnconfirmedError) Error() string { return e.Question + " needs a yes, and " + e.Err.Error() }

func (e *UnconfirmedError) Unwrap() error { return e.Err }
