package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// TestAWSUp_newPlace: where nothing of the CA is yet, --yes alone builds nothing if it is in another place; a person is asked by a
// question that names both. Then each place has its own ARNs.
func TestAWSUp_newPlace(t *testing.T) {
	t.Parallel()
	for name, to := range map[string]emulator.Config{
		"region":  {Account: "111122223333", Region: "us-east-1"},
		"account": {Account: "444455556666", Region: "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, from := newRehearsalAt(t, nil)
			x.describe(backupRoles)
			x.run("aws", "up", "--yes")
			x.run("issue", "web-02", "--out", x.mkdir("hosts"))
			x.run("revoke", "web-02")
			x.run("crl")
			x.run("aws", "crl", "push")
			x.run("status", "--check")
			before := x.read("ca/aws.yaml")
			second := newAccount(t, func(c *emulator.Config) { c.Account, c.Region = to.Account, to.Region })
			x.account = second.as(second.Administrator())
			up := []string{"aws", "up", "--region", to.Region, "--role", "reports", "--names", "web-03"}
			here := "account " + to.Account + ", " + to.Region
			const there = "account 111122223333, eu-west-1"
			code, stdout, stderr := x.try(append(up, "--yes")...)
			if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, "nothing of this CA is in "+here+" yet, and aws.yaml of its folder has "+there+": nothing was changed") || !strings.Contains(stderr, "--new-place") {
				t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
			}
			asked := ""
			x.confirm = func(question string) (bool, error) { asked = question; return false, nil }
			x.refuses("not confirmed; nothing was changed", up...)
			if !strings.HasPrefix(asked, "nothing of this CA is in "+here+" yet; it is in "+there+". do this in "+here+" (") {
				t.Error(asked)
			}
			x.same("refused", "ca/aws.yaml", before)
			for _, call := range second.Calls() {
				if strings.HasPrefix(call.Operation, "Create") {
					t.Errorf("it called %s", call.Operation)
				}
			}
			code, stdout, stderr = x.try(append(up, "--yes", "--new-place")...)
			if code != cli.ExitDone || !strings.Contains(stderr, "note: this is about "+here+" alone; this CA is also in "+there+", which ") || !strings.Contains(stdout, ":"+to.Account+":role/hosts/reports\n") || strings.Contains(stdout, "backup") ||
				!strings.Contains(stderr, "warning: what ca has revoked is not refused by the new trust anchor until it has the list: kedge-ca aws crl push --issuer ca\n") {
				t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
			}
			x.fails(cli.ExitFailed, []string{"the list of ca was not pushed to " + here + " yet: "}, "status", "--check")
			kept := string(x.read("ca/aws.yaml"))
			if old := strings.TrimPrefix(string(before), "# What this CA is called at IAM Roles Anywhere; kedge-ca aws up, bundle and crl keep it here.\n"); !strings.Contains(kept, old) || !strings.Contains(kept, "\n      reports:\n        names: [web-03]\n") {
				t.Errorf("%s\nbefore: %s", kept, before)
			}
			x.run(append(up, "--yes")...) // the place is known now
			x.account = from.as(from.Administrator())
			code, _, stderr = x.try("aws", "up", "--yes")
			if code != cli.ExitDone || !strings.Contains(stderr, "note: this is about "+there+" alone; this CA is also in "+here+", which ") {
				t.Errorf("exit %d: %s", code, stderr)
			}
			x.account = second.as(second.Administrator())
			x.run("aws", "down", "--yes", "--region", to.Region)
			if got := string(x.read("ca/aws.yaml")); got != string(before) {
				t.Errorf("%s\nbefore: %s", got, before)
			}
			x.account = from.as(from.Administrator())
			x.run("aws", "down", "--yes")
			x.run("aws", "up", "--yes")
			x.fails(cli.ExitFailed, []string{"the list of ca was not pushed to the trust anchor arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/"}, "status", "--check")
		})
	}
}

// TestAWSUp_sharedRole: the role of another region is not changed: hosts would lose it there.
func TestAWSUp_sharedRole(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	second := newAccount(t, func(c *emulator.Config) { c.Region = "us-east-1" })
	x.account = second.as(second.Administrator())
	for _, verb := range []string{"plan", "up"} {
		x.refuses("the role backup is that of account 111122223333, eu-west-1, and an account has one role of a name", "aws", verb, "--region", "us-east-1", "--role", "backup")
	}
}

// profiles has commands find accounts as the SDKs do: by profiles, whose names are those given. The first is the one that is
// used without --aws-profile.
func (x *rehearsal) profiles(names []string, accounts ...*emulatedAccount) {
	x.t.Helper()
	text := ""
	for i, a := range accounts {
		u := a.Administrator()
		text += fmt.Sprintf("[profile %s]\nregion = eu-west-1\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n", names[i], a.url, u.AccessKeyID, u.SecretAccessKey)
	}
	x.write("aws-config", []byte(text))
	for key, value := range map[string]string{"AWS_CONFIG_FILE": x.path("aws-config"), "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": names[0], "AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": ""} {
		x.t.Setenv(key, value)
	}
	x.account = func(c *awsaccount.Config) { c.Now, c.Sleep = accounts[0].now, accounts[0].wait }
}

// TestAWSCRLPush_places: a list goes to each place, by the profile of its account; a place that fails stops only itself.
func TestAWSCRLPush_places(t *testing.T) {
	x, first := newRehearsalAt(t, nil)
	x.describe("")
	second := newAccount(t, func(c *emulator.Config) { c.Account = "444455556666" })
	x.profiles([]string{"first", "second"}, first, second)
	policy := x.path("ca/backup.json")
	x.run("aws", "up", "--yes", "--role", "backup", "--names", "web-01", "--policy", policy)
	x.run("aws", "up", "--yes", "--new-place", "--aws-profile", "second", "--role", "reports", "--names", "web-02", "--policy", policy)
	for _, host := range []string{"web-01", "web-02"} { // their roles are in aws.yaml alone
		x.run("issue", host, "--out", x.path("hosts"))
		if _, _, stderr := x.try("aws", "explain", host); strings.Contains(stderr, "can get several roles") {
			t.Error(stderr)
		}
	}
	x.run("crl")
	const firstPlace, secondPlace = "account 111122223333, eu-west-1", "account 444455556666, eu-west-1"
	x.fails(cli.ExitFailed, []string{
		`done: imported list 1 of "ca"`, `push the list of "ca" to ` + secondPlace + ": the credentials are of account 111122223333, and the trust anchor is in " + secondPlace, `under aws: crl: profiles: {"444455556666": NAME}`,
	}, "aws", "crl", "push")
	x.fails(cli.ExitFailed, []string{"the last push of the list of ca to " + secondPlace + " failed at "}, "status", "--check")
	code, stdout, stderr := x.try("aws", "crl", "push", "--aws-profile", "second", "--json")
	if code != cli.ExitDone || strings.Count(stdout, `"crl_arn"`) != 1 || !strings.Contains(stdout, ":444455556666:crl/") || !strings.Contains(stderr, "note: "+firstPlace+": no list was pushed there") {
		t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
	x.run("status", "--check")
	x.describe("aws: {crl: {push: true, profiles: {444455556666: second}}}\n")
	code, _, stderr = x.try("crl")
	if code != cli.ExitDone || strings.Count(stderr, "replaced list 1 by list 2") != 2 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	x.run("status", "--check")
	x.run("status", "--check", "--aws")
	x.describe("aws: {crl: {push: true, profiles: {444455556666: none}}}\n")
	code, _, stderr = x.try("crl")
	if code != cli.ExitDone || strings.Count(stderr, "replaced list 2 by list 3") != 1 || !strings.Contains(stderr, `warning: push the list of "ca" to `+secondPlace) {
		t.Errorf("exit %d: %s", code, stderr)
	}
	x.fails(cli.ExitFailed, []string{"the last push of the list of ca to " + secondPlace + " failed at "}, "status", "--check")
}
