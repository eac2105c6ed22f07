package awsup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/emulator"
)

// TestUp: an account is built from nothing; a second plan has no steps, and no more calls than there are objects and
// lists.
func TestUp(t *testing.T) {
	w := newWorld(t, nil)
	root := newCA(t, "Root")
	built := w.mustUp(t, twoRoles(root))
	if built.Anchor == "" || built.Profile == "" || len(built.Roles) != 2 || len(built.More) > 0 {
		t.Errorf("%+v", built.Plan)
	}
	state := w.state(t, twoRoles(root))
	for _, want := range []string{"anchor kedge", "team:storage", "true 1 [{CA_CERTIFICATE_EXPIRY 180} {END_ENTITY_CERTIFICATE_EXPIRY 5}]", "2h0m0s [arn:aws:iam::111122223333:role/hosts/backup arn:aws:iam::111122223333:role/hosts/batch]", `"Attached":["` + readOnly, `"Inline":{"read":`} {
		if !strings.Contains(state, want) {
			t.Errorf("%s\nwant %s", state, want)
		}
	}
	w.sent = nil
	again, err := Prepare(t.Context(), w.admin(t), twoRoles(root))
	if err != nil || len(again.Steps) > 0 {
		t.Fatalf("%v, %+v", err, again.Steps)
	}
	// The caller; the lists of trust anchors and of profiles, with the tags of each; each role, with its two lists, and
	// each policy of its own. The emulator has a profile of its own.
	objects, lists := 1+len(again.Found.Anchors)+len(again.Found.Profiles)+2+1, 2+2*2
	if n := len(w.sent); n > objects+lists {
		t.Errorf("%d calls for %d objects and %d lists:\n%s", n, objects, lists, strings.Join(w.sent, "\n"))
	}
}

// TestUp_killed: whatever the call after which the process dies is, the next run makes the same account, and nothing
// twice.
func TestUp_killed(t *testing.T) {
	root := newCA(t, "Root")
	whole := newWorld(t, nil)
	whole.mustUp(t, twoRoles(root))
	calls, want := len(whole.sent), whole.state(t, twoRoles(root))
	for n := 1; n <= calls; n++ {
		w := newWorld(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		w.dies, w.die = n, cancel
		_, err := w.up(ctx, t, twoRoles(root))
		cancel()
		if err == nil && n < calls {
			t.Fatalf("it did not die after call %d", n)
		}
		w.dies = 0
		w.mustUp(t, twoRoles(root))
		if got := w.state(t, twoRoles(root)); got != want {
			t.Errorf("killed after call %d, %s:\n%s\nwant\n%s", n, whole.sent[n-1], got, want)
		}
	}
}

// TestUp_lostAnswers: each answer is lost once: nothing is made twice.
func TestUp_lostAnswers(t *testing.T) {
	root := newCA(t, "Root")
	whole := newWorld(t, nil)
	whole.mustUp(t, twoRoles(root))
	want := whole.state(t, twoRoles(root))
	for service, path := range map[string]string{"iam": "POST /", "rolesanywhere": ""} {
		for n := range whole.sent {
			if called(whole.sent[:n+1], path) == called(whole.sent[:n], path) {
				continue
			}
			n := called(whole.sent[:n+1], path)
			w := newWorld(t, nil)
			w.fails(t, fmt.Sprintf("%s:lost@%d", service, n))
			w.mustUp(t, twoRoles(root))
			w.ClearFaults()
			if got := w.state(t, twoRoles(root)); got != want {
				t.Errorf("%s, answer %d:\n%s\nwant\n%s", service, n, got, want)
			}
		}
	}
	w := newWorld(t, func(c *emulator.Config) { c.Conditions.LostAnswers, c.Conditions.Seed = 0.3, 1 })
	for range 20 {
		if _, err := w.up(t.Context(), t, twoRoles(root)); err == nil {
			break
		}
	}
	w.Emulator.ClearFaults()
	if got := w.state(t, twoRoles(root)); got != want {
		t.Errorf("a third of the answers is lost:\n%s\nwant\n%s", got, want)
	}
}

// called counts the requests to the path of the query protocol or, if that is empty, to all others.
func called(sent []string, path string) (n int) {
	for _, one := range sent {
		if (one == "POST /") == (path != "") {
			n++
		}
	}
	return n
}

// TestUp_notDone: a call that creates and gets no answer is not sent again unless it is known that nothing was made.
func TestUp_notDone(t *testing.T) {
	w := newWorld(t, nil)
	root := newCA(t, "Root")
	a := w.admin(t)
	planned, err := Prepare(t.Context(), a, twoRoles(root))
	if err != nil {
		t.Fatal(err)
	}
	w.fails(t, "rolesanywhere:cut@2") // the first one looks
	_, err = planned.Do(t.Context(), a, func(*awsplan.Step) {})
	if lost, ok := errors.AsType[*LostError](err); !ok || !strings.Contains(lost.Error(), "create the trust anchor kedge") {
		t.Fatal(err)
	}
	w.mustUp(t, twoRoles(root))
}

// TestUp_drift: what was changed by hand is shown as lines that go and come, and put back.
func TestUp_drift(t *testing.T) {
	root := newCA(t, "Root")
	for name, change := range map[string]struct {
		do   func(t *testing.T, a *awsaccount.Account, built *Planned) error
		want string // a line of the difference, or of the text
	}{
		"trust policy": {func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			text, _ := trustOf("*")(b.Anchor)
			_, err := awsaccount.Call(t.Context(), a, a.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("backup"), PolicyDocument: aws.String(strings.Replace(text, "StringEquals", "StringLike", 1))})
			return err
		}, `- `},
		"attached": {func(t *testing.T, a *awsaccount.Account, _ *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.IAM.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: aws.String("backup"), PolicyArn: aws.String(readOnly)})
			return err
		}, "attach the policy " + readOnly},
		"inline": {func(t *testing.T, a *awsaccount.Account, _ *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.IAM.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: aws.String("batch"), PolicyName: aws.String("read"), PolicyDocument: aws.String(strings.Replace(getObject, "GetObject", "*", 1))})
			return err
		}, `-     "Action": "s3:*",`},
		"disabled anchor": {func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.DisableTrustAnchor, &rolesanywhere.DisableTrustAnchorInput{TrustAnchorId: &b.Anchor})
			return err
		}, "enable the trust anchor kedge"},
		"duration": {func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &b.Profile, DurationSeconds: aws.Int32(900)})
			return err
		}, "- sessions of 15m"},
		"another role": {func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &b.Profile, RoleArns: append(b.Roles, "arn:aws:iam::111122223333:role/kedge")})
			return err
		}, "- arn:aws:iam::111122223333:role/kedge"},
		"notifications": {func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.ResetNotificationSettings, &rolesanywhere.ResetNotificationSettingsInput{TrustAnchorId: &b.Anchor, NotificationSettingKeys: resetAll()})
			return err
		}, "- AWS warns of certificates of hosts 45 days before they expire"},
		"tags": {func(t *testing.T, a *awsaccount.Account, _ *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.IAM.UntagRole, &iam.UntagRoleInput{RoleName: aws.String("batch"), TagKeys: []string{"team"}})
			return err
		}, "tag the role batch with team=storage"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			built := w.mustUp(t, twoRoles(root))
			want := w.state(t, twoRoles(root))
			if err := change.do(t, w.admin(t), built); err != nil {
				t.Fatal(err)
			}
			planned, err := Prepare(t.Context(), w.admin(t), twoRoles(root))
			if err != nil || len(planned.Steps) == 0 || !strings.Contains(planned.String(), change.want) {
				t.Fatalf("%v, want %s:\n%s", err, change.want, planned)
			}
			w.mustUp(t, twoRoles(root))
			if got := w.state(t, twoRoles(root)); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestUp_together: of two operators at once, neither makes anything a second time unnoticed.
func TestUp_together(t *testing.T) {
	root := newCA(t, "Root")
	w := newWorld(t, nil)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		a := w.admin(t)
		both.Go(func() {
			planned, err := Prepare(t.Context(), a, twoRoles(root))
			if err == nil {
				_, err = planned.Do(t.Context(), a, func(*awsplan.Step) {})
			}
			errs[i] = err
		})
	}
	both.Wait()
	planned, err := Prepare(t.Context(), w.admin(t), twoRoles(root))
	if _, twice := errors.AsType[*awsplan.ConflictError](err); twice {
		if errs[0] == nil || errs[1] == nil {
			t.Errorf("there are two, and nobody learned it: %v, %v", errs[0], errs[1])
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := planned.Do(t.Context(), w.admin(t), func(*awsplan.Step) {}); err != nil {
		t.Error(err)
	}
}

// TestUp_late: what another operator made after the plan is taken, and not made a second time.
func TestUp_late(t *testing.T) {
	root := newCA(t, "Root")
	w := newWorld(t, nil)
	late, err := Prepare(t.Context(), w.admin(t), twoRoles(root))
	if err != nil {
		t.Fatal(err)
	}
	w.mustUp(t, twoRoles(root))
	want := w.state(t, twoRoles(root))
	if _, err := late.Do(t.Context(), w.admin(t), func(*awsplan.Step) {}); err != nil {
		t.Fatal(err)
	}
	if got := w.state(t, twoRoles(root)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
