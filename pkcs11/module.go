package pkcs11

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Options says how modules are loaded and tokens unlocked.
type Options struct {
	// Helper is the path of kedge-pkcs11; empty: FindHelper finds it.
	Helper string
	// Module is the path or name of the module. It goes before what a URI says; where neither
	// says anything it is p11-kit-proxy, which stands for all that the system has configured.
	Module string
	// PIN is asked for the PIN where the URI has none. It may be nil.
	PIN PINFunc
	// ReusePIN keeps a PIN that was right in memory: for keys that want it at each use
	// (CKA_ALWAYS_AUTHENTICATE), and to log in again after a token was pulled or the module
	// died. Without it PIN is asked again.
	ReusePIN bool
	// Brief ends the module and its process after each signature, without waiting for it: for a
	// program that wants one, and has something else to do meanwhile. The next call starts it
	// again, with the same PIN. A token with a PIN pad is kept, for people type but once.
	Brief bool
	// SpareLast tries no PIN if the token reports that the next wrong one locks it: for a program that only
	// examines a key. The error is a *PINError then.
	SpareLast bool
	// PINCommands allows a pin-source of the form "|command", which a shell runs.
	PINCommands bool
	// Timeout is how long the module may take for one call before its process is ended.
	// Zero: 30 s. Generating a key and typing at a PIN pad may take longer.
	Timeout time.Duration
	// Environment is that of the module's process. Nil: this one's. Leave out what holds a PIN.
	Environment []string
}

// Module is a PKCS#11 module in a process of its own, which is started again when it has died.
// It is safe for concurrent use.
type Module struct {
	o    Options
	path string
	pins pinMemory

	mu     sync.Mutex // guards the rest
	p      *process   // nil, or the last one started
	closed bool
}

// Load loads the module that o or the URI names. Close ends it. Errors are *MissingHelperError,
// *HelperError, and words of the dynamic linker.
func Load(ctx context.Context, u URI, o Options) (*Module, error) {
	path, err := ModulePath(u, o.Module)
	if err != nil {
		return nil, err
	}
	if o.Helper, err = FindHelper(o.Helper); err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	m := &Module{o: o, path: path}
	if _, err := m.running(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// running returns a process that is alive, starting one where the last has ended.
func (m *Module) running(ctx context.Context) (*process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	if m.p != nil && m.p.alive() {
		return m.p, nil
	}
	var err error
	m.p, err = start(ctx, m.path, &m.o)
	return m.p, err
}

// Close ends the module and its process. Calls under way fail.
func (m *Module) Close() error {
	m.mu.Lock()
	p := m.p
	m.p, m.closed = nil, true
	m.mu.Unlock()
	if p != nil {
		p.close()
	}
	m.pins.clear()
	return nil
}

// Path returns the path of the module.
func (m *Module) Path() string { return m.path }

// Library returns what the module says of itself.
func (m *Module) Library(ctx context.Context) (string, error) {
	p, err := m.running(ctx)
	if err != nil {
		return "", err
	}
	l := p.library
	return fmt.Sprintf("%s %s %d.%d", l.Manufacturer, l.Description, l.Major, l.Minor), nil
}
