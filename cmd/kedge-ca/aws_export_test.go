package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/testenv"
)

// exportedRoles are roles whose policies break text that quotes badly: one with each character that means something to
// a shell or to a template.
const exportedRoles = `aws:
  name: hosts
  path: /hosts/
  permissions_boundary: arn:aws:iam::111122223333:policy/edge
  tags: {team: "a=b/c:d @e", cost center: ""}
  roles:
    backup: {names: [web-01, web-02], policies: [backup.json, "it's $(id).json", "arn:aws:iam::111122223333:policy/edge"]}
    web.front+1: {san_uri: ["spiffe://example.com/web/**"], policies: [backup.json]}
`

// hardPolicy has a variable of IAM, and what a shell, HCL and Go would take for something else. IAM takes its last
// two characters by their numbers alone, which Terraform's provider does not keep.
const hardPolicy = `{
	"Version": "2012-10-17",
	"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:PrincipalTag/x509Subject/CN}/*",
		"Condition": {"StringNotEquals": {"aws:PrincipalTag/x509Subject/O": ["it's", "$HOME $(id) ` + "`id`" + ` \\ \"q\" !", "two\nlines\ttab", "%{if}$${x}%%{y}", "-x", "grün <&> \u2028 \ud83d\ude00Ł", ""]}}}]
}
`

// latinPolicy is hardPolicy without these.
var latinPolicy = strings.ReplaceAll(hardPolicy, ` \ud83d\ude00Ł`, "")

// newExport is a CA with such roles, and an empty account.
func newExport(t *testing.T) (*rehearsal, *emulatedAccount) {
	t.Helper()
	x, a := newRehearsalAt(t, nil)
	x.describe(exportedRoles)
	x.writeHard(hardPolicy)
	return x, a
}

// writeHard writes the policy whose file has a hard name.
func (x *rehearsal) writeHard(policy string) {
	x.t.Helper()
	if err := os.WriteFile(x.path("ca/it's $(id).json"), []byte(policy), 0o600); err != nil {
		x.t.Fatal(err)
	}
}

// awsCLI is a version of the AWS CLI, in a folder in which it alone is aws and asks the emulator.
type awsCLI struct {
	name, folder  string
	notifications bool
}

// awsCLIs returns that of Debian, and another in PATH.
func awsCLIs(t *testing.T) (all []awsCLI) {
	t.Helper()
	paths := []string{testenv.Tool(t, "aws")}
	if other, err := exec.LookPath("aws"); err == nil && other != paths[0] {
		paths = append(paths, other)
	}
	for _, path := range paths {
		dir := t.TempDir()
		shim := "#!/bin/sh\nexec " + path + ` --endpoint-url "$AWS_ENDPOINT_URL" "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(shim), 0o700); err != nil {
			t.Fatal(err)
		}
		skeleton, err := exec.CommandContext(t.Context(), path, "rolesanywhere", "create-trust-anchor", "--generate-cli-skeleton", "input").Output()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, awsCLI{path, dir, strings.Contains(string(skeleton), "notificationSettings")})
	}
	return all
}

// sh runs a script with the AWS CLI.
func (c awsCLI) sh(t *testing.T, a *emulatedAccount, script string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "sh"))
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader(script)
	cmd.Env = slices.DeleteFunc(append(os.Environ(), a.environment()...), func(v string) bool { return strings.HasPrefix(v, "AWS_PROFILE=") || v == "AWS_SESSION_TOKEN=" })
	cmd.Env = append(cmd.Env, "AWS_DEFAULT_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=1", "PATH="+c.folder+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAWSExport_cli: the script builds what aws up builds, beside a profile of the same name that is not of this CA, and
// what it finds afterwards is as planned; a second run makes nothing.
func TestAWSExport_cli(t *testing.T) {
	t.Parallel()
	for _, c := range awsCLIs(t) {
		t.Run(strings.ReplaceAll(c.name, "/", "-"), func(t *testing.T) {
			t.Parallel()
			x, a := newExport(t)
			a.makeBoundary(t, c)
			script := x.run("aws", "export", "--cli")
			if out, err := c.sh(t, a, "aws rolesanywhere create-profile --name hosts --role-arns arn:aws:iam::111122223333:role/other"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			out, err := c.sh(t, a, script)
			if err != nil || !strings.Contains(out, " has the name hosts as well, and is not of this CA: it stays as it is\n") || !strings.Contains(out, "\nrole: arn:aws:iam::111122223333:role/hosts/web.front+1\n") {
				t.Fatalf("%v: %s\n%s", err, out, script)
			}
			x.wantBuilt(a, !c.notifications)
			before := len(a.Calls())
			out, err = c.sh(t, a, script)
			if err == nil || !strings.Contains(out, "error: the trust anchor hosts of this CA is there already, arn:") {
				t.Errorf("again: %v, %s", err, out)
			}
			for _, call := range a.Calls()[before:] {
				if !strings.HasPrefix(call.Operation, "List") && !strings.HasPrefix(call.Operation, "Get") {
					t.Errorf("again: it called %s", call.Operation)
				}
			}
		})
	}
}

// makeBoundary makes the policy that is the boundary of roles.
func (a *emulatedAccount) makeBoundary(t *testing.T, c awsCLI) {
	t.Helper()
	out, err := c.sh(t, a, `aws iam create-policy --policy-name edge --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'`)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// wantBuilt wants the account to be as planned: but for the notifications, if the tool has none.
func (x *rehearsal) wantBuilt(a *emulatedAccount, unnotified bool) {
	x.t.Helper()
	code, stdout, stderr := x.try("aws", "plan", "--check")
	if unnotified {
		if code != cli.ExitFailed || !strings.Contains(stdout, "1. set the notifications of the trust anchor hosts\n") || strings.Contains(stdout, "\n2. ") || strings.Contains(stderr, "not planned") {
			x.t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
		}
	} else if code != cli.ExitDone || !strings.Contains(stdout, "nothing to do") || strings.Contains(stderr, "not planned") {
		x.t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
	x.run("aws", "up", "--yes")
	if n := len(a.Sessions()); n == 0 {
		x.t.Error("no role was tried")
	}
}

// longLived is what has AWS warn of certificates of hosts.
const longLived = "profiles: {workload: {lifetime: {default: 60d}}}\n"

// TestAWSExport_terraform: the real provider builds what aws up builds. A later export with other notifications is
// applied without an AWS CLI once aws up has set them.
func TestAWSExport_terraform(t *testing.T) {
	t.Parallel()
	x, a := newExport(t)
	x.writeHard(latinPolicy)
	a.makeBoundary(t, awsCLIs(t)[0])
	tf := x.terraform(a, brokenCLI(t), x.run("aws", "export", "--terraform"))
	tf.Apply("")
	x.wantBuilt(a, false)
	before := len(a.Calls())

	x.describe(exportedRoles + longLived)
	tf.Configure(a.configuration(x.run("aws", "export", "--terraform")))
	x.catchUp(a)
	if out, err := tf.Try("", "apply", "-auto-approve", "-input=false", "-no-color"); err == nil || !strings.Contains(out, "run kedge-ca aws up, which sets them, and apply again") {
		t.Errorf("without the AWS CLI: %v, %s", err, out)
	}
	x.run("aws", "up", "--yes")
	x.catchUp(a)
	tf.Run("", "apply", "-auto-approve", "-input=false", "-no-color")
	a.wantKept(t, before)
}

// TestAWSExport_imported: an export with --import takes over what aws up has built, and changes the notifications of the
// trust anchor in place, by an AWS CLI that can.
func TestAWSExport_imported(t *testing.T) {
	t.Parallel()
	x, a := newExport(t)
	x.writeHard(latinPolicy)
	clis := awsCLIs(t)
	a.makeBoundary(t, clis[0])
	x.run("aws", "up", "--yes")
	before := len(a.Calls())
	other := brokenCLI(t)
	if able := slices.IndexFunc(clis, func(c awsCLI) bool { return c.notifications }); able >= 0 {
		other = clis[able]
		x.describe(exportedRoles + longLived)
	}
	x.terraform(a, other, x.run("aws", "export", "--terraform", "--import")).Apply("")
	x.wantBuilt(a, false)
	a.wantKept(t, before)
}

// wantKept wants no call since the first ones to have created or deleted anything but sessions.
func (a *emulatedAccount) wantKept(t *testing.T, first int) {
	t.Helper()
	for _, call := range a.Calls()[first:] {
		if strings.HasPrefix(call.Operation, "Create") && call.Operation != "CreateSession" || strings.HasPrefix(call.Operation, "Delete") {
			t.Errorf("it called %s", call.Operation)
		}
	}
}

// brokenCLI is an AWS CLI that does nothing but fail.
func brokenCLI(t *testing.T) awsCLI {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte("#!/bin/sh\nexit 127\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return awsCLI{folder: dir}
}

// configuration returns an export with a provider for the account.
func (a *emulatedAccount) configuration(export string) []byte {
	const provider = "provider \"aws\" {\n  region = \"eu-west-1\"\n  endpoints {\n    iam = %[1]q\n    rolesanywhere = %[1]q\n    sts = %[1]q\n  }\n}\n\n"
	return []byte(fmt.Sprintf(provider, a.url) + export)
}

// terraform is an export that is ready to be applied to the account, with an AWS CLI.
func (x *rehearsal) terraform(a *emulatedAccount, c awsCLI, export string) *testenv.Terraform {
	x.t.Helper()
	file := filepath.Join(x.t.TempDir(), "kedge.tf")
	if err := os.WriteFile(file, a.configuration(export), 0o600); err != nil {
		x.t.Fatal(err)
	}
	environment := slices.DeleteFunc(a.environment(), func(v string) bool { return strings.HasSuffix(v, "=") }) // the AWS CLI 1 wants an empty profile to exist
	tf := testenv.NewTerraform(x.t, file, append(environment, "PATH="+c.folder+":"+os.Getenv("PATH"), "HOME="+x.t.TempDir()))
	tf.Run("", "init", "-input=false", "-no-color")
	x.catchUp(a)
	return tf
}

// catchUp sets the clock of the account, which stands still, to that of the machine, by which other programs sign.
func (x *rehearsal) catchUp(a *emulatedAccount) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = time.Now().Truncate(time.Second)
	x.now = a.clock
}

// TestAWSExport_refused: what is wrong with the flags is named.
func TestAWSExport_refused(t *testing.T) {
	t.Parallel()
	x, _ := newExport(t)
	x.refuses("--import is for --terraform", "aws", "export", "--cli", "--import")
	x.refuses("policy it-s---id- of the role backup: IAM does not accept the character U+1F600, '😀'", "aws", "export", "--terraform")
	x.refuses("has no trust anchor to import", "aws", "export", "--terraform", "--import")
	x.refuses("[cloudformation terraform cli]", "aws", "export")
	x.refuses("--cli and --terraform exclude each other", "aws", "export", "--cli", "--terraform")
	if got := x.run("aws", "export", "--cloudformation"); !strings.Contains(got, `"AWS::RolesAnywhere::TrustAnchor"`) {
		t.Error(got)
	}
}
