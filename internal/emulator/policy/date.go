package policy

import (
	"strconv"
	"strings"
	"time"
)

// latest is where numbers of seconds end: after it package time would count from the beginning.
const latest = 1 << 55

// parseDate reads a date of the W3C's profile of ISO 8601, or seconds since 1970 (IAMG
// reference_policies_elements_condition_operators, "Date"; W3C NOTE-datetime). Digits alone are
// seconds, not a year, say field reports. A time without a zone is in UTC, and fractions of a second
// count, as far as nanoseconds go: ours.
func parseDate(s string) (time.Time, bool) {
	if !strings.ContainsAny(s, "-Tt") {
		seconds, err := strconv.ParseUint(s, 10, 63)
		return time.Unix(int64(min(seconds, latest)), 0).UTC(), err == nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006-01",
	} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
