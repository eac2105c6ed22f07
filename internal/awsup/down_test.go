package awsup

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// everything describes all that is in the account.
func (w *world) everything(t *testing.T) string {
	t.Helper()
	a := w.admin(t)
	found, _, err := Find(t.Context(), a, &awsplan.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	roles, err := awsaccount.Call(t.Context(), a, a.IAM.ListRoles, &iam.ListRolesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, role := range roles.Roles {
		names = append(names, *role.Arn)
	}
	text, err := json.Marshal([]any{found.Anchors, found.Profiles, names})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) down(ctx context.Context, t *testing.T, r Removal) error {
	t.Helper()
	a := w.admin(t)
	planned, err := PrepareDown(ctx, a, r)
	if err != nil {
		return err
	}
	return planned.DoDown(ctx, a, func(*awsplan.Step) {})
}

func removalOf(wanted *awsplan.Wanted) Removal {
	r := Removal{Owners: wanted.Owners, Planned: map[string][]string{}}
	for i := range wanted.Roles {
		r.Planned[wanted.Roles[i].Name] = wanted.Roles[i].Policies()
	}
	return r
}

// TestDown: the account is as it was before, also after an interruption anywhere, lost answers, and without any knowledge
// of the roles.
func TestDown(t *testing.T) {
	wanted := twoRoles(newCA(t, "Root"))
	w := newWorld(t, nil)
	before := w.everything(t)
	slr := strings.Contains(before, "aws-service-role")
	w.mustUp(t, wanted)
	w.sent = nil
	if err := w.down(t.Context(), t, Removal{Owners: wanted.Owners}); err != nil {
		t.Fatal(err)
	}
	calls := len(w.sent)
	if got := withoutServiceRole(w.everything(t)); got != before || slr {
		t.Errorf("%s\nwant\n%s", got, before)
	}
	for n := 1; n <= calls; n++ {
		w.mustUp(t, wanted)
		ctx, cancel := context.WithCancel(t.Context())
		w.sent, w.dies, w.die = nil, n, cancel
		_ = w.down(ctx, t, removalOf(wanted))
		cancel()
		w.dies = 0
		if err := w.down(t.Context(), t, removalOf(wanted)); err != nil {
			t.Fatalf("after call %d: %v", n, err)
		}
		if got := withoutServiceRole(w.everything(t)); got != before {
			t.Errorf("killed after call %d:\n%s\nwant\n%s", n, got, before)
		}
	}
	for _, fault := range []string{"rolesanywhere:lost@4", "rolesanywhere:lost@7", "iam:lost@4", "iam:lost@9", "iam:lost@12"} {
		w.mustUp(t, wanted)
		w.fails(t, fault)
		if err := w.down(t.Context(), t, removalOf(wanted)); err != nil {
			t.Errorf("%s: %v", fault, err)
		}
		w.ClearFaults()
		if got := withoutServiceRole(w.everything(t)); got != before {
			t.Errorf("%s:\n%s\nwant\n%s", fault, got, before)
		}
	}
}

// withoutServiceRole leaves out the role that AWS makes with the first trust anchor, which is nobody's to delete.
func withoutServiceRole(text string) string {
	const role = `"arn:aws:iam::111122223333:role/aws-service-role/rolesanywhere.amazonaws.com/AWSServiceRoleForRolesAnywhere"`
	return strings.NewReplacer(","+role, "", role+",", "").Replace(text)
}

// TestDown_others: what is of somebody else, or of another CA, stays.
func TestDown_others(t *testing.T) {
	w := newWorld(t, nil)
	other, own := twoRoles(newCA(t, "Other")), twoRoles(newCA(t, "Root"))
	for i := range own.Roles {
		own.Roles[i].Name = "own-" + own.Roles[i].Name
	}
	w.mustUp(t, other)
	a := w.admin(t)
	trust, _ := trustOf("x")("arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/00000000-0000-0000-0000-000000000000")
	if _, err := awsaccount.Call(t.Context(), a, a.IAM.CreateRole, &iam.CreateRoleInput{RoleName: aws.String("somebody"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	before := w.everything(t)
	built := w.mustUp(t, own)
	trust, _ = trustOf("x")(built.Anchor) // a role of somebody else that hosts of this CA get
	if _, err := awsaccount.Call(t.Context(), a, a.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("somebody"), PolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	if err := w.down(t.Context(), t, removalOf(own)); err != nil {
		t.Fatal(err)
	}
	if got := w.everything(t); got != before {
		t.Errorf("%s\nwant\n%s", got, before)
	}
}

// TestDown_copiedTag: a trust anchor of another CA stays, though somebody has given it the tag.
func TestDown_copiedTag(t *testing.T) {
	w := newWorld(t, nil)
	other, own := twoRoles(newCA(t, "Other")), twoRoles(newCA(t, "Root"))
	built := w.mustUp(t, other)
	a := w.admin(t)
	for _, arn := range []string{built.Anchor} {
		if _, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.TagResource, &rolesanywhere.TagResourceInput{
			ResourceArn: &arn, Tags: resourceTagsOf(map[string]string{awsplan.TagKey: own.Owners[0].Tag(awsplan.KindAnchor, "kedge")}),
		}); err != nil {
			t.Fatal(err)
		}
	}
	planned, err := PrepareDown(t.Context(), a, removalOf(own))
	if err != nil || len(planned.Steps) > 0 || len(planned.Notes) == 0 {
		t.Errorf("%v, %s %v", err, planned, planned.Notes)
	}
}
