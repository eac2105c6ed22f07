package awsup

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// TestUp_changed: what somebody changes between the plan and its steps is not overwritten; the same change, made by
// somebody else, is no error.
func TestUp_changed(t *testing.T) {
	root, next := newCA(t, "Root"), newCA(t, "Next")
	for name, tt := range map[string]struct {
		want  func(*awsplan.Wanted)
		other func(t *testing.T, a *awsaccount.Account, built *Planned) error
	}{
		"trust policy": {func(w *awsplan.Wanted) { w.Roles[0].Trust = trustOf("web-03") }, func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			text, _ := trustOf("web-09")(b.Anchor)
			_, err := awsaccount.Call(t.Context(), a, a.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("backup"), PolicyDocument: &text})
			return err
		}},
		"profile": {func(w *awsplan.Wanted) { w.SetDuration(time.Hour) }, func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &b.Profile, RoleArns: b.Roles[:1]})
			return err
		}},
		"trust anchor": {func(w *awsplan.Wanted) { w.Anchor.Certificates = append(w.Anchor.Certificates, next) }, func(t *testing.T, a *awsaccount.Account, b *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateTrustAnchor, &rolesanywhere.UpdateTrustAnchorInput{TrustAnchorId: &b.Anchor, Source: sourceOf(append(b.Wanted.Anchor.Certificates, newCA(t, "Third")))})
			return err
		}},
		"policy": {func(w *awsplan.Wanted) {
			w.Roles[1].Inline = map[string]string{"read": strings.Replace(getObject, "GetObject", "Get*", 1)}
		}, func(t *testing.T, a *awsaccount.Account, _ *Planned) error {
			_, err := awsaccount.Call(t.Context(), a, a.IAM.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: aws.String("batch"), PolicyName: aws.String("read"), PolicyDocument: aws.String(strings.Replace(getObject, "Allow", "Deny", 1))})
			return err
		}},
		"role gone": {func(w *awsplan.Wanted) { w.Roles[0].Trust = trustOf("web-03") }, func(t *testing.T, a *awsaccount.Account, _ *Planned) error {
			if _, err := awsaccount.Call(t.Context(), a, a.IAM.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: aws.String("backup"), PolicyArn: aws.String(readOnly)}); err != nil {
				return err
			}
			_, err := awsaccount.Call(t.Context(), a, a.IAM.DeleteRole, &iam.DeleteRoleInput{RoleName: aws.String("backup")})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, wanted := newWorld(t, nil), twoRoles(root)
			built := w.mustUp(t, wanted)
			wanted = twoRoles(root)
			tt.want(wanted)
			a := w.admin(t)
			planned, err := Prepare(t.Context(), a, wanted)
			if err != nil || len(planned.Steps) == 0 {
				t.Fatalf("%v, %+v", err, planned)
			}
			if err := tt.other(t, a, built); err != nil {
				t.Fatal(err)
			}
			before := w.state(t, wanted)
			_, err = planned.Do(t.Context(), a, func(*awsplan.Step) {})
			if changed, ok := errors.AsType[*ChangedError](err); !ok || changed.ARN == "" || w.state(t, wanted) != before {
				t.Errorf("%v\n%s\nwant\n%s", err, w.state(t, wanted), before)
			}
			w.mustUp(t, wanted) // once more, by what is there now
			if _, err := planned.Do(t.Context(), a, func(*awsplan.Step) {}); err != nil {
				t.Errorf("what was planned was done already: %v", err)
			}
		})
	}
}
