package emulator

import (
	"strconv"
	"testing"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/emulator/rolesanywhere"
)

func onePerSecond(c *Config) { c.Conditions.RequestRate = 1 }

// TestRate: each group of operations has a rate of its own; the SDK tries again until the call is done.
func TestRate(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t, onePerSecond)
	if err := w.createProfile(t, "a"); err != nil {
		t.Fatal(err)
	}
	_, err := w.resources().ListProfiles(t.Context(), &ra.ListProfilesInput{})
	if status, code := statusAndCode(err); status != 400 || code != "ThrottlingException" {
		t.Errorf("a second request for profiles: %d %q", status, code)
	}
	if _, err := w.resources().ListTrustAnchors(t.Context(), &ra.ListTrustAnchorsInput{}); err != nil {
		t.Errorf("the first request for trust anchors: %v", err)
	}
	if err := w.createRole(t, "a"); err != nil {
		t.Errorf("the first request of IAM: %v", err)
	}
	_, err = w.roles().ListRoles(t.Context(), &awsiam.ListRolesInput{})
	if status, code := statusAndCode(err); status != 400 || code != "Throttling" {
		t.Errorf("a second request of IAM: %d %q", status, code)
	}
	w.retries = 1
	if err := w.createProfile(t, "b"); err != nil {
		t.Errorf("tried again: %v", err)
	}
	w.advance(time.Second)
	if n := w.profilesNamed(t, "b"); n != 1 {
		t.Errorf("%d profiles, want 1: a throttled call is not done", n)
	}
}

// TestRate_signature: a request that its account did not sign takes nothing of its rate.
func TestRate_signature(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t, onePerSecond)
	wrong := w.Administrator()
	wrong.SecretAccessKey += "x"
	for range 3 {
		if response, body := w.call(t, wrong, "GET", "/profiles", ""); response.StatusCode != 403 {
			t.Error(body)
		}
	}
	w.profilesNamed(t, "a")
}

// TestLimiter: the buckets of other accounts, regions and groups are others; a clock that was set back refills nothing;
// the memory is bounded.
func TestLimiter(t *testing.T) {
	t.Parallel()
	l := limiter{perSecond: 2}
	g := rateGroup{"1", "r", "g"}
	allowed := func(g rateGroup, at time.Duration) bool { return l.allow(g, testNow.Add(at)) }
	for i, want := range []bool{true, true, false} {
		if got := allowed(g, 0); got != want {
			t.Errorf("call %d: %t", i, got)
		}
	}
	if allowed(g, -time.Hour) {
		t.Error("an earlier time refills")
	}
	if !allowed(g, 500*time.Millisecond-time.Hour) || allowed(g, 500*time.Millisecond-time.Hour) {
		t.Error("half a second is one call")
	}
	for _, other := range []rateGroup{{"2", "r", "g"}, {"1", "s", "g"}, {"1", "r", "h"}} {
		if !allowed(other, 0) {
			t.Errorf("%v is limited by another", other)
		}
	}
	for i := range 3 * maxBuckets {
		l.allow(rateGroup{region: strconv.Itoa(i)}, testNow)
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

// TestGroupOf: every operation has the group that its path names.
func TestGroupOf(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for _, op := range rolesanywhere.Operations() {
		count[groupOf(op.Name)]++
	}
	want := map[string]int{"trust anchors": 9, "profiles": 9, "CRLs": 7, "subjects": 2, "tags": 3}
	for group, n := range want {
		if count[group] != n {
			t.Errorf("%s: %d operations, want %d", group, count[group], n)
		}
	}
}
