package main

import (
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// TestAWSHosts: what AWS has seen is beside what the ledger has: hosts that made no session, and those that ended.
func TestAWSHosts(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	hosts := x.mkdir("hosts")
	x.run("issue", "web-02", "--out", hosts)
	x.run("aws", "up", "--yes") // its probe is CN=web-01, which no host has
	want := func(rows ...string) {
		t.Helper()
		got := x.run("aws", "hosts", "--csv")
		for _, row := range rows {
			if !strings.Contains(got, row) {
				t.Errorf("%s\nwant %s", got, row)
			}
		}
	}
	want("subject,state,last_seen,not_after,serial\n", "CN=web-01,ended,2", "CN=web-02,never,,2")
	x.run("issue", "web-01", "--out", hosts)
	want("CN=web-01,seen,2", "CN=web-02,never,,2")
	if got := x.run("aws", "hosts", "--details", "--json"); !strings.Contains(got, `"state":"seen"`) || !strings.Contains(got, `"subject_arn":"arn:aws:rolesanywhere:eu-west-1:`) {
		t.Error(got)
	}
	x.run("revoke", "web-01", "--yes")
	want("CN=web-01,ended,2")
}

// TestAWSHosts_denied: a right that is missing is named.
func TestAWSHosts_denied(t *testing.T) {
	t.Parallel()
	bob := emulator.User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}
	x, a := newRehearsalAt(t, func(c *emulator.Config) { c.Users = []emulator.User{bob} })
	x.account = a.as(bob)
	if code, _, stderr := x.try("aws", "hosts"); code != cli.ExitRefused || !strings.Contains(stderr, "rolesanywhere:ListSubjects") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
