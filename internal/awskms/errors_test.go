package awskms

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// failing are the errors of Open and Sign, and what brings them about.
type failing struct {
	name  string
	kind  Kind
	fails func(k *testenv.KMS, id string)
	least int // requests of Sign
	most  int
}

func failings(t *testing.T) []failing {
	answer := func(code string, status int) func(*testenv.KMS, string) {
		return func(k *testenv.KMS, _ string) {
			k.Fail(func(string) testenv.Fault { return testenv.Fault{Code: code, Status: status} })
		}
	}
	return []failing{
		{"throttled", Throttled, answer("ThrottlingException", 400), 3, 100},
		{"throttled by status", Throttled, answer("SomethingNew", 429), 3, 100},
		{"outage", Unavailable, answer("KMSInternalException", 500), 3, 100},
		{"denied", Denied, answer("AccessDeniedException", 400), 1, 1},
		{"expired credentials", NoCredentials, answer("ExpiredTokenException", 400), 1, 1},
		{"unknown credentials", NoCredentials, answer("UnrecognizedClientException", 400), 1, 1},
		{"clock", NoCredentials, answer("RequestTimeTooSkewed", 400), 1, 1},
		{"import pending", WrongState, answer("KMSInvalidStateException", 400), 1, 1},
		{"other", Refused, answer("SomethingNew", 400), 1, 1},
		{"disabled", Disabled, func(k *testenv.KMS, id string) { k.Do(t, "DisableKey", map[string]any{"KeyId": id}) }, 1, 1},
		{"pending deletion", PendingDeletion, func(k *testenv.KMS, id string) {
			k.Do(t, "ScheduleKeyDeletion", map[string]any{"KeyId": id, "PendingWindowInDays": 7})
		}, 1, 1},
		{"no answer", Slow, func(k *testenv.KMS, _ string) {
			k.Fail(func(string) testenv.Fault { return testenv.Fault{Delay: time.Minute} })
		}, 2, 4},
		{"lost answers", Unreachable, func(k *testenv.KMS, _ string) {
			k.Fail(func(string) testenv.Fault { return testenv.Fault{Lose: true} })
		}, 3, 200},
		{"gone", Unreachable, func(k *testenv.KMS, _ string) { k.Stop() }, 0, 0},
	}
}

// TestErrors: each fault is named, when a key is opened and when it signs, within the deadline; what may
// be granted a moment later is repeated, and nothing else is.
func TestErrors(t *testing.T) {
	for _, f := range failings(t) {
		t.Run(f.name, func(t *testing.T) {
			k := use(t)
			c := NewClient(quick())
			id := k.Make(t, "ECC_NIST_P256", "SIGN_VERIFY")
			uri := "awskms:key-id=" + id + ";region=" + testenv.KMSRegion
			key := open(t, c, uri)
			f.fails(k, id)
			begun := time.Now()
			_, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
			isKind(t, err, f.kind)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Error("the caller's own deadline seems to have passed")
			}
			if took := time.Since(begun); took > 5*quick().Deadline {
				t.Errorf("it took %v", took)
			}
			if n := k.Requests("Sign"); n < f.least || n > f.most {
				t.Errorf("%d requests", n)
			}
			_, err = c.Open(t.Context(), parse(t, uri))
			isKind(t, err, f.kind)
		})
	}
}

func isKind(t *testing.T, err error, want Kind) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != want || strings.Contains(err.Error(), "fault of the test") || strings.Contains(e.Error(), "://") {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestOpen_deadline: the deadline bounds what is repeated, even if the caller has more time.
func TestOpen_deadline(t *testing.T) {
	k := use(t)
	uri := parse(t, k.MakeSigning(t, "ECC_NIST_P256"))
	k.Fail(func(string) testenv.Fault { return testenv.Fault{Code: "ThrottlingException"} })
	end := time.Now().Add(10 * quick().Deadline)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	_, err := NewClient(quick()).Open(ctx, uri)
	isKind(t, err, Throttled)
	if left := time.Until(end); left < 3*quick().Deadline {
		t.Errorf("it went on until the caller's own deadline, but for %v", left)
	}
}

// TestSign_cut: an attempt that the deadline cuts short is no answer of KMS; what it answered before counts.
func TestSign_cut(t *testing.T) {
	k := use(t)
	key := open(t, NewClient(Limits{Deadline: 3 * time.Second, Attempt: time.Minute, Parallel: 1}), k.MakeSigning(t, "ECC_NIST_P256"))
	answered := false
	k.Fail(func(string) testenv.Fault {
		if answered {
			return testenv.Fault{Delay: time.Minute}
		}
		answered = true
		return testenv.Fault{Code: "ThrottlingException"}
	})
	_, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)
	isKind(t, err, Throttled)
}

// TestOpen_wrong: a key that signs nothing, or nothing of a certificate, is refused when it is opened, and
// one that is not there is named.
func TestOpen_wrong(t *testing.T) {
	k := use(t)
	c := NewClient(quick())
	for _, wrong := range []struct{ spec, usage string }{{"RSA_2048", "ENCRYPT_DECRYPT"}, {"SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"}, {"ECC_SECG_P256K1", "SIGN_VERIFY"}} {
		_, err := c.Open(t.Context(), URI{KeyID: k.Make(t, wrong.spec, wrong.usage), Region: testenv.KMSRegion})
		isKind(t, err, WrongKey)
	}
	_, err := c.Open(t.Context(), URI{KeyID: "1234abcd-12ab-34cd-56ef-1234567890ab", Region: testenv.KMSRegion})
	isKind(t, err, NotFound)
	_, err = c.Open(t.Context(), URI{KeyID: "alias/none", Region: testenv.KMSRegion})
	isKind(t, err, NotFound)
}

// TestError_words: each kind has words of its own.
func TestError_words(t *testing.T) {
	t.Parallel()
	seen := map[string]Kind{}
	for _, kind := range []Kind{Throttled, Unavailable, Slow} {
		text := fmt.Sprint(&Error{Kind: kind, Key: "awskms:key-id=a"})
		seen[text] = kind
	}
	for _, kind := range []Kind{Throttled, Unavailable, Busy, Slow, Unreachable, Denied, NoCredentials, Configuration, NotFound, Disabled, PendingDeletion, WrongState, WrongKey, Refused} {
		text := fmt.Sprint(&Error{Kind: kind, Key: "awskms:key-id=a", Operation: sign})
		if other, ok := seen[text]; ok {
			t.Errorf("%s and %s: %s", kind, other, text)
		}
		seen[text] = kind
	}
}
