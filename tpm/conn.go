package tpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// maxResponse is the size of the longest response. TCG PC Client Platform TPM Profile, section
// 6.5.6: a device returns it in one read.
const maxResponse = 4096

// channel sends a command and returns the response.
type channel interface {
	Send(command []byte) ([]byte, error)
	io.Closer
}

// conn is a connection to a TPM. It is used by one goroutine at a time, apart from Close.
type conn struct {
	channel
	raw  bool            // without resource manager
	ctx  context.Context // of the current operation: no command starts after its end
	held []loaded        // loaded through this connection
}

// loaded is an object, or a session, which has no name.
type loaded struct {
	handle tpm2.TPMHandle
	name   tpm2.TPM2BName
}

// isChip reports whether the time of a command is spent in the TPM, and not in a queue.
func (c *conn) isChip() bool {
	s, ok := c.channel.(stream)
	if !ok {
		return false
	}
	_, ok = s.ReadWriteCloser.(*os.File)
	return ok
}

// Send implements go-tpm's transport. It repeats a command if the TPM asks for that.
func (c *conn) Send(command []byte) ([]byte, error) {
	wait := backoff{first: time.Millisecond, most: 100 * time.Millisecond, limit: 30 * time.Second}
	for {
		if err := context.Cause(c.ctx); err != nil {
			return nil, err
		}
		rsp, err := c.channel.Send(command)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errLink, err)
		}
		if !again(rsp) || !wait.next(c.ctx) {
			return rsp, nil
		}
	}
}

// hold records what must be flushed before the connection is closed.
func (c *conn) hold(h tpm2.TPMHandle, name tpm2.TPM2BName) {
	c.held = append(c.held, loaded{h, name})
}

// flush flushes a handle, even if ctx has ended. It returns no error: the TPM either flushed the
// handle or no longer had it.
func (c *conn) flush(h tpm2.TPMHandle) {
	i := slices.IndexFunc(c.held, func(l loaded) bool { return l.handle == h })
	if i < 0 {
		return // persistent
	}
	c.held = slices.Delete(c.held, i, i+1)
	ctx := c.ctx
	c.ctx = context.WithoutCancel(ctx)
	tpm2.FlushContext{FlushHandle: h}.Execute(c)
	c.ctx = ctx
}

// flushAll flushes everything that is loaded.
func (c *conn) flushAll() {
	for len(c.held) > 0 {
		c.flush(c.held[len(c.held)-1].handle)
	}
}

// reclaim flushes what an earlier connection left loaded when it broke, unless the handle belongs
// to another object by now.
func (c *conn) reclaim(left []loaded) {
	for _, l := range left {
		if len(l.name.Buffer) > 0 {
			rsp, err := tpm2.ReadPublic{ObjectHandle: l.handle}.Execute(c)
			if err != nil || !sameName(rsp.Name, l.name) {
				continue
			}
		}
		tpm2.FlushContext{FlushHandle: l.handle}.Execute(c)
	}
}

// again reports whether the TPM did not run the command and asks for it to be repeated. TCG TPM 2.0
// Library Part 2, section 6.6.3: TPM_RC_YIELDED, TESTING, NV_RATE, RETRY.
func again(rsp []byte) bool {
	if len(rsp) < 10 {
		return false
	}
	switch tpm2.TPMRC(binary.BigEndian.Uint32(rsp[6:])) {
	case tpm2.TPMRCYielded, tpm2.TPMRCTesting, tpm2.TPMRCNVRate, tpm2.TPMRCRetry:
		return true
	}
	return false
}

// stream is a channel over a byte stream that carries plain commands and responses.
type stream struct{ io.ReadWriteCloser }

func (s stream) Send(command []byte) ([]byte, error) {
	if _, err := s.Write(command); err != nil {
		return nil, err
	}
	rsp := make([]byte, maxResponse)
	for n := 0; ; {
		more, err := s.Read(rsp[n:])
		n += more
		switch {
		case n >= 10 && binary.BigEndian.Uint32(rsp[2:]) == uint32(n):
			return rsp[:n], nil
		case n >= 10 && binary.BigEndian.Uint32(rsp[2:]) < uint32(n), n == maxResponse:
			return nil, errors.New("this is not a TPM: a response has not the size it states")
		case err != nil:
			return nil, err
		}
	}
}

// dial connects to the TPM at a. A missing TPM is ErrNoDevice.
func dial(ctx context.Context, a address) (*conn, error) {
	ch, raw, err := open(ctx, a)
	switch {
	case err == nil:
		return &conn{channel: ch, raw: raw, ctx: ctx}, nil
	case context.Cause(ctx) != nil:
		return nil, fmt.Errorf("open TPM %s: %w", a, context.Cause(ctx))
	case missing(err):
		return nil, fmt.Errorf("open TPM %s: %w: %w", a, ErrNoDevice, err)
	}
	return nil, fmt.Errorf("open TPM %s: %w", a, err)
}

func missing(err error) bool {
	var dns *net.DNSError
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENXIO) ||
		errors.Is(err, syscall.ENODEV) || errors.As(err, &dns)
}

// open connects once, but retries while a queue is full: that of a socket, or of a device that
// admits one program.
func open(ctx context.Context, a address) (ch channel, raw bool, err error) {
	wait := backoff{first: time.Millisecond, most: 50 * time.Millisecond, limit: time.Minute}
	for {
		ch, raw, err = openNow(ctx, a)
		if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EBUSY) || !wait.next(ctx) {
			return ch, raw, err
		}
	}
}

func openNow(ctx context.Context, a address) (channel, bool, error) {
	var dialer net.Dialer
	switch a.way {
	case byTBS:
		return openTBS()
	case byFile:
		info, err := os.Stat(a.at)
		switch {
		case err != nil:
			return nil, false, err
		case info.Mode()&fs.ModeDevice != 0:
			return openFile(a.at)
		case info.Mode()&fs.ModeSocket == 0:
			return nil, false, errors.New("neither a device nor a socket")
		}
		fallthrough
	case byUnix:
		c, err := dialer.DialContext(ctx, "unix", a.at)
		return stream{c}, true, err
	case byMSSIM:
		c, err := dialer.DialContext(ctx, "tcp", a.at)
		return mssim{c}, true, err
	}
	c, err := dialer.DialContext(ctx, "tcp", a.at)
	return stream{c}, true, err
}

// backoff has the pause before the next attempt, and the time to give up.
type backoff struct {
	first, most, limit time.Duration
	waited             time.Duration
}

// next waits, and reports whether to try again.
func (b *backoff) next(ctx context.Context) bool {
	if b.waited >= b.limit {
		return false
	}
	delay := min(max(b.first, b.waited), b.most)
	b.waited += delay
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
