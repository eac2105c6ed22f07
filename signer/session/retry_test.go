package session

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// stall answers nothing until the client has gone.
func stall(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func cutBody(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(201)
	w.Write([]byte(good()[:100]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func after(value string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", value)
		next(w, r)
	}
}

func TestCreateSession_triesAgain(t *testing.T) {
	t.Parallel()
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(502)
		w.Write([]byte("<html>bad gateway</html>"))
	}
	tests := []struct {
		name     string
		attempts int
		steps    []http.HandlerFunc
		requests int
		want     string // empty for success
	}{
		{"500 once", 0, []http.HandlerFunc{fail(500, "InternalServerException", "oops"), success()}, 2, ""},
		{"503 twice", 0, []http.HandlerFunc{fail(503, "", ""), fail(503, "", ""), success()}, 3, ""},
		{"a gateway's page", 0, []http.HandlerFunc{html, success()}, 2, ""},
		{"429", 0, []http.HandlerFunc{fail(429, "", "Rate exceeded"), success()}, 2, ""},
		{"throttled with 400", 0, []http.HandlerFunc{fail(400, "ThrottlingException", "Rate exceeded"), success()}, 2, ""},
		{"cut connection", 0, []http.HandlerFunc{cut, success()}, 2, ""},
		{"cut body", 0, []http.HandlerFunc{cutBody, success()}, 2, ""},
		{"always 500", 0, []http.HandlerFunc{fail(500, "InternalServerException", "oops")}, 3, "AWS could not make the session: InternalServerException: oops"},
		{"always 500, five times", 5, []http.HandlerFunc{fail(500, "InternalServerException", "oops")}, 5, "AWS could not make the session: InternalServerException: oops"},
		{"always throttled", 0, []http.HandlerFunc{fail(429, "ThrottlingException", "Rate exceeded")}, 3, "AWS refused the session: ThrottlingException: Rate exceeded"},
		{"always cut", 0, []http.HandlerFunc{cut}, 3, " in 3 attempts: it closed the connection"},
		{"always a page", 0, []http.HandlerFunc{html}, 3, " answered 502 Bad Gateway with HTML: is there a proxy or a login page between?"},
		{"one attempt only", 1, []http.HandlerFunc{cut, success()}, 1, "no answer from "},
		{"400", 0, []http.HandlerFunc{fail(400, "ValidationException", "x"), success()}, 1, "ValidationException"},
		{"403", 0, []http.HandlerFunc{fail(403, "AccessDeniedException", "Invalid signature"), success()}, 1, "Invalid signature"},
		{"404", 0, []http.HandlerFunc{fail(404, "ResourceNotFoundException", ""), success()}, 1, "ResourceNotFoundException"},
		{"500, then 403", 0, []http.HandlerFunc{fail(500, "", ""), fail(403, "AccessDeniedException", "no"), success()}, 2, "AccessDeniedException: no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, tt.steps...)
			c := s.client(t, func(cfg *Config) { cfg.MaxAttempts, cfg.Timeout = tt.attempts, 10*time.Minute })
			session, err := c.CreateSession(t.Context(), identity())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || (session == nil) == (err == nil) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if s.count() != tt.requests || len(s.clock.pauses) != tt.requests-1 {
				t.Errorf("%d requests, %d pauses, want %d requests", s.count(), len(s.clock.pauses), tt.requests)
			}
			seen := map[string]bool{}
			for _, r := range s.requests {
				date, signature := r.Header.Get("X-Amz-Date"), r.Header.Get("Authorization")
				if seen[date] || seen[signature] {
					t.Errorf("sent again: %s, %s", date, signature)
				}
				seen[date], seen[signature] = true, true
			}
		})
	}
}

// A pause is as long as the server asks for, within bounds, and none ends after the deadline.
func TestCreateSession_pauses(t *testing.T) {
	t.Parallel()
	busy := fail(429, "ThrottlingException", "Rate exceeded")
	tests := []struct {
		name     string
		header   string
		timeout  time.Duration
		least    time.Duration
		most     time.Duration // zero: none was made
		requests int
	}{
		{"not asked", "", time.Hour, 0, time.Second, 2},
		{"seconds", "7", time.Hour, 7 * time.Second, 7 * time.Second, 2},
		{"date", "Sun, 01 Mar 2026 12:00:09 GMT", time.Hour, 9 * time.Second, 9 * time.Second, 2},
		{"past date", "Sun, 01 Mar 2026 11:00:09 GMT", time.Hour, 0, time.Second, 2},
		{"an hour", "3600", time.Hour, maxWait, maxWait, 2},
		{"for ever", "9223372036854775807", time.Hour, maxWait, maxWait, 2},
		{"garbage", "soon", time.Hour, 0, time.Second, 2},
		{"negative", "-5", time.Hour, 0, time.Second, 2},
		{"past the deadline", "7", 5 * time.Second, 0, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, after(tt.header, busy), success())
			_, err := s.client(t, func(cfg *Config) { cfg.Timeout = tt.timeout }).CreateSession(t.Context(), identity())
			if s.count() != tt.requests {
				t.Fatalf("%d requests, %v", s.count(), err)
			}
			if tt.most == 0 {
				late, ok := errors.AsType[*TimeoutError](err)
				api, of := errors.AsType[*APIError](err)
				if !ok || !of || late.Attempts != 1 || !api.Throttled() || err.Error() != "no session within 5s (1 attempt): AWS refused the session: ThrottlingException: Rate exceeded" {
					t.Errorf("got %v", err)
				}
				return
			}
			if got := s.clock.pauses[0]; err != nil || got < tt.least || got > tt.most {
				t.Errorf("waited %s, want %s to %s; %v", got, tt.least, tt.most, err)
			}
		})
	}
}

// An attempt that hangs leaves time for the next; all of them together end in time.
func TestCreateSession_hangs(t *testing.T) {
	t.Parallel()
	trickle := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(201)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for name, step := range map[string]http.HandlerFunc{"no answer": stall, "no end": trickle} {
		t.Run(name+", once", func(t *testing.T) {
			t.Parallel()
			s := newService(t, step, success())
			if _, err := s.client(t, func(cfg *Config) { cfg.Timeout = 3 * time.Second; cfg.MaxAttempts = 10 }).CreateSession(t.Context(), identity()); err != nil {
				t.Error(err)
			}
			if s.count() != 2 {
				t.Errorf("%d requests", s.count())
			}
		})
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, step)
			_, err := s.client(t, func(cfg *Config) { cfg.Timeout, cfg.MaxAttempts = 200*time.Millisecond, 1 }).CreateSession(t.Context(), identity())
			e, ok := errors.AsType[*TimeoutError](err)
			want := "no session within 200ms (1 attempt): no answer from " + s.Listener.Addr().String() + ": it takes too long"
			if !ok || !e.Timeout() || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestCreateSession_callerGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		stall(w, r)
	})
	if _, err := s.client(t).CreateSession(ctx, identity()); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if s.count() != 1 {
		t.Errorf("%d requests", s.count())
	}
}

func TestSleep(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	if err := sleep(ctx, time.Nanosecond); err != nil {
		t.Error(err)
	}
	cancel()
	if err := sleep(ctx, time.Hour); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// A wrong clock is corrected once, from the answer's Date.
func TestCreateSession_skew(t *testing.T) {
	t.Parallel()
	const ago = -7 * time.Minute
	refuse := fail(403, "AccessDeniedException", "Invalid signature")
	tests := []struct {
		name     string
		ahead    time.Duration // of the service
		attempts int
		steps    []http.HandlerFunc
		dates    string // that were signed
		skew     time.Duration
		want     string // empty for success
	}{
		{"this clock is ahead", ago, 0, []http.HandlerFunc{refuse, success()}, "12:00:00 11:53:00", ago, ""},
		{"this clock is behind", 26 * time.Hour, 0, []http.HandlerFunc{refuse, reply(201, good("2026-03-01T13", "2026-03-02T15"))}, "12:00:00 14:00:00", 26 * time.Hour, ""},
		{"with one attempt", ago, 1, []http.HandlerFunc{refuse, success()}, "12:00:00 11:53:00", ago, ""},
		{"then refused again", ago, 0, []http.HandlerFunc{refuse, refuse, success()}, "12:00:00 11:53:00", ago, "Invalid signature"},
		{"then 500", ago, 0, []http.HandlerFunc{refuse, fail(500, "", "x"), success()}, "12:00:00 11:53:00 11:53:0?", ago, ""},
		{"another refusal", ago, 0, []http.HandlerFunc{fail(403, "AccessDeniedException", "Certificate revoked"), success()}, "12:00:00", ago, "Certificate revoked"},
		{"the clocks agree", 30 * time.Second, 0, []http.HandlerFunc{refuse, success()}, "12:00:00", 0, "Invalid signature"},
		{"a difference that is let pass", 2 * time.Minute, 0, []http.HandlerFunc{success()}, "12:00:00", 2 * time.Minute, ""},
		{"expired by the service's clock only", 2 * time.Hour, 0, []http.HandlerFunc{success()}, "12:00:00", 2 * time.Hour, "answered with credentials that expired at 2026-03-01T13:00:00Z; it is 2026-03-01T14:00:00Z there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, tt.steps...)
			s.ahead = tt.ahead
			c := s.client(t, func(cfg *Config) { cfg.MaxAttempts = tt.attempts })
			session, err := c.CreateSession(t.Context(), identity())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if session != nil && session.Skew != tt.skew {
				t.Errorf("skew %s", session.Skew)
			}
			if api, ok := errors.AsType[*APIError](err); ok && api.Skew != tt.skew {
				t.Errorf("skew %s", api.Skew)
			}
			var dates []string
			for _, r := range s.requests {
				at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if err != nil {
					t.Fatal(err)
				}
				dates = append(dates, at.Format(time.TimeOnly))
			}
			if got := strings.Join(dates, " "); got != tt.dates && !(strings.HasSuffix(tt.dates, "?") && len(got) == len(tt.dates) && strings.HasPrefix(got, tt.dates[:len(tt.dates)-1])) {
				t.Errorf("signed at %s, want %s", got, tt.dates)
			}
		})
	}
}
