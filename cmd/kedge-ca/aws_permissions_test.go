package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kedge/internal/cli"
	emulatediam "kedge/internal/emulator/iam"
)

// TestAWSPermissions: the policy that is printed for a command is enough for it, and not for another one.
func TestAWSPermissions(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, "")
	become := func(command string) {
		policy := x.does("", "aws", "permissions", command)
		x.operator = operatorOf(emulatediam.Permissions{Inline: map[string]string{"rights": policy}})
		x.registerOperator()
	}
	become("crl-push")
	x.does("", "crl")
	x.does("done: imported list 1", "aws", "crl", "push")
	x.does("", "crl")
	x.does("done: replaced list 1 by list 2", "aws", "crl", "push")
	x.does("", "status", "--check", "--aws")
	become("crl-status")
	x.numbers = nil // of another emulator
	x.fails(cli.ExitFailed, []string{"IAM Roles Anywhere has no list of ca"}, "status", "--check", "--aws")
	x.fails(cli.ExitRefused, []string{"may not do rolesanywhere:ImportCrl on *", "hint: have rolesanywhere:ImportCrl on * allowed"}, "aws", "crl", "push")
}

// TestAWSPermissions_scope: resources are those of the trust anchor's account and region, of this CA, and of its roles.
func TestAWSPermissions_scope(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	policy := func(args ...string) string {
		text := x.run(append([]string{"aws", "permissions"}, args...)...)
		var d struct {
			Version   string
			Statement []struct {
				Sid, Effect      string
				Action, Resource []string
			}
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.Version != "2012-10-17" || len(d.Statement) == 0 {
			t.Fatalf("%v: %s", err, text)
		}
		var sids []string
		for _, s := range d.Statement {
			if s.Effect != "Allow" || len(s.Action) == 0 || len(s.Resource) == 0 || slices.Contains(sids, s.Sid) {
				t.Errorf("%+v", s)
			}
			sids = append(sids, s.Sid)
		}
		return text
	}
	_, _, stderr := x.try("aws", "permissions", "crl-push")
	for _, what := range []string{"the account is not known, and the policy allows any: give it with --account", "the region is not known"} {
		if !strings.Contains(stderr, what) {
			t.Error(stderr)
		}
	}
	if text := policy("crl-push", "--account", "444455556666", "--region", "eu-west-1"); !strings.Contains(text, `"arn:aws:rolesanywhere:eu-west-1:444455556666:crl/*"`) {
		t.Error(text)
	}
	x.run("bundle", "--aws-cli", "--trust-anchor", "arn:aws-cn:rolesanywhere:cn-north-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001")
	if text := policy("crl-push"); !strings.Contains(text, `"arn:aws-cn:rolesanywhere:cn-north-1:111122223333:crl/*"`) || !strings.Contains(text, "/crl/*\"\n") {
		t.Error(text)
	}
	x.refuses("no role for hosts is described", "aws", "permissions", "up")
	if text := policy("up", "--role", "/hosts/backup"); !strings.Contains(text, `"arn:aws-cn:iam::111122223333:role/hosts/backup"`) || !strings.Contains(text, `"iam:PassedToService"`) {
		t.Error(text)
	}
	x.describe(backupRoles)
	if text := policy("plan"); !strings.Contains(text, `"arn:aws-cn:iam::111122223333:role/hosts/backup"`) || strings.Contains(text, "Create") {
		t.Error(text)
	}
	x.refuses(`there are no permissions of "push": there are those of crl-push, `, "aws", "permissions", "push")
}

// TestAWSPermissions_places: account and region are those of one trust anchor, and never of two; the others are named.
func TestAWSPermissions_places(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	for _, place := range []string{"eu-west-1:111122223333", "us-east-1:444455556666"} {
		x.run("bundle", "--aws-cli", "--trust-anchor", "arn:aws:rolesanywhere:"+place+":trust-anchor/6b656467-6500-4000-8000-000000000001")
	}
	for _, tt := range []struct {
		args        []string
		want, other string
	}{
		{nil, "eu-west-1:111122223333", "account 444455556666, us-east-1"},
		{[]string{"--account", "444455556666"}, "us-east-1:444455556666", "account 111122223333, eu-west-1"},
		{[]string{"--region", "us-east-1"}, "us-east-1:444455556666", "account 111122223333, eu-west-1"},
		{[]string{"--account", "777788889999"}, "*:777788889999", "account 111122223333, eu-west-1; account 444455556666, us-east-1"},
	} {
		code, stdout, stderr := x.try(append([]string{"aws", "permissions", "crl-push"}, tt.args...)...)
		if code != cli.ExitDone || !strings.Contains(stdout, `"arn:aws:rolesanywhere:`+tt.want+`:crl/*"`) || !strings.Contains(stderr, "this CA is also in "+tt.other+", which --account and --region select") {
			t.Errorf("%q: exit %d: %s\n%s", tt.args, code, stderr, stdout)
		}
	}
}
