package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"kedge/signer"
	"kedge/signer/session"
)

// clockWarning remembers which skew was said: each role may learn of it, and a daemon does each time
// that it asks for a session.
type clockWarning struct {
	say func(text string) // where a command has a log; nil: as any other warning

	mu   sync.Mutex
	said time.Duration
}

// isNew reports whether the skew was not said yet; one that differs by a minute or less was.
func (w *clockWarning) isNew(skew time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if skew == 0 || (skew-w.said).Abs() <= time.Minute {
		return false
	}
	w.said = skew
	return true
}

// warnOfClock says once that this host's clock is wrong, as soon as that is known.
func (h host) warnOfClock(c *session.Clock) {
	skew := c.Skew()
	if !h.clock.isNew(skew) {
		return
	}
	text := describeSkew(skew) + ": set the clock"
	if h.clock.say != nil {
		h.clock.say(text)
		return
	}
	h.warn(text)
}

// logClock has the log say it, from before any role is opened.
func (h host) logClock(log *slog.Logger) {
	h.clock.say = func(text string) { log.Warn(text) }
}

// describeSkew says by how much this host's clock is off, and which way.
func describeSkew(skew time.Duration) string {
	direction := "behind"
	if skew < 0 {
		direction, skew = "ahead of", -skew
	}
	return fmt.Sprintf("this host's clock is %d seconds %s the service's", int64(skew/time.Second), direction)
}

// judgedBy adds to a *signer.ValidityError whose clock it was judged by.
func (f *sessionFlags) judgedBy(err error) error {
	if validity, ok := errors.AsType[*signer.ValidityError](err); ok {
		validity.ByService, validity.Skew = f.clock.Known(), f.clock.Skew()
	}
	return err
}

// clockHint is the advice for a certificate that is out of its validity by the service's clock, or by
// a clock by which the service's own certificate is, too.
func clockHint(e *signer.ValidityError) string {
	switch {
	case !e.ByService:
		return "set this host's clock: by it the server's certificate is out of its validity, too"
	case e.Expired():
		return "renew the certificate; if it was renewed, check that --certificate names the new file"
	}
	return "wait, or have the certificate issued again: the clock of its CA may be ahead of the service's"
}

// badServerTime reports whether the server was refused because its certificate is out of its validity
// by this host's clock.
func badServerTime(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == x509.Expired
}
