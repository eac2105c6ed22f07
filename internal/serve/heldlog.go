package serve

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// heldLog is a slog.Handler that keeps what it gets until it is released: what roles say that may
// never be served.
type heldLog struct {
	slog.Handler
	held *heldRecords
}

// maxHeld bounds what is kept; a role logs a handful of lines before it has credentials.
const maxHeld = 1000

type heldRecords struct {
	mu      sync.Mutex
	passes  bool
	records []func()
}

// HoldLog returns a logger like log whose records wait for release.
func HoldLog(log *slog.Logger) (held *slog.Logger, release func()) {
	records := &heldRecords{}
	return slog.New(heldLog{log.Handler(), records}), records.release
}

func (h *heldRecords) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, write := range h.records {
		write()
	}
	h.passes, h.records = true, nil
}

// Handle keeps the record, or writes it after release.
func (l heldLog) Handle(ctx context.Context, r slog.Record) error {
	l.held.mu.Lock()
	defer l.held.mu.Unlock()
	if l.held.passes {
		return l.Handler.Handle(ctx, r)
	}
	if len(l.held.records) < maxHeld {
		kept := r.Clone()
		l.held.records = append(l.held.records, func() { _ = l.Handler.Handle(context.WithoutCancel(ctx), kept) })
	}
	return nil
}

// WithAttrs returns a handler that waits for the same release.
func (l heldLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return heldLog{l.Handler.WithAttrs(slices.Clone(attrs)), l.held}
}

// WithGroup returns a handler that waits for the same release.
func (l heldLog) WithGroup(name string) slog.Handler {
	return heldLog{l.Handler.WithGroup(name), l.held}
}
