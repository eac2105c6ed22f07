//go:build unix

package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// group is a set of goroutines; the first that fails ends them all.
type group struct {
	sync.WaitGroup
	fail context.CancelCauseFunc
}

func (g *group) start(f func() error) {
	g.Go(func() {
		if err := f(); err != nil {
			g.fail(err)
		}
	})
}

// cause returns why ctx ended, or nil if it has not.
func cause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New("interrupted")
}

// pause returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
