package main

import (
	"context"
	"log/slog"
	"strings"

	"kedge/internal/cli"
)

// warnHandler is a slog.Handler for a command whose user sits before it: warnings and errors, in the form
// of all the other messages.
type warnHandler struct{ host host }

// Enabled reports whether a record is worth a line between those of another program.
func (warnHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle writes one line.
func (w warnHandler) Handle(_ context.Context, r slog.Record) error {
	var more []string
	r.Attrs(func(a slog.Attr) bool {
		more = append(more, a.Key+" "+a.Value.String())
		return true
	})
	text := r.Message
	if more != nil {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	if r.Level >= slog.LevelError {
		cli.Say(w.host.Err, name, "warning", text)
		return nil
	}
	w.host.warn(text)
	return nil
}

// WithAttrs returns w: what is logged here is of one role.
func (w warnHandler) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup returns w.
func (w warnHandler) WithGroup(string) slog.Handler { return w }
