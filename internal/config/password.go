package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"kedge/internal/pemread"
	"kedge/signer/keyfile"
)

// maxPassword bounds what is read as a password: anything longer is the wrong file.
const maxPassword = 4 << 10

// passwordSource specifies where the password of the key is.
type passwordSource struct {
	flag   string // that names it
	input  Input
	prompt bool   // ask, and fail where there is no terminal
	text   string // given on the command line, as the official helper wants it
}

func parsePasswordSource(flag, ref, text string) (passwordSource, error) {
	if ref != "" && text != "" {
		return passwordSource{}, flagErrorf(flag, "cannot be used together with --pkcs8-password")
	}
	if ref == "prompt" {
		return passwordSource{flag: flag, prompt: true}, nil
	}
	input, err := ParseInput(ref)
	if err != nil {
		return passwordSource{}, &FlagError{Flag: flag, Err: err}
	}
	return passwordSource{flag: flag, input: input, text: text}, nil
}

// Password is where a password is that something is to be encrypted with.
type Password struct{ from passwordSource }

// ErrPasswordEmpty and ErrPasswordsDiffer say that nothing should be encrypted with what was
// given.
var (
	ErrPasswordEmpty   = errors.New("the password is empty")
	ErrPasswordsDiffer = errors.New("the two passwords differ")
)

// NewPassword checks the value of a flag, a reference or "prompt", and reads nothing. The
// empty value asks on the terminal. Every error is a *FlagError.
func NewPassword(flag, ref string) (Password, error) {
	from, err := parsePasswordSource(flag, ref, "")
	return Password{from}, err
}

// Read returns the password, which is not empty. On the terminal it is asked twice: a slip
// would lose what is encrypted. The error wraps keyfile.ErrPasswordRequired where there is
// none to ask on. what is the file to be encrypted.
func (p Password) Read(h Host, what string) ([]byte, error) {
	password, err := p.from.reader(h, what)()
	if err != nil {
		return nil, err
	}
	if p.from.input.IsZero() {
		again, err := h.Ask("The same again")
		if err != nil {
			return nil, err
		}
		defer clear(again)
		if !bytes.Equal(password, again) {
			return nil, ErrPasswordsDiffer
		}
	}
	if len(password) == 0 {
		return nil, ErrPasswordEmpty
	}
	return password, nil
}

// Warnings are what endangers the password.
func (p Password) Warnings() []string { return openToOthers("password file", p.from.input) }

// reader returns the function that gets the password when, and only when, a key turns out
// to be encrypted. What can be read or asked only once is remembered.
func (p passwordSource) reader(h Host, keyName string) keyfile.PasswordFunc {
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

// errNotAsked stands where Host.Ask is missing.
var errNotAsked = errors.New("this program does not ask")

func (p passwordSource) ask(h Host, keyName string) ([]byte, error) {
	err := errNotAsked
	var password []byte
	if h.Ask != nil {
		password, err = h.Ask("Password of " + keyName)
	}
	switch {
	case err == nil:
		return password, nil
	case p.prompt:
		return nil, fmt.Errorf("--%s prompt: %w", p.flag, err)
	}
	return nil, fmt.Errorf("%w (%w)", keyfile.ErrPasswordRequired, err)
}

func (p passwordSource) read(stdin io.Reader) ([]byte, error) {
	data, err := p.input.readSecret(stdin)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", p.flag, err)
	}
	return data, nil
}

// readSecret reads what [pemread.Secret] takes out of a file. The content of a variable is the secret.
func (in Input) readSecret(stdin io.Reader) ([]byte, error) {
	data, err := in.read(stdin, maxPassword)
	if err != nil || in.kind == envInput {
		return data, err
	}
	if in.onlyOnce() && len(data) == 0 { // not an empty secret: a TPM would count it
		return nil, fmt.Errorf("%s is empty, or was read before", in.Name())
	}
	if data, err = pemread.Secret(data); err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name(), err)
	}
	return data, nil
}

// OpenToOthers returns a warning when more than its owner and group can read the file at path, which
// holds a secret; what is what the warning calls it.
func OpenToOthers(what, path string) []string {
	return openToOthers(what, Input{kind: fileInput, value: path})
}

// openToOthers is a warning when more than its owner and group can read a secret file. It is not an error,
// for mounted secrets in containers often are so and cannot be changed there.
func openToOthers(what string, in Input) []string {
	path, ok := in.Path()
	if !ok {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	access := accessOfOthers(info.Mode())
	if access == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s %s %s (mode %04o); run: chmod 600 %s", what, path, access, info.Mode().Perm(), path)}
}
