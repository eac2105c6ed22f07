package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/term"
)

// ErrNoTerminal says that a question could not be asked. What asks tells the user which
// flag or variable answers it instead.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// Password asks on the controlling terminal, without echo. Standard input and output are
// left alone: they belong to the SDK that runs the program. It returns ErrNoTerminal at
// once where there is none.
func Password(prompt string) ([]byte, error) {
	in, out, err := openTerminal()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer out.Close()
	fmt.Fprintf(out, "%s: ", prompt)
	password, err := readPassword(int(in.Fd()))
	fmt.Fprintln(out)
	if err != nil {
		return nil, fmt.Errorf("read from the terminal: %w", err)
	}
	return password, nil
}

// readPassword ends with context.Canceled when the person gives up (Ctrl-C), and leaves the
// terminal as it was: without that it would go on without echo.
func readPassword(fd int) ([]byte, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	type answer struct {
		password []byte
		err      error
	}
	answered := make(chan answer, 1) // the reader of an interrupted question stays until the process ends
	go func() {
		password, err := term.ReadPassword(fd)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		return a.password, a.err
	case <-ctx.Done():
		return nil, errors.Join(context.Canceled, term.Restore(fd, before))
	}
}

// IsTerminal says whether a stream, such as standard error, is a terminal: whether what is
// drawn there is seen by a person.
func IsTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

func openTerminal() (in, out *os.File, err error) {
	inPath, outPath := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		inPath, outPath = "CONIN$", "CONOUT$"
	}
	if in, err = os.OpenFile(inPath, os.O_RDWR, 0); err != nil {
		return nil, nil, ErrNoTerminal
	}
	if out, err = os.OpenFile(outPath, os.O_WRONLY, 0); err != nil {
		in.Close()
		return nil, nil, ErrNoTerminal
	}
	if !term.IsTerminal(int(in.Fd())) {
		in.Close()
		out.Close()
		return nil, nil, ErrNoTerminal
	}
	return in, out, nil
}
