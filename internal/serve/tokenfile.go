package serve

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/atomicfile"
)

// TokenFile is where clients of the container endpoint find what they must send.
type TokenFile struct {
	path  string // empty: there is no such endpoint
	token string
}

// TokenFileError reports that the file cannot be made.
type TokenFileError struct{ Err error }

func (e *TokenFileError) Error() string {
	return "the token of the container endpoint: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *TokenFileError) Unwrap() error { return e.Err }

// NewTokenFile makes a token and its file, 0600 and without the end of line that SDKs refuse. Without a
// path there is neither. The error is a *TokenFileError.
func NewTokenFile(path string) (*TokenFile, error) {
	if path == "" {
		return &TokenFile{}, nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, &TokenFileError{err}
	}
	f := &TokenFile{path, rand.Text()}
	return f, f.Write()
}

// Path is absolute; empty: there is no file.
func (f *TokenFile) Path() string { return f.path }

// Token is what the file holds.
func (f *TokenFile) Token() string { return f.token }

// Write puts the token, again perhaps, into its file. What is there must be a token of this program: a
// mistyped path costs no other file, and a link leads to none.
func (f *TokenFile) Write() error {
	if f.path == "" {
		return nil
	}
	target, err := atomicfile.OpenUnfollowed(f.path, 0o700)
	if err != nil {
		return &TokenFileError{err}
	}
	defer target.Close()
	file := atomicfile.File{Data: []byte(f.token), Mode: 0o600}
	found, err := readToken(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = target.Create(file)
	case err == nil && !isToken(found):
		err = &ForeignTokenError{f.path}
	case err == nil:
		err = target.Write(file)
	}
	if err != nil {
		return &TokenFileError{err}
	}
	return nil
}

// ForeignTokenError is a file that holds no token of this program.
type ForeignTokenError struct{ Path string }

func (e *ForeignTokenError) Error() string {
	return e.Path + " is not replaced: it holds something else than a token of kedge"
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

// Remove takes the file away, unless another process has put its own there.
func (f *TokenFile) Remove() error {
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
