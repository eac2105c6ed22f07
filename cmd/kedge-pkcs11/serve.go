//go:build cgo && unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/pkcs11"

	"kedge/internal/wire"
)

// farewell is how long the module may take to finish when the parent has gone.
const farewell = 2 * time.Second

// serve answers requests until in ends. Calls that hang do not keep it from returning.
func serve(in *os.File, out io.Writer) error {
	s := &server{in: bufio.NewReader(wire.Eager(in)), out: out, ended: make(chan error)}
	s.waiting.Store(1)
	go s.work()
	err := <-s.ended
	if errors.Is(err, io.EOF) {
		s.finish()
		return nil
	}
	return fmt.Errorf("read a request: %w", err)
}

type server struct {
	module  atomic.Pointer[module] // nil until it is loaded
	waiting atomic.Int32           // workers that read, or will

	reading sync.Mutex // guards in
	in      *bufio.Reader

	ended   chan error
	writing sync.Mutex
	out     io.Writer
}

// spare is how many workers wait for requests, at most.
const spare = 4

// work reads a request and answers it, and so on. What reads the next one meanwhile is another
// worker: to hand the request over instead would cost each signature the waking of a thread.
func (s *server) work() {
	for {
		s.reading.Lock()
		q := new(wire.Request)
		if err := wire.Read(s.in, q); err != nil {
			s.ended <- err // keeps the others from reading
			return
		}
		if q.Op == wire.OpLoad { // the others need it
			s.answer(q)
			s.reading.Unlock()
			continue
		}
		if s.waiting.Add(-1) == 0 {
			s.waiting.Add(1)
			go s.work()
		}
		s.reading.Unlock()
		s.answer(q)
		if s.waiting.Add(1) > spare {
			s.waiting.Add(-1)
			return
		}
	}
}

// answer works on one request. A parent that does not listen any more is about to close its
// other end too.
func (s *server) answer(q *wire.Request) {
	a := &wire.Response{}
	err := s.do(q, a)
	clear(q.PIN)
	a.ID = q.ID
	describe(err, a)
	frame := wire.Frame(a)
	s.writing.Lock()
	defer s.writing.Unlock()
	s.out.Write(frame)
}

func (s *server) do(q *wire.Request, a *wire.Response) error {
	if q.Op == wire.OpLoad {
		if q.Object != wire.Version {
			return fmt.Errorf("this kedge-pkcs11 speaks version %d of the protocol, the program that started it version %d; install both from one release", wire.Version, q.Object)
		}
		if s.module.Load() != nil {
			return errors.New("a module is loaded already")
		}
		m, err := load(string(q.Data), a)
		s.module.Store(m)
		return err
	}
	m := s.module.Load()
	if m == nil {
		return errors.New("no module is loaded")
	}
	return m.do(q, a)
}

// finish lets the module end what it holds: a card stays unlocked otherwise.
func (s *server) finish() {
	m := s.module.Load()
	if m == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.c.Finalize()
	}()
	select {
	case <-done:
	case <-time.After(farewell):
	}
}

// callError names the function of the module failed.
type callError struct {
	call string
	err  error
}

func (e *callError) Error() string { return e.call + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// failed wraps the error of a call, if there is one.
func failed(call string, err error) error {
	if err == nil {
		return nil
	}
	return &callError{call, err}
}

// unknownCode stands for errors that have no CK_RV: CKR_GENERAL_ERROR.
const unknownCode = pkcs11.CKR_GENERAL_ERROR

func describe(err error, a *wire.Response) {
	if err == nil {
		return
	}
	var call *callError
	var code pkcs11.Error
	if !errors.As(err, &call) || !errors.As(err, &code) {
		a.Code, a.Words = unknownCode, err.Error()
		return
	}
	a.Code, a.Call = uint64(code), call.call
	// "pkcs11: 0xA0: CKR_PIN_INCORRECT"; codes without a name end with the number.
	text := code.Error()
	a.Words = text[strings.LastIndex(text, ": ")+2:]
	if a.Words == "" {
		a.Words = fmt.Sprintf("CKR 0x%X", uint(code))
	}
}
