package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
)

// TestAWSStatus_flags: a role that flags described is compared with what was built, though no configuration has it.
func TestAWSStatus_flags(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe("") // the file of the policy
	up := []string{"aws", "up", "--yes", "--role", "backup", "--names", "web-01", "--policy", x.path("ca/backup.json")}
	x.run(up...)
	x.run("aws", "status", "--check")
	differs := func(want string) {
		t.Helper()
		if code, stdout, _ := x.try("aws", "status", "--check"); code != cli.ExitFailed || !strings.Contains(stdout, "\nto do: ") || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, want %s:\n%s", code, want, stdout)
		}
	}
	account := a.open(t)
	role := aws.String("backup")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	if _, err := awsaccount.Call(t.Context(), account, account.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: role, PolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	differs("the trust policy of arn:aws:iam::111122223333:role/backup is not for hosts by the trust anchor ")
	x.run(up...)
	x.run("aws", "status", "--check")
	if _, err := awsaccount.Call(t.Context(), account, account.IAM.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: role}); err != nil {
		t.Fatal(err)
	}
	differs("arn:aws:iam::111122223333:role/backup has the policy backup no more")
	if _, err := awsaccount.Call(t.Context(), account, account.IAM.DeleteRole, &iam.DeleteRoleInput{RoleName: role}); err != nil {
		t.Fatal(err)
	}
	differs("the role arn:aws:iam::111122223333:role/backup is not in the account any more")
	x.run(up...)
	x.run("aws", "status", "--check")
}

// TestAWSStatus_bad: a role that cannot be built, and one whose name somebody else has, do not hide the others.
func TestAWSStatus_bad(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	account := a.open(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if _, err := awsaccount.Call(t.Context(), account, account.IAM.CreateRole, &iam.CreateRoleInput{RoleName: aws.String("taken"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	x.describe(backupRoles + "    'a,b': {names: [web-03]}\n    taken: {names: [web-04]}\n    none: {names: [web-05], policies: [gone.json]}\n    a=b+c@d: {names: [web-06]}\n")
	code, stdout, stderr := x.try("aws", "status", "--check")
	if code != cli.ExitFailed || !strings.Contains(stderr, "5 things need doing") || strings.Contains(stdout, "- arn:aws:iam") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		"role backup  arn:aws:iam::111122223333:role/hosts/backup\n", "to do: create the role a=b+c@d for web-06\n", `to do: the role "a,b" has a comma in its name`,
		"gone.json", "to do: the name of the role taken is taken: arn:aws:iam::111122223333:role/taken is not of this CA",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%s\nwant %s", stdout, want)
		}
	}
	x.refuses(`the role "a,b" has a comma in its name`, "aws", "plan")
}

// TestAWSUp_alias: the alias that the configuration names is set and shown, and an export lacks it.
func TestAWSUp_alias(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(strings.Replace(backupRoles, "aws:\n", "aws:\n  alias: team/hosts\n", 1))
	_, _, stderr := x.try("aws", "up", "--yes")
	for _, kind := range []string{"trust-anchor", "profile"} {
		if alias := "arn:aws:rolesanywhere:eu-west-1:111122223333:alias/" + kind + "/team/hosts\n"; !strings.Contains(stderr, "an alias by which hosts can name it, too: "+alias) {
			t.Error(stderr)
		}
	}
	if got := x.run("aws", "status", "--check"); strings.Count(got, "\n  alias team/hosts\n") != 2 {
		t.Error(got)
	}
	if _, _, stderr := x.try("aws", "export", "--cli"); !strings.Contains(stderr, "the alias team/hosts is not in the export") {
		t.Error(stderr)
	}
}
