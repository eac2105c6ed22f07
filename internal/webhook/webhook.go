// Package webhook reports to a URL, with a signature by which the receiver verifies the sender.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SignatureHeader carries the signature of a report: t=SECONDS,v1=HEX, where SECONDS is the Unix time
// of the try, and HEX the HMAC-SHA256 of the text SECONDS, a full stop and the body, with the secret.
// A receiver refuses reports with an old time, which somebody may have recorded.
const SignatureHeader = "Kedge-Signature"

// Hook is where reports go. Its methods are safe for concurrent use.
type Hook struct {
	URL     string
	Secret  []byte
	Timeout time.Duration // of one try
	Retries int           // after the first try
	Now     func() time.Time
	// Wait waits between two tries, until ctx ends. nil: by the clock of the system.
	Wait func(ctx context.Context, d time.Duration)
}

// statusError reports an answer that is not one of success.
type statusError struct{ Status int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the webhook answered %d %s", e.Status, http.StatusText(e.Status))
}

// Send sends a body in JSON. It tries again, after 1, 2, 4 and so on seconds, unless the receiver
// answers that the report itself is at fault. Errors do not contain the URL, which can have a secret in
// it.
func (h *Hook) Send(ctx context.Context, body []byte) error {
	for try := 0; ; try++ {
		err := h.try(ctx, body)
		if err == nil || try >= h.Retries || isFinal(err) || ctx.Err() != nil {
			return err
		}
		h.wait(ctx, time.Second<<try)
	}
}

// isFinal reports whether a repetition would be answered alike.
func isFinal(err error) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Status != http.StatusRequestTimeout
}

func (h *Hook) wait(ctx context.Context, d time.Duration) {
	if h.Wait != nil {
		h.Wait(ctx, d)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (h *Hook) try(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return withoutURL(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "kedge-ca")
	r.Header.Set(SignatureHeader, Sign(h.Secret, h.Now(), body))
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return withoutURL(err)
	}
	defer answer.Body.Close()
	const most = 64 << 10 // so that the connection can be used again
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, most))
	if answer.StatusCode/100 != 2 {
		return &statusError{answer.StatusCode}
	}
	return nil
}

// withoutURL returns the cause of an error of net/http.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the webhook does not answer: %w", e.Err)
	}
	return errors.New("the URL of the webhook cannot be used")
}

// Sign returns the value of SignatureHeader for a body.
func Sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
