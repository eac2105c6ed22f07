package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/cli"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

// TestAWSUp: from nothing to hosts that get sessions; a second run has nothing to do, and issues nothing.
func TestAWSUp(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	code, stdout, stderr := x.try("aws", "up", "--yes")
	if code != cli.ExitDone || !strings.Contains(stderr, "a host such as web-01 gets a session of the role backup") || !strings.Contains(stdout, "role-arn: arn:aws:iam::111122223333:role/hosts/backup\n") {
		t.Fatalf("exit %d: %s\n%s", code, stderr, stdout)
	}
	if got := x.run("list", "--kind", ledger.Probe, "--csv"); strings.Count(got, "CN=web-01") != 1 {
		t.Error(got)
	}
	if got := x.run("hosts", "--csv"); strings.Contains(got, "web-01") {
		t.Errorf("the probe is a host: %s", got)
	}
	x.run("ledger", "verify")
	kept, err := os.ReadFile(x.path("ca/aws.yaml"))
	if err != nil || !strings.Contains(string(kept), "\n    roles:\n      backup: arn:aws:iam::111122223333:role/hosts/backup\n") {
		t.Errorf("%v: %s", err, kept)
	}
	sessions := len(a.Sessions())
	if sessions != 1 {
		t.Errorf("%d sessions", sessions)
	}
	code, again, stderr := x.try("aws", "up") // without --yes: there is nothing to agree to
	if code != cli.ExitDone || again != stdout || !strings.Contains(stderr, "nothing to do") || len(a.Sessions()) != sessions {
		t.Errorf("again: exit %d: %s\n%s", code, stderr, again)
	}
	if got := x.run("aws", "plan", "--check"); !strings.Contains(got, "nothing to do") {
		t.Error(got)
	}
	x.url = a.url
	x.run("issue", "web-02", "--out", x.mkdir("hosts"))
}

// TestAWSUp_asks: nothing is done without consent, and nothing hangs without a terminal.
func TestAWSUp_asks(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	code, stdout, stderr := x.try("aws", "up")
	if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, "create the trust anchor kedge") || !strings.Contains(stderr, "--yes") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	var question string
	x.confirm = func(text string) (bool, error) { question = text; return false, nil }
	x.refuses("not confirmed; nothing was changed", "aws", "up")
	if question != "do this in account 111122223333, eu-west-1 (4 steps)?" {
		t.Error(question)
	}
	for _, call := range a.Calls() {
		if strings.HasPrefix(call.Operation, "Create") {
			t.Errorf("it called %s", call.Operation)
		}
	}
}

// TestAWSUp_noPassword: without the password of the CA's key nothing is begun.
func TestAWSUp_noPassword(t *testing.T) {
	t.Parallel()
	x, a := newRehearsal(t), newAccount(t, nil)
	x.now, x.account = a.now(), a.as(a.Administrator())
	if err := os.WriteFile(x.path("password"), []byte("a long password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.run("init", "--key-password-from", x.path("password"))
	x.describe(backupRoles)
	if code, _, stderr := x.try("aws", "up", "--yes"); code != cli.ExitKey || strings.Contains(stderr, "1 of ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if got := x.run("aws", "status"); !strings.Contains(got, "nothing carries the tag of this CA") {
		t.Error(got)
	}
	x.run("aws", "up", "--yes", "--key-password-from", x.path("password"))
}

// TestAWSUp_more: with --yes no role is taken over that may do more than is planned; a person can agree.
func TestAWSUp_more(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	before := len(a.Calls())
	x.describe(strings.Replace(backupRoles, ", policies: [backup.json]", "", 1)) // what it has is more now
	x.refuses("hosts would get more than is planned: arn:aws:iam::111122223333:role/hosts/backup has the policy backup", "aws", "up", "--yes")
	for _, call := range a.Calls()[before:] {
		if strings.HasPrefix(call.Operation, "Put") || strings.HasPrefix(call.Operation, "Delete") {
			t.Errorf("it called %s", call.Operation)
		}
	}
	x.confirm = func(string) (bool, error) { return true, nil }
	x.run("aws", "up")
}

// TestAWSUp_settles: the session of a new role is tried until IAM knows it everywhere, for a minute.
func TestAWSUp_settles(t *testing.T) {
	t.Parallel()
	for delay, want := range map[time.Duration]int{20 * time.Second: cli.ExitDone, 100 * time.Second: cli.ExitFailed} {
		x, a := newRehearsalAt(t, func(c *emulator.Config) { c.Conditions.PropagationDelay = delay })
		x.describe(backupRoles)
		begun := a.now()
		code, stdout, stderr := x.try("aws", "up", "--yes")
		if code != want || (stdout == "") != (want != cli.ExitDone) || a.now().Sub(begun) > 90*time.Second {
			t.Errorf("after %v: exit %d, %v: %s", delay, code, a.now().Sub(begun), stderr)
		}
		if want != cli.ExitDone && (!strings.Contains(stderr, "the account is built, but a host such as web-01 gets no session") || !strings.Contains(stderr, "run the same again")) {
			t.Error(stderr)
		}
		if kept := string(x.read("ca/aws.yaml")); !strings.Contains(kept, "\n      backup: arn:") || strings.Contains(kept, "untried:") != (want != cli.ExitDone) {
			t.Errorf("after %v: %s", delay, kept)
		}
		_ = a.wait(t.Context(), time.Minute)
		x.run("aws", "up", "--yes") // there is nothing to do but to try
		if kept := string(x.read("ca/aws.yaml")); strings.Contains(kept, "untried:") {
			t.Error(kept)
		}
		if n := len(a.Sessions()); n != 1 {
			t.Errorf("%d sessions", n)
		}
	}
}

// TestAWSUp_denied: a right that is missing is named, each one.
func TestAWSUp_denied(t *testing.T) {
	t.Parallel()
	all := []string{
		"rolesanywhere:CreateTrustAnchor", "rolesanywhere:TagResource", "rolesanywhere:ListTrustAnchors", "rolesanywhere:ListProfiles", "rolesanywhere:ListTagsForResource", "rolesanywhere:CreateProfile",
		"iam:PassRole", "iam:GetRole", "iam:CreateRole", "iam:TagRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:PutRolePolicy", "iam:GetRolePolicy",
	}
	for _, missing := range all {
		bob := emulator.User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}
		bob.Permissions = emulatediam.Permissions{Inline: map[string]string{"some": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + missing + `","Resource":"*"}]}`}}
		x, a := newRehearsalAt(t, func(c *emulator.Config) { c.Users = []emulator.User{bob} })
		x.describe(backupRoles)
		x.account = a.as(bob)
		code, _, stderr := x.try("aws", "up", "--yes")
		if code != cli.ExitRefused || !strings.Contains(stderr, "arn:aws:iam::111122223333:user/bob may not do "+missing+" on ") || !strings.Contains(stderr, "explicit deny") {
			t.Errorf("%s: exit %d: %s", missing, code, stderr)
		}
		x.account = a.as(a.Administrator())
		x.run("aws", "up", "--yes")
	}
}

// open is the account as its administrator uses it.
func (a *emulatedAccount) open(t *testing.T) *awsaccount.Account {
	t.Helper()
	var c awsaccount.Config
	a.as(a.Administrator())(&c)
	opened, err := awsaccount.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// TestAWSDown: what was built is gone once a person agrees, and the CA's folder knows of nothing any more. A role that may
// do more than it was given is not deleted by --yes.
func TestAWSDown(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	code, stdout, stderr := x.try("aws", "down")
	if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, "delete the role backup, arn:aws:iam::111122223333:role/hosts/backup") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	account := a.open(t)
	if _, err := awsaccount.Call(t.Context(), account, account.IAM.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: aws.String("backup"), PolicyName: aws.String("more"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}); err != nil {
		t.Fatal(err)
	}
	x.refuses("role/hosts/backup has the policy more", "aws", "down", "--yes")
	x.confirm = func(string) (bool, error) { return true, nil }
	if got := x.run("aws", "down", "--json"); strings.Count(got, `"text": "delete the `) != 5 {
		t.Error(got)
	}
	if got := x.run("aws", "plan"); !strings.Contains(got, "1. create the trust anchor") || !strings.Contains(got, "4. create the profile") {
		t.Error(got)
	}
	kept, err := os.ReadFile(x.path("ca/aws.yaml"))
	if err != nil || strings.Contains(string(kept), "arn:") {
		t.Errorf("%v: %s", err, kept)
	}
	code, _, stderr = x.try("aws", "down")
	if code != cli.ExitDone || !strings.Contains(stderr, "nothing to do") {
		t.Errorf("again: exit %d: %s", code, stderr)
	}
}

// TestAWSRotate: the trust anchor follows the rotation of the root, and its ARN stays; the rest is not touched.
func TestAWSRotate(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.refuses("no trust anchor in the account carries the tag of this CA", "aws", "rotate", "--yes")
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	before := x.run("aws", "status")
	if code, _, stderr := x.try("aws", "rotate"); code != cli.ExitDone || !strings.Contains(stderr, "nothing to do") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	x.run("rotate", "start", "--no-password")
	code, stdout, _ := x.try("aws", "status", "--check")
	if code != cli.ExitFailed || !strings.Contains(stdout, "to do: update the trust anchor kedge\n") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	calls := len(a.Calls())
	x.run("aws", "rotate", "--yes")
	for _, call := range a.Calls()[calls:] {
		if strings.HasPrefix(call.Operation, "Update") && call.Operation != "UpdateTrustAnchor" || strings.HasPrefix(call.Operation, "Create") {
			t.Errorf("it called %s", call.Operation)
		}
	}
	if got := x.run("aws", "status", "--check"); strings.Count(got, "the certificate ") != 2 {
		t.Error(got)
	}
	x.run("rotate", "switch", "--yes")
	if got := x.run("aws", "plan", "--check"); !strings.Contains(got, "nothing to do") { // the tags are of the first root
		t.Error(got)
	}
	x.run("rotate", "finish", "--yes")
	x.run("aws", "rotate", "--yes")
	after := x.run("aws", "status", "--check")
	if strings.Count(after, "the certificate ") != 1 || after == before {
		t.Error(after)
	}
	anchor, _, _ := strings.Cut(before[strings.Index(before, "trust anchor kedge  "):], "\n")
	if !strings.Contains(after, anchor+"\n") {
		t.Errorf("%s\nwant %s", after, anchor)
	}
}

// TestAWSUp_characters: a policy whose file has characters that IAM does not accept as they are is written all the same,
// once.
func TestAWSUp_characters(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/Łódź/😀"}]}`
	if err := os.WriteFile(x.path("ca/backup.json"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	x.run("aws", "up", "--yes")
	if code, stdout, stderr := x.try("aws", "plan", "--check"); code != cli.ExitDone || !strings.Contains(stdout, "nothing to do") {
		t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
}

// TestAWSUp_noProbe: a role of which no session can be made stays untried, so that kedge-ca serve gives it to no host.
func TestAWSUp_noProbe(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	for range 2 {
		code, _, stderr := x.try("aws", "up", "--yes", "--role", "backup", "--ou", "none")
		if code != cli.ExitDone || !strings.Contains(stderr, "it was not tried, and kedge-ca serve gives it to no host") {
			t.Errorf("exit %d: %s", code, stderr)
		}
		if kept := string(x.read("ca/aws.yaml")); !strings.Contains(kept, "\n    untried:\n      - arn:aws:iam::111122223333:role/backup\n") {
			t.Error(kept)
		}
	}
}
