package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// ErrNoTerminal reports that a question could not be asked. What asks tells the user which
// flag or variable answers it instead.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// ErrInterrupted reports that a person gave up at a prompt (Ctrl-C). It is a context.Canceled, too; Main
// ends with ExitInterrupted.
var ErrInterrupted error = interruptedError{}

type interruptedError struct{}

func (interruptedError) Error() string        { return "interrupted at the prompt" }
func (interruptedError) Is(target error) bool { return target == context.Canceled }

// gaveUp is why a prompt ended whose context signal.NotifyContext made.
func gaveUp(ctx context.Context) error {
	if strings.HasPrefix(context.Cause(ctx).Error(), os.Interrupt.String()) {
		return ErrInterrupted
	}
	return context.Canceled
}

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
	password, err := ask(in, out, prompt)
	if errors.Is(err, ErrInterrupted) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read from the terminal: %w", err)
	}
	return password, nil
}

// ask shows the prompt once nothing of what is typed is shown any more: who sees it may type. It
// ends with ErrInterrupted when the person gives up (Ctrl-C), and leaves the terminal as it was:
// without that it would go on without echo.
func ask(in *os.File, out io.Writer, prompt string) (password []byte, err error) {
	fd := int(in.Fd())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	if err := hideInput(fd); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, term.Restore(fd, before))
		fmt.Fprintln(out)
	}()
	fmt.Fprintf(out, "%s: ", prompt)
	type answer struct {
		password []byte
		err      error
	}
	answered := make(chan answer, 1) // the reader of an interrupted question stays until the process ends
	go func() {
		password, err := readLine(in)
		answered <- answer{password, err}
	}()
	select {
	case a := <-answered:
		return a.password, a.err
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	}
}

// readLine reads a line without its ending, and no byte behind it: that is the next answer's. The
// end of input ends a line, too, unless it is empty.
func readLine(r io.Reader) ([]byte, error) {
	line := make([]byte, 0, 256) // that no shorter copy of a password stays behind
	for one := make([]byte, 1); ; {
		n, err := r.Read(one)
		switch {
		case n == 0 && err == io.EOF && len(line) > 0:
			return line, nil
		case n == 0 && err != nil:
			return nil, err
		case n == 0:
		case one[0] == '\n':
			return bytes.TrimSuffix(line, []byte("\r")), nil
		case one[0] == '\b': // of a terminal that erases with another key
			line = line[:max(0, len(line)-1)]
		default:
			line = append(line, one[0])
		}
	}
}

// IsTerminal reports whether a stream, such as standard error, is a terminal: whether what is
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
