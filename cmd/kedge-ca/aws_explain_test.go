package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsexplain"
	"kedge/internal/awsrights"
	"kedge/internal/cli"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
	"kedge/internal/localca"
)

// TestAWSExplain_faults: each cause keeps the host from a session, is named, and is gone after what explain has to paste.
// Faults of the role's trust policy come one after the other in one account, all others in one of their own.
func TestAWSExplain_faults(t *testing.T) {
	t.Parallel()
	t.Run("trust policy", func(t *testing.T) {
		t.Parallel()
		e := newExplained(t, 0)
		for _, f := range faults() {
			if f.check == "trust-policy" {
				e.suffers(t, f)
			}
		}
	})
	for _, f := range faults() {
		if f.check != "trust-policy" {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				newExplained(t, 0).suffers(t, f)
			})
		}
	}
}

// suffers makes a fault where there is none.
func (e *explained) suffers(t *testing.T, f fault) {
	t.Helper()
	if err := e.hostSession(nil); err != nil {
		t.Fatalf("before %s: %v", f.name, err)
	}
	if code, checks := e.explain(e.host); code != cli.ExitDone {
		t.Fatalf("before %s: exit %d: %+v", f.name, code, checks)
	}
	f.make(e)
	e.mends(f)
}

// TestAWSExplain_expired: of a host whose certificate has expired, it is named that it may not renew either.
func TestAWSExplain_expired(t *testing.T) {
	t.Parallel()
	e := newExplained(t, 100*time.Hour, "--lifetime", "24h")
	e.run("deny-renew", "web-01", "--why", "moved")
	if _, checks := e.explain("web-01"); checks["host-state"].State != awsexplain.Failed || !strings.HasPrefix(checks["host-state"].Seen, "expired on ") {
		t.Errorf("%+v", checks)
	}
	e.mends(fault{name: "expired and denied", check: "host-renewal", seen: "it may neither renew nor enroll, since ", after: func(e *explained) { e.folder = "" }})
}

// TestAWSExplain_rights: the policy that is printed for it is enough, and of each action that is left out the check that
// needs it names it, and says nothing wrong instead.
func TestAWSExplain_rights(t *testing.T) {
	t.Parallel()
	rights := localca.Rights()["explain"](awsrights.Scope{Partition: "aws", Account: "111122223333", Region: "eu-west-1"})
	left := append([]string{""}, awsrights.Actions(rights)...)
	var users []emulator.User
	for i, action := range left {
		users = append(users, readerWithout(t, i, rights, action))
	}
	e := newExplainedAt(t, newAccount(t, func(c *emulator.Config) { c.Users = users }), 0)
	if err := e.hostSession(nil); err != nil {
		t.Fatal(err)
	}
	lacking := map[string]int{}
	for phase := range 2 {
		for i, action := range left {
			e.rehearsal.account = e.a.as(users[i])
			code, checks := e.explain("web-01")
			for _, c := range checks {
				switch {
				case action != "" && strings.Contains(c.Seen, "may not do "+action):
					lacking[action]++
				case strings.Contains(c.Seen, "may not do "), c.State == awsexplain.Failed && phase == 0:
					t.Errorf("without %q: %+v", action, c)
				}
			}
			if phase == 0 && code != cli.ExitDone {
				t.Errorf("without %q: exit %d", action, code)
			}
		}
		if phase == 0 {
			call(e, e.account.RolesAnywhere.DeleteTrustAnchor, &rolesanywhere.DeleteTrustAnchorInput{TrustAnchorId: &e.known.TrustAnchor})
		}
	}
	for _, action := range left[1:] {
		if lacking[action] == 0 {
			t.Errorf("%s is allowed, and nothing needs it", action)
		}
	}
}

// readerWithout returns a user with these rights, but for one action.
func readerWithout(t *testing.T, i int, rights []awsrights.Statement, action string) emulator.User {
	t.Helper()
	var some []awsrights.Statement
	for _, s := range rights {
		s.Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return a == action })
		if len(s.Actions) > 0 {
			some = append(some, s)
		}
	}
	text, err := awsrights.Policy(some)
	if err != nil {
		t.Fatal(err)
	}
	return emulator.User{
		ARN: fmt.Sprintf("arn:aws:iam::111122223333:user/reader%d", i), AccessKeyID: fmt.Sprintf("AKIAREADER%010d", i), SecretAccessKey: "reader",
		Permissions: emulatediam.Permissions{Inline: map[string]string{"rights": string(text)}},
	}
}

// TestAWSExplain_otherAccount: with credentials of another account nothing is read there.
func TestAWSExplain_otherAccount(t *testing.T) {
	t.Parallel()
	bob := emulator.User{ARN: "arn:aws:iam::444455556666:user/bob", AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}
	bob.Permissions = emulatediam.Permissions{Inline: map[string]string{"all": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}}
	e := newExplainedAt(t, newAccount(t, func(c *emulator.Config) { c.Users = []emulator.User{bob} }), 0)
	e.rehearsal.account = e.a.as(bob)
	before := len(e.a.Calls())
	code, checks := e.explain("web-01")
	if code != cli.ExitFailed || checks["account"].State != awsexplain.Failed || checks["role"].Because != checks["account"].Number {
		t.Errorf("exit %d: %+v", code, checks)
	}
	if calls := e.a.Calls()[before:]; len(calls) != 1 || calls[0].Operation != "GetCallerIdentity" {
		t.Errorf("%+v", calls)
	}
}

// TestAWSExplain_refused: flags that contradict each other, files that are no report, and roles that have to be named.
func TestAWSExplain_refused(t *testing.T) {
	t.Parallel()
	e := newExplained(t, 0)
	e.refuses("name the host", "aws", "explain")
	e.refuses("the report names the host", "aws", "explain", "web-01", "--report", "x")
	e.refuses("--role: the name is empty", "aws", "explain", "web-01", "--role", "")
	e.refuses("this is not what \"kedge doctor --json\" prints", "aws", "explain", "--report", e.path("ca/kedge-ca.yaml"))
	e.refuses(`no role "batch"`, "aws", "explain", "web-01", "--role", "batch")
	e.describe(strings.Replace(backupRoles, "    backup:", "    batch: {names: [web-01], policies: [backup.json]}\n    third: {names: [db-01], policies: [backup.json]}\n    backup:", 1))
	e.run("aws", "up", "--yes")
	e.refuses("web-01 can get several roles: arn:aws:iam::111122223333:role/hosts/backup, arn:aws:iam::111122223333:role/hosts/batch", "aws", "explain", "web-01")
	for role, want := range map[string]int{"batch": cli.ExitDone, "arn:aws:iam::111122223333:role/hosts/backup": cli.ExitDone, "third": cli.ExitFailed} {
		if code, checks := e.explain("web-01", "--role", role); code != want {
			t.Errorf("%s: exit %d: %+v", role, code, checks)
		}
	}
	e.run("issue", "db-01", "--out", e.path("hosts"))
	if code, checks := e.explain("db-01"); code != cli.ExitDone || checks["role"].Seen != "arn:aws:iam::111122223333:role/hosts/third" {
		t.Errorf("exit %d: %+v", code, checks)
	}
	if code, stdout, stderr := e.try("aws", "explain", "web-01", "--role", "third"); code != cli.ExitFailed || !strings.Contains(stdout, "20 failed   trust policy of the role ") || !strings.Contains(stdout, "            run: kedge-ca aws up --role third\n") ||
		!strings.Contains(stderr, "kedge-ca: error: web-01: 1 check failed; begin with 20 trust policy of the role\nkedge-ca: hint: below each check") {
		t.Errorf("exit %d: %s\n%s", code, stdout, stderr)
	}
}

// TestAWSExplain_places: the role is that which kedge-ca serve gives the host: by the hosts in aws.yaml, also of roles that
// the configuration does not describe, or that of the configuration, which takes precedence.
func TestAWSExplain_places(t *testing.T) {
	t.Parallel()
	e := newExplained(t, 0)
	policy := e.path("ca/backup.json")
	e.describe("")
	e.run("aws", "up", "--yes", "--role", "reports", "--names", "db-01", "--policy", policy)
	e.run("issue", "db-01", "--out", e.path("hosts"))
	for host, role := range map[string]string{"web-01": "hosts/backup", "db-01": "reports"} {
		if code, checks := e.explain(host); code != cli.ExitDone || checks["role"].Seen != "arn:aws:iam::111122223333:role/"+role {
			t.Errorf("%s: exit %d: %+v", host, code, checks["role"])
		}
	}
	const there = "arn:aws:rolesanywhere:us-east-1:444455556666:"
	e.describe("server: {aws: {trust_anchor_arn: \"" + there + "trust-anchor/6b656467-6500-4000-8000-000000000001\", profile_arn: \"" + there + "profile/6b656467-6500-4000-8000-000000000002\", role_arn: \"arn:aws:iam::444455556666:role/web\"}}\n")
	if code, checks := e.explain("web-01"); code != cli.ExitFailed || !strings.Contains(checks["account"].Seen, "and the trust anchor is in 444455556666") {
		t.Errorf("exit %d: %+v", code, checks["account"])
	}
}
