package pkcs11

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"kedge/internal/wire"
)

// farewell is how long a process may take to end after it was told to.
const farewell = 4 * time.Second

// process is a running kedge-pkcs11 with a module loaded. It is safe for concurrent use.
type process struct {
	module  string // path
	timeout time.Duration
	library wire.Library
	cmd     *exec.Cmd
	said    firstWords
	ended   chan struct{} // closed once err is set

	writing sync.Mutex // guards writing to in, which may block
	in      io.WriteCloser

	mu      sync.Mutex // guards the rest
	next    uint64
	pending map[uint64]chan<- *wire.Response
	retired bool
	why     string // it was killed
	err     error  // with which it ended
	slots   map[uint64]*slotState
}

// start runs the helper and loads the module.
func start(ctx context.Context, module string, o *Options) (*process, error) {
	p := &process{
		module: module, timeout: o.Timeout, cmd: exec.Command(o.Helper), ended: make(chan struct{}),
		pending: map[uint64]chan<- *wire.Response{}, slots: map[uint64]*slotState{},
	}
	p.cmd.Env = o.Environment
	p.cmd.Stderr = &p.said
	p.cmd.WaitDelay = time.Second // what the module started may keep standard error open
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Helper, err)
	}
	out, theirs, err := wire.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Helper, err)
	}
	p.cmd.Stdout = theirs
	err = p.cmd.Start()
	theirs.Close()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("start kedge-pkcs11: %w", err)
	}
	go p.read(out)
	a, err := p.call(ctx, &wire.Request{Op: wire.OpLoad, Object: wire.Version, Data: []byte(module)})
	if err != nil {
		p.kill("was not needed any more")
		return nil, fmt.Errorf("load PKCS#11 module: %w", p.named(err))
	}
	p.library = a.Library
	return p, nil
}

// named adds the path of the module to an error that does not show it.
func (p *process) named(err error) error {
	if strings.Contains(err.Error(), p.module) {
		return err
	}
	return fmt.Errorf("%s: %w", p.module, err)
}

// call sends a request and waits for its answer. A module that takes longer than the timeout
// is ended with its process; when ctx is done it is merely not waited for.
func (p *process) call(ctx context.Context, q *wire.Request) (*wire.Response, error) {
	limit := p.limit(q)
	timer := time.AfterFunc(limit, func() { p.kill(fmt.Sprintf("did not answer within %s and was ended", limit)) })
	defer timer.Stop()
	answered := make(chan *wire.Response, 1)
	if err := p.send(q, answered); err != nil {
		return nil, err
	}
	select {
	case a := <-answered:
		return result(a)
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ended:
	}
	select {
	case a := <-answered: // its last words
		return result(a)
	default:
		return nil, p.err
	}
}

// limit is how long a call may take. People type slowly at a PIN pad, and a card may look for
// primes for minutes.
func (p *process) limit(q *wire.Request) time.Duration {
	switch {
	case q.Auth == wire.AuthPad:
		return max(p.timeout, 2*time.Minute)
	case q.Op == wire.OpGenerate:
		return max(p.timeout, 5*time.Minute)
	}
	return p.timeout
}

func result(a *wire.Response) (*wire.Response, error) {
	if a.Code != 0 {
		return nil, &callError{call: a.Call, code: a.Code, words: a.Words}
	}
	return a, nil
}

func (p *process) send(q *wire.Request, answered chan<- *wire.Response) error {
	var err error
	if q.ID, err = p.expect(answered); err != nil {
		return err
	}
	frame := wire.Frame(q)
	if len(q.PIN) > 0 {
		defer clear(frame)
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	p.in.Write(frame) // an error means that it ends, which read finds out and says why
	return nil
}

// expect returns the number of a request that will be answered.
func (p *process) expect(answered chan<- *wire.Response) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return 0, p.err
	case p.retired:
		return 0, errRetired
	}
	p.next++
	p.pending[p.next] = answered
	return p.next, nil
}

// read hands out answers until the process ends.
func (p *process) read(out *os.File) {
	defer out.Close()
	r := bufio.NewReader(wire.Eager(out))
	var err error
	for err == nil {
		a := new(wire.Response)
		if err = wire.Read(r, a); err == nil {
			p.deliver(a)
		}
	}
	if !errors.Is(err, io.EOF) {
		p.kill("answered with garbage: " + err.Error())
	}
	err = p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = &HelperError{Module: p.module, Reason: p.reason(err)}
	p.in.Close()
	close(p.ended)
}

func (p *process) deliver(a *wire.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered, ok := p.pending[a.ID]; ok {
		delete(p.pending, a.ID)
		answered <- a // has room
	}
	if p.retired && len(p.pending) == 0 {
		p.in.Close()
	}
}

// reason says in words how the process ended.
func (p *process) reason(err error) string {
	switch {
	case p.why != "":
		return p.why
	case err == nil:
		return "ended by itself" + p.said.quote()
	}
	return fmt.Sprintf("died (%v)%s", err, p.said.quote())
}

// kill ends the process at once. The first reason is the one that is told.
func (p *process) kill(why string) {
	p.mu.Lock()
	if p.why == "" {
		p.why = why
	}
	p.mu.Unlock()
	p.cmd.Process.Kill()
}

// retire takes no more calls, and ends the process after those under way.
func (p *process) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	if len(p.pending) == 0 {
		p.in.Close()
	}
}

// close ends the process and waits until it is gone.
func (p *process) close() {
	p.mu.Lock()
	p.retired = true
	p.in.Close()
	p.mu.Unlock()
	select {
	case <-p.ended:
	case <-time.After(farewell):
		p.kill("was closed")
		<-p.ended
	}
}

func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.retired && p.err == nil
}

// firstWords keeps the beginning of what the process writes to standard error: it tells why
// it died.
type firstWords struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (w *firstWords) Write(b []byte) (int, error) {
	const most = 512
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b[:min(len(b), most-len(w.text))]...)
	return len(b), nil
}

// quote returns the first line, to be appended to a sentence.
func (w *firstWords) quote() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(w.text)), "\n")
	if line == "" {
		return ""
	}
	return fmt.Sprintf(" saying %q", strings.TrimSpace(line))
}
