package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"kedge/signer"
)

// maxPassword bounds what is read as a password: anything longer is the wrong file.
const maxPassword = 4 << 10

// passwordSource says where the password of the key is.
type passwordSource struct {
	input  Input
	prompt bool   // ask, and fail where there is no terminal
	text   string // given on the command line, as the official helper wants it
}

func parsePasswordSource(ref, text string) (passwordSource, error) {
	if ref != "" && text != "" {
		return passwordSource{}, flagErrorf("key-password-from", "cannot be used together with --pkcs8-password")
	}
	if ref == "prompt" {
		return passwordSource{prompt: true}, nil
	}
	input, err := ParseInput(ref)
	if err != nil {
		return passwordSource{}, &FlagError{Flag: "key-password-from", Err: err}
	}
	return passwordSource{input: input, text: text}, nil
}

// reader returns the function that gets the password when, and only when, a key turns out
// to be encrypted. What can be read or asked only once is remembered.
func (p passwordSource) reader(h Host, keyName string) signer.PasswordFunc {
	switch {
	case p.text != "":
		return func() ([]byte, error) { return []byte(p.text), nil }
	case p.input.IsZero():
		return sync.OnceValues(func() ([]byte, error) { return p.ask(h, keyName) })
	case p.input.onlyOnce():
		return sync.OnceValues(func() ([]byte, error) { return p.read(h.Stdin) })
	}
	return func() ([]byte, error) { return p.read(h.Stdin) }
}

func (p passwordSource) ask(h Host, keyName string) ([]byte, error) {
	err := errors.New("this program does not ask")
	var password []byte
	if h.Ask != nil {
		password, err = h.Ask("Password of " + keyName)
	}
	switch {
	case err == nil:
		return password, nil
	case p.prompt:
		return nil, fmt.Errorf("--key-password-from prompt: %w", err)
	}
	return nil, fmt.Errorf("%w (%w)", signer.ErrPasswordRequired, err)
}

// read strips one line ending: editors and echo put it there.
func (p passwordSource) read(stdin io.Reader) ([]byte, error) {
	data, err := p.input.read(stdin, maxPassword)
	if err != nil {
		return nil, fmt.Errorf("--key-password-from: %w", err)
	}
	if p.input.kind == envInput {
		return data, nil
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	return bytes.TrimSuffix(data, []byte("\r")), nil
}

// OpenToOthers returns a warning when more than its owner can read the file at path, which
// holds a secret; what is what the warning calls it.
func OpenToOthers(what, path string) []string {
	return openToOthers(what, Input{kind: fileInput, value: path})
}

// openToOthers is a warning when more than its owner can read a secret file. It is not an error,
// for mounted secrets in containers often are so and cannot be changed there.
func openToOthers(what string, in Input) []string {
	path, ok := in.Path()
	if !ok {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || !readableByOthers(info.Mode()) {
		return nil
	}
	return []string{fmt.Sprintf("%s %s can be read by other users (mode %04o); run: chmod 600 %s", what, path, info.Mode().Perm(), path)}
}
