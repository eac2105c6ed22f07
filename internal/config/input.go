package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"kedge/internal/keys"
	"kedge/internal/safefile"
)

// Input is a reference to bytes, as the flags take it:
//
//	PATH       a file
//	file:PATH  a file, whatever its name looks like
//	-          standard input
//	fd:N       the open file descriptor N
//	env:NAME   the environment variable NAME
//
// The zero Input refers to nothing. Inputs are comparable: equal inputs are the same bytes.
type Input struct {
	kind  inputKind
	value string // path or variable
	fd    int
}

type inputKind int

const (
	noInput inputKind = iota
	fileInput
	streamInput // standard input is descriptor 0
	envInput
	hardwareInput
)

// ErrHardware reports that a reference is to something in hardware, where bytes are wanted.
var ErrHardware = errors.New("what is in hardware, not bytes that can be read here")

// UnsetError is a reference to a variable that the environment does not have.
type UnsetError struct{ Variable string }

func (e *UnsetError) Error() string { return "environment variable " + e.Variable + " is not set" }

// ParseInput parses a reference; the empty text is the zero Input. References to what is in
// hardware are refused here, so that no command takes "pkcs11:..." for a file name.
func ParseInput(text string) (Input, error) {
	scheme, rest, hasScheme := strings.Cut(text, ":")
	switch {
	case text == "":
		return Input{}, nil
	case text == "-":
		return Input{kind: streamInput}, nil
	case strings.ContainsRune(text, 0):
		return Input{}, errors.New("a path cannot hold a NUL byte")
	case !hasScheme:
		return Input{kind: fileInput, value: text}, nil
	}
	switch scheme {
	case "file":
		if rest == "" {
			return Input{}, errors.New("file: needs a path, as in file:/etc/kedge/key.pem")
		}
		return Input{kind: fileInput, value: rest}, nil
	case "env":
		if rest == "" || strings.Contains(rest, "=") {
			return Input{}, errors.New("env: needs the name of a variable, as in env:KEDGE_KEY")
		}
		return Input{kind: envInput, value: rest}, nil
	case "fd":
		fd, err := strconv.ParseUint(rest, 10, 16)
		if err != nil {
			return Input{}, errors.New("fd: needs the number of an open descriptor, as in fd:3")
		}
		return Input{kind: streamInput, fd: int(fd)}, nil
	case "pkcs11", "handle", "tpm":
		return Input{}, fmt.Errorf("%s: names %w", scheme, ErrHardware)
	}
	return Input{kind: fileInput, value: text}, nil // C:\key.pem, or a file with a colon
}

// IsZero reports whether the input refers to nothing: the flag was not given.
func (in Input) IsZero() bool { return in.kind == noInput }

// String gives the input as ParseInput takes it.
func (in Input) String() string {
	switch in.kind {
	case fileInput:
		if plain, err := ParseInput(in.value); err == nil && plain == in {
			return in.value
		}
		return "file:" + in.value
	case hardwareInput:
		return in.value
	case envInput:
		return "env:" + in.value
	case streamInput:
		if in.fd == 0 {
			return "-"
		}
		return "fd:" + strconv.Itoa(in.fd)
	}
	return ""
}

// Name is what messages call the input: the path, or words.
func (in Input) Name() string {
	switch in.kind {
	case hardwareInput:
		return keys.WithoutSecrets(in.value)
	case envInput:
		return "environment variable " + in.value
	case streamInput:
		if in.fd == 0 {
			return "standard input"
		}
		return "descriptor " + strconv.Itoa(in.fd)
	}
	return in.value
}

// Path is the file's path; ok is false for any other kind of input.
func (in Input) Path() (path string, ok bool) { return in.value, in.kind == fileInput }

// maxText bounds what Text reads.
const maxText = 4 << 10

// Text reads a short text, such as where a database is, without the line ending after it. The
// error names the input, never its content.
func (in Input) Text(stdin io.Reader) (string, error) {
	data, err := in.read(stdin, maxText)
	return strings.TrimRight(string(data), "\r\n"), err
}

// onlyOnce reports whether reading takes the bytes away, so that no second flag can have them.
func (in Input) onlyOnce() bool { return in.kind == streamInput }

// read returns the bytes, or an error that names the input: nothing there, or more than
// limit bytes. It reads no more than limit bytes and one.
func (in Input) read(stdin io.Reader, limit int64) ([]byte, error) {
	switch in.kind {
	case envInput:
		text, ok := os.LookupEnv(in.value)
		if !ok {
			return nil, &UnsetError{Variable: in.value}
		}
		return in.readFrom(strings.NewReader(text), limit)
	case streamInput:
		if in.fd == 0 {
			return in.readFrom(stdin, limit)
		}
		f, err := openDescriptor(in.fd, in.Name())
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", in.Name(), err)
		}
		defer f.Close()
		return in.readFrom(f, limit)
	}
	return safefile.ReadInput(in.value, limit)
}

func (in Input) readFrom(r io.Reader, limit int64) ([]byte, error) {
	if r == nil {
		return nil, fmt.Errorf("%s is not open", in.Name())
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		if path := (*os.PathError)(nil); errors.As(err, &path) {
			err = path.Err // the name is said below
		}
		return nil, fmt.Errorf("read %s: %w", in.Name(), err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d KiB", in.Name(), limit>>10)
	}
	return data, nil
}
