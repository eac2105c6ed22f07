package tpm

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// How long a TPM without resource manager is kept. Others wait meanwhile: swtpm serves one
// connection at a time, and a chip has three slots.
const (
	idleLease = 10 * time.Millisecond  // without work
	fullLease = 100 * time.Millisecond // with
	leaseCost = 20                     // both are at least so many times what it took to get it, by 2 and 1
	tornAfter = 10 * time.Second       // how long an abandoned command may still take
)

// lessor hands out one TPM: one operation at a time, on a connection that is kept for the
// next one. What lies loaded belongs to the connection, and is flushed before it is closed.
type lessor struct {
	where address
	turn  chan struct{} // holds one token while an operation runs; guards what follows
	conn  *conn         // nil: none
	since time.Time     // when the connection was opened
	cost  time.Duration // what it takes a chip to load everything
	left  []loaded      // what the last connection left in the TPM when it broke
	used  time.Time     // when the last operation ended
	leave func(*conn)   // is called before a lease ends that another is to follow
	timer *time.Timer   // ends an idle lease
	torn  time.Duration // tornAfter
	open  atomic.Pointer[conn]
}

func newLessor(where address) *lessor {
	return &lessor{where: where, turn: make(chan struct{}, 1), leave: func(*conn) {}, torn: tornAfter}
}

// do runs op when its turn has come. When ctx ends first, do returns, and what op has begun
// ends in the background: it finds every further command refused but those that clean up.
func (l *lessor) do(ctx context.Context, op func(context.Context) error) error {
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
		l.tear(l.open.Load())
		return context.Cause(ctx)
	}
}

// tear closes the connection of an abandoned operation when it does not end by itself.
func (l *lessor) tear(c *conn) {
	if c == nil {
		return
	}
	time.AfterFunc(l.torn, func() {
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

// connect returns the connection of the lease, new or old, for an operation under ctx.
func (l *lessor) connect(ctx context.Context) (*conn, error) {
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
	c.reclaim(l.left)
	l.left = nil
	return c, nil
}

// ready notes that all is loaded.
func (l *lessor) ready() {
	if l.conn.isChip() {
		l.cost = time.Since(l.since)
	}
}

// pause ends the lease, to be resumed by a later operation.
func (l *lessor) pause() {
	l.conn.ctx = context.Background()
	l.leave(l.conn)
	l.release()
}

// release flushes what is held and closes the connection, if there is one.
func (l *lessor) release() {
	if l.conn == nil {
		return
	}
	l.conn.flushAll()
	l.drop()
}

// drop closes the connection as it is. Where it broke, and no resource manager sees to it,
// something is left in the TPM.
func (l *lessor) drop() {
	if l.conn == nil {
		return
	}
	if l.conn.raw {
		l.left = l.conn.held
	}
	l.conn.Close()
	l.conn = nil
	l.open.Store(nil)
}

// afterwards ends a lease that is over, and sees to it that an idle one will be ended.
func (l *lessor) afterwards() {
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

func (l *lessor) idle() time.Duration { return max(idleLease, 2*l.cost) }

// expire ends the lease unless it is in use: then its operation sets the timer again.
func (l *lessor) expire() {
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

// end ends the lease, waiting for the operation under way.
func (l *lessor) end() {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.release()
}
