package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// openAtOnce is how many roles are opened at the same time: each can need a process for its token.
const openAtOnce = 8

// startRoles starts all that are wanted, or none. They are opened at the same time, until ctx ends, so
// that one which takes its time delays no other; they end by themselves, after the last request.
func startRoles(ctx context.Context, h host, wanted []wantedRole, log *slog.Logger) ([]*served, error) {
	h.inputs.Ask = oneByOne(h.inputs.Ask)
	all, errs := make([]*served, len(wanted)), make([]error, len(wanted))
	slots := make(chan struct{}, openAtOnce)
	var group sync.WaitGroup
	for i, w := range wanted {
		group.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				all[i], errs[i] = w.startWithin(ctx, h, log)
			case <-ctx.Done():
				errs[i] = w.late(ctx)
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			stopRoles(all)
			return nil, err
		}
	}
	return all, nil
}

// startWithin gives up when ctx ends: a file can be one that nobody ever ends to write.
func (w wantedRole) startWithin(ctx context.Context, h host, log *slog.Logger) (*served, error) {
	var s *served
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		s, err = w.start(ctx, h, log)
	}()
	select {
	case <-done:
		return s, err
	case <-ctx.Done():
		go func() {
			<-done
			stopRoles([]*served{s})
		}()
		return nil, w.late(ctx)
	}
}

func (w wantedRole) late(ctx context.Context) error {
	return fmt.Errorf("role %s: its key and certificate were not ready in time: %w", w.name, context.Cause(ctx))
}

// oneByOne lets one role at a time ask on the terminal.
func oneByOne(ask func(string) ([]byte, error)) func(string) ([]byte, error) {
	if ask == nil {
		return nil
	}
	var mu sync.Mutex
	return func(prompt string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		return ask(prompt)
	}
}
