package refresh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer/session"
)

// Fault: a failed refresh replaces good credentials with empty ones and answers 200.
func TestFailedRefreshReplacesGoodCredentials(t *testing.T) {
	bad := map[string]func(w *world) (aws.Credentials, error){
		"error": func(*world) (aws.Credentials, error) { return aws.Credentials{}, errors.New("down") },
		"empty": func(*world) (aws.Credentials, error) { return aws.Credentials{}, nil },
		"no token": func(w *world) (aws.Credentials, error) {
			c := w.session(0, time.Hour)
			c.SessionToken = ""
			return c, nil
		},
		"no expiration": func(w *world) (aws.Credentials, error) {
			c := w.session(0, time.Hour)
			c.CanExpire = false
			return c, nil
		},
		"year one": func(w *world) (aws.Credentials, error) { c := w.session(0, 0); c.Expires = time.Time{}; return c, nil },
		"past":     func(w *world) (aws.Credentials, error) { return w.session(0, -time.Hour), nil },
		"in 30 s":  func(w *world) (aws.Credentials, error) { return w.session(0, 30*time.Second), nil },
		"both":     func(w *world) (aws.Credentials, error) { return w.session(0, time.Hour), errors.New("down") },
	}
	for name, answer := range bad {
		t.Run(name, func(t *testing.T) {
			in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
				if call > 1 {
					return answer(w)
				}
				return w.session(call, 59*time.Minute), nil
			}, func(w *world) {
				synctest.Wait()
				for range 58 {
					pass(time.Minute)
					w.want(1)
				}
				if s := w.Status(); s.Err == nil || !s.Valid || s.Failures == 0 || s.Since.IsZero() {
					t.Errorf("status: %+v", s)
				}
				pass(time.Minute)
				if name != "in 30 s" { // which are better than none, for so long
					w.wantError("the credentials expired at ")
				}
			})
		})
	}
}

// Fault: a malformed Expiration or a very short one makes a hot loop of calls.
func TestExpirationMakesAHotLoop(t *testing.T) {
	for name, expires := range map[string]func(now time.Time) time.Time{
		"zero":      func(time.Time) time.Time { return time.Time{} },
		"1970":      func(time.Time) time.Time { return time.Unix(0, 0) },
		"just past": func(now time.Time) time.Time { return now },
		"in 1 s":    func(now time.Time) time.Time { return now.Add(time.Second) },
		"in 30 s":   func(now time.Time) time.Time { return now.Add(30 * time.Second) },
		"year 9999": func(time.Time) time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
				c := w.session(call, 0)
				c.Expires = expires(w.clock())
				return c, nil
			}, func(w *world) {
				for range 24 * 60 {
					reading, cancel := context.WithTimeout(w.t.Context(), time.Second)
					_, _ = w.Retrieve(reading) // readers must not drive it either
					cancel()
					pass(time.Minute)
				}
				if n := w.count(); n > 24*60*60/int(minInterval/time.Second)+1 || n < 3 {
					t.Errorf("%d calls a day", n)
				}
				if n := w.logged("\n"); n > 2 {
					t.Errorf("%d lines a day:\n%s", n, &w.log)
				}
			})
		})
	}
}

func TestEndpointDown(t *testing.T) {
	down := &session.NetworkError{Host: "127.0.0.1", Attempts: 3, Err: errors.New("connection refused")}
	throttled := &session.APIError{Status: 429, Code: "ThrottlingException"}
	denied := &session.APIError{Status: 403, Code: "AccessDeniedException"}
	garbage := &session.ResponseError{Host: "127.0.0.1", Status: 200, Problem: "answered with HTML"}
	for _, tt := range []struct {
		name        string
		err         error
		least, most int // calls in an hour
	}{
		{"down", down, 30, 60},
		{"throttling", throttled, 30, 60},
		{"garbage", garbage, 30, 60},
		{"denied", denied, 6, 14},
	} {
		t.Run(tt.name+" at start", func(t *testing.T) {
			var up atomic.Bool
			in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
				if !up.Load() {
					return aws.Credentials{}, tt.err
				}
				return w.session(call, 59*time.Minute), nil
			}, func(w *world) {
				synctest.Wait()
				w.wantError(tt.err.Error())
				pass(time.Hour)
				w.wantError(tt.err.Error())
				if n := w.count(); n < tt.least || n > tt.most {
					t.Errorf("%d calls in an hour", n)
				}
				up.Store(true)
				pass(longestRefused)
				w.want(w.count())
				if n := w.logged("\n"); n != 2 || w.logged("level=ERROR") != 1 || w.logged("credentials renewed") != 1 {
					t.Errorf("%d lines:\n%s", n, &w.log)
				}
			})
		})
		t.Run(tt.name+" for two hours", func(t *testing.T) {
			in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
				if since := time.Since(w.born()); since > time.Hour && since < 3*time.Hour {
					return aws.Credentials{}, tt.err
				}
				return w.session(call, 59*time.Minute), nil
			}, func(w *world) {
				synctest.Wait()
				for start := time.Now(); time.Since(start) < 4*time.Hour; pass(30 * time.Second) {
					c, err := w.Retrieve(w.t.Context())
					switch since := time.Since(start); {
					case err == nil && !w.clock().Before(c.Expires):
						t.Fatalf("after %s: credentials that expired", since)
					case err != nil && !errors.Is(err, tt.err):
						t.Fatalf("after %s: %v", since, err)
					case err != nil && (since < 85*time.Minute || since > 3*time.Hour+longestRefused):
						t.Fatalf("after %s: %v", since, err)
					}
				}
				if w.logged("level=WARN") != 1 || w.logged("level=ERROR") != 1 || w.logged("level=INFO") != 2 {
					t.Errorf("the log:\n%s", &w.log)
				}
			})
		})
	}
}

// Reads never wait for the network while the credentials are valid, and a refresh that hangs times
// out.
func TestEndpointHangs(t *testing.T) {
	var hangs atomic.Bool
	in(t, func(ctx context.Context, w *world, call int) (aws.Credentials, error) {
		if hangs.Load() {
			<-ctx.Done()
			return aws.Credentials{}, ctx.Err()
		}
		return w.session(call, 59*time.Minute), nil
	}, func(w *world) {
		synctest.Wait()
		hangs.Store(true)
		for range 58 {
			pass(time.Minute)
			w.want(1)
		}
		pass(time.Minute)
		w.wantError("no credentials within 1m0s")
		if n := w.count(); n < 5 || n > 30 {
			t.Errorf("%d calls", n)
		}
		hangs.Store(false)
		pass(4 * time.Minute)
		w.want(w.count())
	})
}

// A provider that hangs and ignores its context is not called again meanwhile, and its late result
// is used.
func TestKeyHangs(t *testing.T) {
	in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		if call == 2 {
			time.Sleep(2 * time.Hour)
		}
		return w.session(call, 59*time.Minute), nil
	}, func(w *world) {
		synctest.Wait()
		pass(58 * time.Minute)
		w.want(1)
		pass(2 * time.Minute)
		w.wantError("no credentials within 1m0s")
		if w.count() != 2 || w.logged("level=ERROR") != 1 {
			t.Errorf("%d calls:\n%s", w.count(), &w.log)
		}
		pass(90 * time.Minute)
		w.want(2)
	})
}

// Fault: a certificate file missing for a moment ends or breaks the daemon.
func TestCertificateMissingForAMoment(t *testing.T) {
	in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		if call == 1 || call == 3 {
			return aws.Credentials{}, errors.New("open leaf.pem: no such file or directory")
		}
		return w.session(call, 59*time.Minute), nil
	}, func(w *world) {
		synctest.Wait()
		w.wantError("open leaf.pem: no such file or directory")
		pass(firstPause)
		w.want(2)
		pass(30 * time.Minute)
		w.want(4)
	})
}

func TestClockJumps(t *testing.T) {
	t.Run("sleeps for a day", func(t *testing.T) {
		in(t, hours, func(w *world) {
			pass(time.Minute)
			w.want(1)
			w.set(24 * time.Hour) // timers do not advance
			w.want(2)
		})
	})
	t.Run("forward, unread", func(t *testing.T) {
		in(t, hours, func(w *world) {
			pass(time.Minute)
			w.set(40 * time.Minute)
			pass(pollInterval)
			w.want(2)
		})
	})
	t.Run("back", func(t *testing.T) {
		in(t, hours, func(w *world) {
			pass(time.Second)
			w.set(-24 * time.Hour) // the old credentials would last a day longer
			pass(pollInterval)
			w.want(2)
			if c, _ := w.Retrieve(w.t.Context()); c.Expires.Sub(w.clock()) > time.Hour {
				t.Errorf("they are said to last until %s", c.Expires)
			}
			pass(10 * time.Minute)
			w.want(2)
		})
	})
	t.Run("a little", func(t *testing.T) {
		in(t, hours, func(w *world) {
			for range 10 {
				pass(time.Minute)
				w.set(-time.Second)
				pass(time.Minute)
				w.set(time.Second)
			}
			w.want(1)
		})
	})
}

// Refusals after temporary failures, and the reverse, are each logged once.
func TestRefresher_logsAChangeOnce(t *testing.T) {
	in(t, func(_ context.Context, w *world, call int) (aws.Credentials, error) {
		switch {
		case call == 1:
			return w.session(call, 12*time.Hour), nil
		case call%2 == 0:
			return aws.Credentials{}, errors.New("down")
		}
		return aws.Credentials{}, fmt.Errorf("no: %w", &session.APIError{Status: 403})
	}, func(w *world) {
		pass(24 * time.Hour)
		if w.logged("level=WARN") != 2 || w.logged("level=ERROR") != 1 || w.logged("\n") != 4 {
			t.Errorf("the log:\n%s", &w.log)
		}
		if strings.Contains(w.log.String(), "secret") || strings.Contains(w.log.String(), "token") {
			t.Errorf("secrets in the log:\n%s", &w.log)
		}
	})
}
