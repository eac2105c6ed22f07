package main

import (
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// TestAWSUp_move: another region or account is refused before anything changes, also with --yes, unless --move is given:
// then the folder has nothing of the old place any more, and lists go to the new one.
func TestAWSUp_move(t *testing.T) {
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
			up := []string{"aws", "up", "--yes", "--region", to.Region, "--role", "backup"}
			code, stdout, stderr := x.try(up...)
			if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, "in account 111122223333, eu-west-1, and this is account "+to.Account+", "+to.Region+": nothing was changed") || !strings.Contains(stderr, "give --move: ") {
				t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
			}
			x.same("refused", "ca/aws.yaml", before)
			for _, call := range second.Calls() {
				if strings.HasPrefix(call.Operation, "Create") {
					t.Errorf("it called %s", call.Operation)
				}
			}
			code, stdout, stderr = x.try(append(up, "--move")...)
			if code != cli.ExitDone || !strings.Contains(stderr, "warning: what ca has revoked is not refused by the new trust anchor until it has the list: kedge-ca aws crl push --issuer ca\n") {
				t.Errorf("exit %d: %s", code, stderr)
			}
			if _, _, stderr := x.try("status", "--check"); !strings.Contains(stderr, "the list of ca was not pushed to the trust anchor arn:aws:rolesanywhere:"+to.Region) {
				t.Error(stderr)
			}
			if old := ":111122223333:"; to.Account != "111122223333" && (strings.Contains(stdout, old) || strings.Contains(string(x.read("ca/aws.yaml")), old)) {
				t.Errorf("%s\n%s", stdout, x.read("ca/aws.yaml"))
			}
			calls := len(from.Calls())
			x.run("aws", "crl", "push")
			if got := string(x.read("ca/aws.yaml")); !strings.Contains(got, "\n  ca: arn:aws:rolesanywhere:"+to.Region+":"+to.Account+":crl/") || len(from.Calls()) != calls {
				t.Error(got)
			}
			x.run("status", "--check")
			x.run(up...) // the second place is that of the CA now
		})
	}
}
