package refresh

import (
	"errors"
	"net/http"
	"time"

	"kedge/signer/session"
)

const (
	// reserve is what is left of credentials when they are renewed: botocore hands out such as
	// have less than 25 minutes with a jitter of its own, and the rest is for retries.
	reserve = 30 * time.Minute

	// long is a session that is long enough to give the reserve away.
	long = 40 * time.Minute

	// longest is what a session can be; credentials that claim more are not believed.
	longest = 12 * time.Hour

	// pace is the least time between two renewals that succeed.
	pace = 10 * time.Second

	// brief credentials are a mistake of somebody's: they do not replace ones that end later. The
	// shortest session, 15 minutes less what clocks may be off, is not brief.
	brief = 10 * time.Minute
)

// When returns the time to renew credentials that came at got and end at expires. A session of
// less than 40 minutes is renewed after half of it; from there on with half an hour left, or a
// sixth of its length if that is more, so that a service that is down for longer is survived too.
//
// jitter, from 0 to 1, makes it earlier by up to a tenth, so that hosts that started together do
// not stay together. It is never earlier than 10 seconds after got, even where expires lies
// before it, and never later than 10 hours after.
func When(got, expires time.Time, jitter float64) time.Time {
	got, expires = got.Round(0), expires.Round(0)
	life := min(expires.Sub(got), longest)
	use := life / 2
	if life >= long {
		use = life - max(reserve, life/6)
	}
	use -= time.Duration(jitter * float64(use) / 10)
	return got.Add(max(use, pace))
}

// least is what credentials have that a program gets which asks for them anew each time: with less
// botocore runs it again for every request. It is as long as the shortest session.
const least = 15 * time.Minute

// Enough tells whether credentials that came at got can be handed out at now, by a program that
// has no time to renew them before they are asked for: with more than 15 minutes left, or, where
// the session never had that much, more than half of it. Credentials that come from the future,
// or last longer than any session, are not enough: a clock was set, or somebody made them up.
func Enough(got, expires, now time.Time) bool {
	life, left := expires.Sub(got), expires.Sub(now)
	if now.Before(got.Add(-time.Minute)) || life > longest+time.Minute {
		return false
	}
	if life <= least {
		return left > life/2
	}
	return left > least
}

// The pauses after failures, each twice the one before. A refusal stays until somebody changes
// something; the network comes back by itself.
const (
	firstPause, longestPause     = 5 * time.Second, 2 * time.Minute
	firstRefused, longestRefused = time.Minute, 10 * time.Minute
)

// Backoff returns how long to wait after so many failures in a row: between the half and the
// whole of a pause that doubles, as jitter, from 0 to 1, has it. Without refused it ends at 2
// minutes, with refused, which is for answers that say no, at 10.
func Backoff(failures int, refused bool, jitter float64) time.Duration {
	pause, most := firstPause, longestPause
	if refused {
		pause, most = firstRefused, longestRefused
	}
	for ; failures > 1 && pause < most; failures-- {
		pause *= 2
	}
	pause = min(pause, most)
	return pause/2 + time.Duration(jitter*float64(pause/2))
}

// refused tells an answer that says no from trouble that passes, of Roles Anywhere and of the
// AWS SDK's clients alike.
func refused(err error) bool {
	if api, ok := errors.AsType[*session.APIError](err); ok {
		return isRefusal(api.Status) && !api.Throttled()
	}
	if response, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int // as smithy's ResponseError has it
	}](err); ok {
		return isRefusal(response.HTTPStatusCode())
	}
	return false
}

func isRefusal(status int) bool {
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests
}
