package refresh

import (
	"errors"
	"net/http"
	"time"

	"kedge/signer/session"
)

const (
	// reserve is the time that credentials have left when they are renewed: botocore takes up to
	// 25 minutes, with its jitter, for too little; the rest is for retries.
	reserve = 30 * time.Minute

	// long is the shortest session that is renewed reserve before its end.
	long = 40 * time.Minute

	// longest is the longest session that AWS grants; a longer one is treated as one of this length.
	longest = 12 * time.Hour

	// minInterval is the least time between two successful renewals.
	minInterval = 10 * time.Second

	// minSession: sessions shorter than this are presumed misconfigured and never replace longer
	// ones. It is below AWS's minimum of 15 minutes to allow for clock skew.
	minSession = 10 * time.Minute
)

// When returns the time to renew credentials that were received at got and expire at expires. A
// session of less than 40 minutes is renewed after half of it. A longer one is renewed when half
// an hour is left, or a sixth of its length if that is more, to survive longer outages of AWS.
//
// jitter, from 0 to 1, makes it earlier by up to a tenth, to spread hosts that started at the same
// time. The result is at least 10 seconds after got, even if expires is before got, and at most
// 10 hours after.
func When(got, expires time.Time, jitter float64) time.Time {
	got, expires = got.Round(0), expires.Round(0)
	life := min(expires.Sub(got), longest)
	use := life / 2
	if life >= long {
		use = life - max(reserve, life/6)
	}
	use -= time.Duration(jitter * float64(use) / 10)
	return got.Add(max(use, minInterval))
}

// least is the time that credentials have left when a credential_process returns them: with less,
// botocore runs it again for every request. It is the length of the shortest session.
const least = 15 * time.Minute

// Enough reports whether credentials that were received at got need no renewal before they are
// returned at now: more than 15 minutes are left, or, if the session is shorter than that, more
// than half of it. Credentials that were received in the future, or last longer than any session,
// are not enough: the clock was set, or they were not issued by AWS.
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

// The pauses after failures, each twice the one before. They are longer after a refusal, which lasts
// until the configuration is changed.
const (
	firstPause, longestPause     = 5 * time.Second, 2 * time.Minute
	firstRefused, longestRefused = time.Minute, 10 * time.Minute
)

// Backoff returns how long to wait after so many failures in a row. The pause doubles with each, up
// to 2 minutes, or 10 if the last failure was a refusal; jitter, from 0 to 1, takes between half
// of it and all.
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

// refused reports whether err is a refusal, which repeating the request will not change, and not a
// temporary failure. It classifies the errors of session and of the AWS SDK.
func refused(err error) bool {
	if api, ok := errors.AsType[*session.APIError](err); ok {
		return isRefusal(api.Status) && !api.Throttled()
	}
	if response, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int // implemented by smithy's ResponseError
	}](err); ok {
		return isRefusal(response.HTTPStatusCode())
	}
	return false
}

func isRefusal(status int) bool {
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests
}
