package main

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/atomicfile"
	"kedge/internal/config"
)

// tokenFile is where clients of the container endpoint find what they must send.
type tokenFile struct {
	path  string // empty: there is no such endpoint
	token string
}

// tokenFileError says that the file cannot be made.
type tokenFileError struct{ error }

func (e *tokenFileError) Error() string {
	return "the token of the container endpoint: " + e.error.Error()
}
func (e *tokenFileError) Unwrap() error { return e.error }

// newTokenFile makes a token and its file, 0600 and without the end of line that SDKs refuse. Without
// --token-file it lies where files last as long as the process or the user's session.
func newTokenFile(path, port string) (*tokenFile, error) {
	if path == "" {
		path = config.ServiceFile("token-" + port)
	}
	if path == "" {
		return &tokenFile{}, nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, &tokenFileError{err}
	}
	f := &tokenFile{path, rand.Text()}
	return f, f.write()
}

// write puts the token, again perhaps, into its file. What is there must be a token of this program: a
// mistyped path costs no other file, and a link leads to none.
func (f *tokenFile) write() error {
	if f.path == "" {
		return nil
	}
	target, err := atomicfile.OpenUnfollowed(f.path, 0o700)
	if err != nil {
		return &tokenFileError{err}
	}
	defer target.Close()
	file := atomicfile.File{Data: []byte(f.token), Mode: 0o600}
	found, err := readToken(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = target.Create(file)
	case err == nil && !isToken(found):
		err = &foreignTokenError{f.path}
	case err == nil:
		err = target.Write(file)
	}
	if err != nil {
		return &tokenFileError{err}
	}
	return nil
}

// foreignTokenError is a file that holds no token of this program.
type foreignTokenError struct{ path string }

func (e *foreignTokenError) Error() string {
	return e.path + " is not replaced: it holds something else than a token of kedge"
}

// readToken returns what is in the file, as far as that can be a token.
func readToken(target *atomicfile.Target) (string, error) {
	file, err := target.OpenFile(os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 100))
	return string(data), err
}

// isToken reports whether a text can be what rand.Text made: 26 signs of base32.
func isToken(text string) bool {
	return len(text) == 26 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// remove takes the file away, unless another process has put its own there.
func (f *tokenFile) remove() error {
	if f.path == "" {
		return nil
	}
	target, err := atomicfile.OpenUnfollowed(f.path, 0)
	if err != nil {
		return ignoreMissing(err)
	}
	defer target.Close()
	if found, err := readToken(target); err != nil || found != f.token {
		return ignoreMissing(err)
	}
	return target.Remove()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
