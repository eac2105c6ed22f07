package enrollclient

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kedge/internal/hostdir"
)

// HookError reports commands that failed after a certificate came into use. It stays in use, and the next
// run runs them again.
type HookError struct {
	Serial string // of the certificate
	Failed []error
}

func (e *HookError) Error() string {
	texts := make([]string, len(e.Failed))
	for i, err := range e.Failed {
		texts[i] = err.Error()
	}
	return fmt.Sprintf("certificate %s is in use, and what was to run then failed: %s", e.Serial, strings.Join(texts, "; "))
}

func (e *HookError) Unwrap() []error { return e.Failed }

// owed returns the commands that have not succeeded since the certificate with this serial came into use.
func owed(lines []string, s hostdir.State, serial string) []string {
	if s.Hooks == nil || s.Hooks.Serial != serial {
		return lines
	}
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(s.Hooks.Ran, line) })
}

// follow tells others of the certificate in use: it marks the folder, and runs the commands that are
// owed. Only the caller names them, never a server.
func (r *Renewing) follow(ctx context.Context, f *hostdir.Folder, pair *hostdir.Pair) error {
	access, _ := f.Access()
	serial := pair.Record.Serial
	if err := f.Mark(serial, access); err != nil {
		return err
	}
	failed := &HookError{Serial: serial}
	for _, line := range owed(r.Hooks, hostdir.ReadState(r.Dir), serial) {
		err := r.RunHook(ctx, line, pair)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = f.WriteState(ran(line, hostdir.ReadState(r.Dir), serial), access)
		}
		if err != nil {
			failed.Failed = append(failed.Failed, fmt.Errorf("%q: %w", line, err))
		}
	}
	if failed.Failed == nil {
		return nil
	}
	return failed
}

// ran returns the state after a command succeeded.
func ran(line string, s hostdir.State, serial string) hostdir.State {
	next := &hostdir.Hooks{Serial: serial, Ran: []string{line}}
	if s.Hooks != nil && s.Hooks.Serial == serial {
		next.Ran = append(slices.Clone(s.Hooks.Ran), line)
	}
	s.Hooks = next
	return s
}
