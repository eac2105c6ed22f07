package pkcs11

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kedge/internal/pemread"
	"kedge/internal/safefile"
)

// maxPIN bounds the size of a PIN: a longer one means a wrong file.
const maxPIN = 4 << 10

// PINFunc returns a PIN. It is called by one goroutine at a time for a token; the bytes it returns
// are cleared after use. Its error is returned to the caller.
type PINFunc func(PINInfo) ([]byte, error)

// PINInfo describes the PIN that is needed.
type PINInfo struct {
	Token   string // label
	Serial  string // of the token
	Key     string // URI of the key if the PIN is for one use of it (CKA_ALWAYS_AUTHENTICATE), else empty
	Retries Retries
}

// account is the token or key that a PIN is for.
type account struct{ serial, token, key string }

func (i PINInfo) account() account { return account{i.Serial, i.Token, i.Key} }

// pinMemory remembers PINs: right ones, if enabled, and a hash of refused ones, so that none is
// tried twice.
type pinMemory struct {
	mu      sync.Mutex
	right   map[account][]byte
	salt    []byte
	refused map[account][][sha256.Size]byte
}

func (m *pinMemory) hash(pin []byte) [sha256.Size]byte {
	if m.salt == nil {
		m.salt = make([]byte, 16)
		rand.Read(m.salt)
	}
	return sha256.Sum256(append(bytes.Clone(m.salt), pin...))
}

// refuse records a PIN that the token refused.
func (m *pinMemory) refuse(a account, pin []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = map[account][][sha256.Size]byte{}
	}
	m.refused[a] = append(m.refused[a], m.hash(pin))
}

func (m *pinMemory) wasRefused(a account, pin []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.refused[a]) == 0 {
		return false
	}
	sum := m.hash(pin)
	for _, old := range m.refused[a] {
		if old == sum {
			return true
		}
	}
	return false
}

func (m *pinMemory) keep(a account, pin []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.right == nil {
		m.right = map[account][]byte{}
	}
	m.right[a] = bytes.Clone(pin)
}

// kept returns the right PIN of the account or, if that is a key, of its token.
func (m *pinMemory) kept(a account) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if pin := m.right[a]; pin != nil {
		return bytes.Clone(pin)
	}
	a.key = ""
	return bytes.Clone(m.right[a])
}

func (m *pinMemory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pin := range m.right {
		clear(pin)
	}
	m.right = nil
}

// pin returns the PIN that info describes: from the URI, from memory, or from Options.PIN. If the
// token has refused that PIN before, it returns a *PINError.
func (m *Module) pin(ctx context.Context, u URI, info PINInfo) ([]byte, error) {
	pin, err := m.findPIN(ctx, u, info)
	switch {
	case err != nil:
		return nil, fmt.Errorf("PIN of token %q: %w", info.Token, err)
	case len(pin) == 0:
		return nil, &PINError{Token: info.Token, Retries: info.Retries, Reason: "is empty, and was not tried"}
	case m.pins.wasRefused(info.account(), pin):
		clear(pin)
		return nil, &PINError{Token: info.Token, Retries: info.Retries, Reason: "is the one that the token refused before; it was not tried again"}
	}
	return pin, nil
}

func (m *Module) findPIN(ctx context.Context, u URI, info PINInfo) ([]byte, error) {
	if value, ok := u.lookup("pin-value"); ok {
		return []byte(value), nil
	}
	if source, ok := u.lookup("pin-source"); ok {
		return m.readPIN(ctx, source)
	}
	if pin := m.pins.kept(info.account()); pin != nil && !m.pins.wasRefused(info.account(), pin) {
		return pin, nil
	}
	if m.o.PIN == nil {
		return nil, ErrPINRequired
	}
	return m.o.PIN(info)
}

// readPIN reads a pin-source, RFC 7512 section 2.4: a file URI, a path, or "|" and a command.
func (m *Module) readPIN(ctx context.Context, source string) ([]byte, error) {
	if command, ok := strings.CutPrefix(source, "|"); ok {
		if !m.o.PINCommands {
			return nil, errors.New("pin-source is a command, which is not allowed here")
		}
		return m.pinOf(ctx, command)
	}
	path, err := pinPath(source)
	if err != nil {
		return nil, fmt.Errorf("pin-source: %w", err)
	}
	data, err := safefile.ReadInput(path, maxPIN)
	if err != nil {
		return nil, fmt.Errorf("pin-source: %w", err)
	}
	if data, err = pemread.Secret(data); err != nil {
		return nil, fmt.Errorf("pin-source: %s: %w", path, err)
	}
	return firstLine(data), nil
}

// pinOf runs a command of the user that prints the PIN.
func (m *Module) pinOf(ctx context.Context, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Env = m.o.Environment
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("pin-source: run the command: %w", err)
	}
	return firstLine(out), nil
}

// hasPIN reports whether the URI has a PIN or a pin-source.
func (u URI) hasPIN() bool {
	_, value := u.lookup("pin-value")
	_, source := u.lookup("pin-source")
	return value || source
}

// PINFile returns the path of the file that the URI's pin-source names, or "" if it has none or it
// is a command.
func (u URI) PINFile() (string, error) {
	source := u.value("pin-source")
	if source == "" || strings.HasPrefix(source, "|") {
		return "", nil
	}
	return pinPath(source)
}

func pinPath(source string) (string, error) {
	if len(source) >= 5 && strings.EqualFold(source[:5], "file:") {
		u, err := url.Parse(source)
		if err != nil {
			return "", errors.New("is not a proper file URI")
		}
		if u.Host != "" && u.Host != "localhost" {
			return "", fmt.Errorf("is a file on another machine, %s", u.Host)
		}
		source = u.Path
		if u.Opaque != "" { // file:relative
			source = u.Opaque
		}
	}
	if !filepath.IsAbs(source) {
		return "", fmt.Errorf("%q is neither an absolute path nor a file URI with one", source)
	}
	return source, nil
}

// firstLine removes the line ending that an editor or echo adds to a PIN.
func firstLine(data []byte) []byte {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
