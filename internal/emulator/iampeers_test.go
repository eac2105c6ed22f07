package emulator

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// environment returns that of a client which finds the emulator and the administrator's keys in it.
func (w *stsWorld) environment(t *testing.T) []string {
	t.Helper()
	u := w.Administrator()
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + u.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + u.SecretAccessKey, "AWS_PAGER=", "ENDPOINT=" + w.url,
	}
}

// TestIAM_awsCLI manages a role by the AWS CLI, whose parser of the XML is not that of the Go SDK.
func TestIAM_awsCLI(t *testing.T) {
	t.Parallel()
	tool := testenv.Tool(t, "aws")
	w := newSTSWorld(t)
	environment := w.environment(t)
	run := func(want string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, append([]string{"--endpoint-url", w.url, "--output", "text", "iam"}, args...)...)
		cmd.Env = environment
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); !strings.Contains(got, want) || (err != nil) != strings.Contains(want, "(") {
			t.Errorf("aws iam %s: %v\n%s", args[0], err, got)
		}
	}
	run("arn:aws:iam::111122223333:role/cli", "create-role", "--role-name", "cli", "--assume-role-policy-document", accountTrust, "--tags", "Key=a,Value=b", "--query", "Role.Arn")
	run("(EntityAlreadyExists)", "create-role", "--role-name", "cli", "--assume-role-policy-document", accountTrust)
	run("(MalformedPolicyDocument)", "update-assume-role-policy", "--role-name", "cli", "--policy-document", "{}")
	run("b", "get-role", "--role-name", "cli", "--query", "Role.Tags[0].Value")
	run("arn:aws:iam::111122223333:policy/read", "create-policy", "--policy-name", "read", "--policy-document", readPolicy, "--query", "Policy.Arn")
	run("", "attach-role-policy", "--role-name", "cli", "--policy-arn", "arn:aws:iam::111122223333:policy/read")
	run("read", "list-attached-role-policies", "--role-name", "cli", "--query", "AttachedPolicies[].PolicyName")
	run("cli", "list-roles", "--page-size", "1", "--query", "Roles[].RoleName")
}

// TestIAM_boto3: errors have boto3's classes, empty lists are lists, documents are parsed.
func TestIAM_boto3(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/boto3"); err != nil {
		testenv.Missing(t, "boto3", "not installed; scripts/setup installs it")
	}
	w := newSTSWorld(t)
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "python3"), "-c", `
import boto3, json, os
iam = boto3.client("iam", endpoint_url=os.environ["ENDPOINT"])
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]}
for name in ("b1", "b2", "b3"):
    iam.create_role(RoleName=name, Path="/boto/", AssumeRolePolicyDocument=json.dumps(trust))
role = iam.get_role(RoleName="b1")["Role"]
assert role["AssumeRolePolicyDocument"] == trust, role
assert iam.list_role_policies(RoleName="b1")["PolicyNames"] == []
assert iam.list_attached_role_policies(RoleName="b1")["AttachedPolicies"] == []
pages = iam.get_paginator("list_roles").paginate(PathPrefix="/boto/", PaginationConfig={"PageSize": 2})
names = [r["RoleName"] for page in pages for r in page["Roles"]]
assert names == ["b1", "b2", "b3"], names
for call, wrong in ((lambda: iam.get_role(RoleName="none"), iam.exceptions.NoSuchEntityException),
                    (lambda: iam.create_role(RoleName="b1", AssumeRolePolicyDocument=json.dumps(trust)), iam.exceptions.EntityAlreadyExistsException),
                    (lambda: iam.create_service_linked_role(AWSServiceName="ec2.amazonaws.com"), iam.exceptions.InvalidInputException)):
    try:
        call()
        raise SystemExit("no error")
    except wrong:
        pass
iam.get_waiter("role_exists").wait(RoleName="b1")
`)
	cmd.Env = w.environment(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
