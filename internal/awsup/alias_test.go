package awsup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// TestUp_alias: new objects get the alias, and those that lost it; another one that they have stays, and one that
// somebody else has is not taken.
func TestUp_alias(t *testing.T) {
	w, root := newWorld(t, nil), newCA(t, "Root")
	aliased := func() *awsplan.Wanted {
		wanted := twoRoles(root)
		wanted.Alias = "team/hosts"
		return wanted
	}
	built := w.mustUp(t, aliased())
	const prefix = "arn:aws:rolesanywhere:eu-west-1:111122223333:alias/"
	if got := built.Found.Aliases(built.Anchor, built.Profile); !slices.Equal(got, []string{prefix + "trust-anchor/team/hosts", prefix + "profile/team/hosts"}) {
		t.Error(got)
	}
	a := w.admin(t)
	set := func(alias string) {
		t.Helper()
		if _, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &built.Profile, AliasName: &alias}); err != nil {
			t.Fatal(err)
		}
	}
	set("")
	planned, err := Prepare(t.Context(), a, aliased())
	if err != nil || len(planned.Steps) != 1 || planned.Steps[0].Text != "give the profile kedge the alias team/hosts" {
		t.Fatalf("%v, %v", err, planned)
	}
	w.mustUp(t, aliased())
	set("old")
	planned, err = Prepare(t.Context(), a, aliased())
	if err != nil || len(planned.Steps) != 0 || !strings.Contains(strings.Join(planned.Notes, "\n"), "has the alias old, and not team/hosts: it stays so") {
		t.Fatalf("%v, %v %v", err, planned, planned.Notes)
	}
	set("")
	if _, err := awsaccount.Call(t.Context(), a, a.RolesAnywhere.CreateProfile, &rolesanywhere.CreateProfileInput{Name: aws.String("theirs"), RoleArns: []string{}, AliasName: aws.String("team/hosts")}); err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(t.Context(), a, aliased())
	if e, ok := errors.AsType[*awsplan.ConflictError](err); !ok || e.Reason != awsplan.AliasTaken || !strings.Contains(e.Error(), "the alias team/hosts of the profile is taken: arn:aws:rolesanywhere:eu-west-1:111122223333:profile/") {
		t.Error(err)
	}
}
