package awsaccount

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
)

// trust is a trust policy for nobody outside the account.
const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`

func createRole(t *testing.T, a *Account, name string) error {
	t.Helper()
	_, err := Call(t.Context(), a, a.IAM.CreateRole, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	return err
}

func createProfile(t *testing.T, a *Account, name string) error {
	t.Helper()
	_, err := Call(t.Context(), a, a.RolesAnywhere.CreateProfile, &rolesanywhere.CreateProfileInput{Name: &name, RoleArns: []string{}})
	return err
}

func (w *world) profiles(t *testing.T, name string) (n int) {
	t.Helper()
	a := w.admin(t)
	out, err := Call(t.Context(), a, a.RolesAnywhere.ListProfiles, &rolesanywhere.ListProfilesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range out.Profiles {
		if *p.Name == name {
			n++
		}
	}
	return n
}

// TestCall_createOnce: what creates something is not sent again after an answer that is lost, slow or a fault of AWS;
// what was refused as one request too many is.
func TestCall_createOnce(t *testing.T) {
	for fault, want := range map[string]int{"rolesanywhere:lost": 1, "rolesanywhere:status=500": 0, "rolesanywhere:cut": 0, "rolesanywhere:unavailable=2": 0} {
		w := newWorld(t, nil)
		a := w.admin(t)
		w.fails(t, fault)
		err := createProfile(t, a, "a")
		if e, ok := errors.AsType[*Error](err); !ok || !e.MayBeDone() || w.sent != 1 {
			t.Errorf("%s: %v after %d requests", fault, err, w.sent)
		}
		if n := w.profiles(t, "a"); n != want {
			t.Errorf("%s: %d profiles, want %d", fault, n, want)
		}
	}
	w := newWorld(t, nil)
	w.fails(t, "rolesanywhere:throttle*2")
	if err := createProfile(t, w.admin(t), "a"); err != nil || w.sent != 3 {
		t.Errorf("throttled: %v after %d requests", err, w.sent)
	}
	if n := w.profiles(t, "a"); n != 1 {
		t.Errorf("throttled: %d profiles", n)
	}
}

// TestCall_repeats: what can be sent again is, as often as the limits allow, and not before AWS wants it.
func TestCall_repeats(t *testing.T) {
	for _, fault := range []string{"iam:lost*2", "iam:status=503*2", "iam:cut*2", "iam:throttle*2"} {
		w := newWorld(t, nil)
		a := w.admin(t)
		if err := createRole(t, a, "a"); err != nil {
			t.Fatal(err)
		}
		w.sent = 0
		w.fails(t, fault)
		if _, err := Call(t.Context(), a, a.IAM.GetRole, &iam.GetRoleInput{RoleName: aws.String("a")}); err != nil || w.sent != 3 {
			t.Errorf("%s: %v after %d requests", fault, err, w.sent)
		}
	}
	w := newWorld(t, nil)
	w.fails(t, "rolesanywhere:unavailable=7")
	w.profiles(t, "a")
	if len(w.pauses) != 1 || w.pauses[0] != 7*time.Second {
		t.Errorf("waited %v, want 7 s", w.pauses)
	}
	w.fails(t, "iam:throttle*100")
	w.sent = 0
	a := w.admin(t)
	_, err := Call(t.Context(), a, a.IAM.ListRoles, &iam.ListRolesInput{})
	if !Is(err, Throttled) || w.sent != DefaultLimits().Attempts {
		t.Errorf("%v after %d requests", err, w.sent)
	}
}

// TestCall_pace: a second is between changes, and nothing between reads.
func TestCall_pace(t *testing.T) {
	w := newWorld(t, nil)
	a := w.admin(t)
	begun := w.clock()
	for _, name := range []string{"a", "b", "c"} {
		if err := createRole(t, a, name); err != nil {
			t.Fatal(err)
		}
		if _, err := Call(t.Context(), a, a.IAM.GetRole, &iam.GetRoleInput{RoleName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.clock().Sub(begun); took != 2*time.Second {
		t.Errorf("three changes took %v, want 2s", took)
	}
}

// TestCall_gone: a caller that goes away gets its own error back, and a deadline of a request does not look like one.
func TestCall_gone(t *testing.T) {
	w := newWorld(t, nil)
	a := w.admin(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Call(ctx, a, a.IAM.ListRoles, &iam.ListRolesInput{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	a.limits.Attempt, a.limits.Attempts = 50*time.Millisecond, 2
	w.fails(t, "iam:delay=1s*2")
	_, err := Call(t.Context(), a, a.IAM.ListRoles, &iam.ListRolesInput{})
	if !Is(err, Slow) || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
