package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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

// write puts the token, again perhaps, into its file.
func (f *tokenFile) write() error {
	if f.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return &tokenFileError{err}
	}
	if err := atomicfile.Write(f.path, []byte(f.token), 0o600); err != nil {
		return &tokenFileError{err}
	}
	return nil
}

// remove takes the file away, unless another process has put its own there.
func (f *tokenFile) remove() error {
	if f.path == "" {
		return nil
	}
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(data) != f.token {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(f.path)
}
