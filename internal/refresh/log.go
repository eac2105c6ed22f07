package refresh

import "time"

// said records what has been logged of the current run of failures, so that each is logged once.
type said struct{ failed, refused, lapsed bool }

// logRenewed logs a renewal: at level Info the first and the first after failures, others at Debug.
func (l *loop) logRenewed(before *state) {
	s := l.state.Load()
	l.said = said{}
	level := l.options.Log.Debug
	if before.renewed.IsZero() || before.err != nil {
		level = l.options.Log.Info
	}
	attributes := []any{"expires", s.credentials.Expires.UTC(), "next", s.next.UTC()}
	if before.err != nil {
		attributes = append(attributes, "failures", before.failures, "since", before.since.UTC())
	}
	level("credentials renewed", attributes...)
}

// logFailed logs the first failure in a row, and the first refusal.
func (l *loop) logFailed() {
	s := l.state.Load()
	no := refused(s.err)
	if l.said.failed && (l.said.refused || !no) {
		return
	}
	l.said.failed, l.said.refused = true, no
	l.options.Log.Warn("credentials cannot be renewed; more of this is not logged",
		"error", s.err.Error(), "next", s.next.UTC(), "expires", s.credentials.Expires.UTC())
}

// logLapsed logs that readers get errors from now on.
func (l *loop) logLapsed(now time.Time) {
	s := l.state.Load()
	if l.said.lapsed || s.err == nil || s.valid(now) {
		return
	}
	l.said = said{failed: true, refused: refused(s.err), lapsed: true}
	text := "the credentials expired and cannot be renewed; more of this is not logged"
	if s.renewed.IsZero() {
		text = "there are no credentials; more of this is not logged"
	}
	l.options.Log.Error(text, "error", s.err.Error(), "since", s.since.UTC(), "next", s.next.UTC())
}
