package tpm

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Bounds on how long a TPM without resource manager is held. Other programs wait meanwhile: swtpm
// serves one connection at a time, and a chip has three slots.
const (
	idleLease      = 10 * time.Millisecond  // while idle
	fullLease      = 100 * time.Millisecond // in use
	leaseCost      = 20                     // both are at least a multiple of the time to set up: 2 and leaseCost times
	abandonTimeout = 10 * time.Second       // for an abandoned command to end, before its connection is closed
	closeTimeout   = 2 * time.Second        // the same when the key is closed
)

// connManager manages the connection to one TPM: it runs one operation at a time, and keeps the
// connection for the next one. Loaded objects belong to the connection, and are flushed before it
// is closed.
type connManager struct {
	where          address
	turn           chan struct{} // holds a value while an operation runs; guards the fields below
	conn           *conn         // nil: not connected
	since          time.Time     // when the connection was opened
	cost           time.Duration // of connecting to a chip and loading everything
	leaked         []loaded      // objects that the last connection left in the TPM when it broke
	used           time.Time     // when the last operation ended
	beforeClose    func(*conn)   // called before a connection is closed that will be needed again
	timer          *time.Timer   // closes an idle connection
	abandonTimeout time.Duration // the constant, but in tests
	open           atomic.Pointer[conn]
}

func newConnManager(where address) *connManager {
	return &connManager{where: where, turn: make(chan struct{}, 1), beforeClose: func(*conn) {}, abandonTimeout: abandonTimeout}
}

// do runs op when no other operation runs. When ctx ends first, do returns, and op goes on in the
// background: every further command fails but those that clean up.
func (l *connManager) do(ctx context.Context, op func(context.Context) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return errors.Join(errors.New("wait for the TPM"), context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() {
		err := op(ctx)
		l.afterwards()
		<-l.turn
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		l.abandon(l.open.Load())
		return context.Cause(ctx)
	}
}

// abandon closes the connection of an abandoned operation if that does not end by itself.
func (l *connManager) abandon(c *conn) {
	if c == nil {
		return
	}
	time.AfterFunc(l.abandonTimeout, func() {
		select {
		case l.turn <- struct{}{}: // it has ended
			<-l.turn
		default:
			if l.open.Load() == c {
				c.Close()
			}
		}
	})
}

// connect returns the connection, new or kept, for an operation under ctx.
func (l *connManager) connect(ctx context.Context) (*conn, error) {
	if l.conn != nil {
		l.conn.ctx = ctx
		return l.conn, nil
	}
	c, err := dial(ctx, l.where)
	if err != nil {
		return nil, err
	}
	l.since = time.Now()
	l.conn = c
	l.open.Store(c)
	c.reclaim(l.leaked)
	l.leaked = nil
	return c, nil
}

// ready notes that everything is loaded.
func (l *connManager) ready() {
	if l.conn.isChip() {
		l.cost = time.Since(l.since)
	}
}

// pause closes the connection, to be reopened by a later operation.
func (l *connManager) pause() {
	l.conn.ctx = context.Background()
	l.beforeClose(l.conn)
	l.release()
}

// release flushes the loaded objects and closes the connection, if there is one.
func (l *connManager) release() {
	if l.conn == nil {
		return
	}
	l.conn.flushAll()
	l.drop()
}

// drop closes the connection without flushing. If no resource manager flushes the objects, they are
// left in the TPM until reclaim.
func (l *connManager) drop() {
	if l.conn == nil {
		return
	}
	if l.conn.raw {
		l.leaked = l.conn.held
	}
	l.conn.Close()
	l.conn = nil
	l.open.Store(nil)
}

// afterwards closes a connection that has been held long enough, and sets the timer that closes an
// idle one.
func (l *connManager) afterwards() {
	if l.conn == nil || !l.conn.raw {
		return
	}
	l.used = time.Now()
	if l.used.Sub(l.since) > max(fullLease, leaseCost*l.cost) {
		l.pause()
		return
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(l.idle(), l.expire)
		return
	}
	l.timer.Reset(l.idle())
}

func (l *connManager) idle() time.Duration { return max(idleLease, 2*l.cost) }

// expire closes the connection unless it is in use: then its operation sets the timer again.
func (l *connManager) expire() {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	default:
		return
	}
	if l.conn != nil && time.Since(l.used) >= l.idle() {
		l.pause()
	}
}

// end closes the connection, after the operation in progress.
func (l *connManager) end() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.release()
}
