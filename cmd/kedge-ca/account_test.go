package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

// emulatedAccount is an account of the emulator, without a profile of its own.
type emulatedAccount struct {
	*emulator.Emulator
	url string

	mu    sync.Mutex
	clock time.Time
	sent  int // requests
}

func newAccount(t *testing.T, change func(*emulator.Config)) *emulatedAccount {
	t.Helper()
	a := &emulatedAccount{clock: time.Now().Truncate(time.Second)} // the SDK signs by the clock of the machine
	config := emulator.Config{Account: "111122223333", Region: "eu-west-1", Now: a.now}
	if change != nil {
		change(&config)
	}
	var err error
	if a.Emulator, err = emulator.New(config); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *emulatedAccount) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clock
}

func (a *emulatedAccount) wait(ctx context.Context, d time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = a.clock.Add(d)
	return ctx.Err()
}

// counting counts requests.
type counting struct {
	next aws.HTTPClient
	of   *emulatedAccount
}

func (c counting) Do(r *http.Request) (*http.Response, error) {
	c.of.mu.Lock()
	c.of.sent++
	c.of.mu.Unlock()
	return c.next.Do(r)
}

// as has commands use the account as a user.
func (a *emulatedAccount) as(u emulator.User) func(*awsaccount.Config) {
	return func(c *awsaccount.Config) {
		if c.Region == "" {
			c.Region = "eu-west-1"
		}
		c.EndpointURL, c.Now, c.Sleep = a.url, a.now, a.wait
		c.Credentials = credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
		c.Wrap = func(next aws.HTTPClient) aws.HTTPClient { return counting{next, a} }
	}
}

// environment has programs use the account as its administrator.
func (a *emulatedAccount) environment() []string {
	u := a.Administrator()
	return []string{"AWS_ENDPOINT_URL=" + a.url, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=" + u.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + u.SecretAccessKey, "AWS_SESSION_TOKEN=", "AWS_PROFILE="}
}

// newRehearsalAt is a CA, and an account at AWS that its administrator uses.
func newRehearsalAt(t *testing.T, change func(*emulator.Config)) (*rehearsal, *emulatedAccount) {
	t.Helper()
	x, a := newRehearsal(t), newAccount(t, change)
	x.now, x.account = a.now(), a.as(a.Administrator())
	x.run("init", "--no-password")
	return x, a
}

const backupRoles = "aws:\n  path: /hosts/\n  roles:\n    backup: {names: [web-01, web-02], policies: [backup.json]}\n"

// describe writes the configuration, and a policy beside it.
func (x *rehearsal) describe(settings string) {
	x.t.Helper()
	for file, text := range map[string]string{"ca/kedge-ca.yaml": settings, "ca/backup.json": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}`} {
		if err := os.WriteFile(x.path(file), []byte(text), 0o600); err != nil {
			x.t.Fatal(err)
		}
	}
}

// TestAWSPlan: the plan is on standard output, what a person should know beside it; nothing is changed.
func TestAWSPlan(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	before := len(a.Calls())
	code, stdout, stderr := x.try("aws", "plan", "--check")
	if code != cli.ExitFailed || !strings.Contains(stderr, "4 things need doing") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		"account 111122223333, eu-west-1, as arn:aws:iam::111122223333:user/administrator\n",
		"1. create the trust anchor kedge\n     + the certificate \"CN=", "+ AWS does not warn of certificates of hosts\n",
		"2. create the role backup for web-01, web-02\n", `"aws:SourceArn": "the ARN of the new trust anchor"`,
		"3. write the policy backup of the role backup\n", `+     "Action": "s3:PutObject",`,
		"4. create the profile kedge\n     + sessions of 1h\n     + arn:aws:iam::111122223333:role/hosts/backup\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%s\nwant %s", stdout, want)
		}
	}
	for _, call := range a.Calls()[before:] {
		if !strings.HasPrefix(call.Operation, "Get") && !strings.HasPrefix(call.Operation, "List") {
			t.Errorf("it called %s", call.Operation)
		}
	}
	if got := x.run("aws", "plan", "--json"); !strings.Contains(got, `"schema": `) || strings.Count(got, `"text": `) != 4 {
		t.Error(got)
	}
	if got := x.run("aws", "plan", "--role", "batch", "--ou", "batch", "--policy", x.path("ca/backup.json"), "--duration", "12h"); !strings.Contains(got, "create the role batch for OU batch") || strings.Contains(got, "web-01") || !strings.Contains(got, "+ sessions of 12h") {
		t.Error(got)
	}
}

// TestAWSPlan_refused: what is wrong is named before anything is requested, but for what AWS refuses.
func TestAWSPlan_refused(t *testing.T) {
	t.Parallel()
	reader := emulator.User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}
	x, a := newRehearsalAt(t, func(c *emulator.Config) {
		c.Users = []emulator.User{reader}
		c.Users[0].Permissions = emulatediam.Permissions{Inline: map[string]string{"some": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["rolesanywhere:List*"],"Resource":"*"}]}`}}
	})
	a.sent = 0
	for want, args := range map[string][]string{
		"no role for hosts is described":           {},
		"give the role a name: --role NAME":        {"--names", "web-01"},
		"--policy: say which hosts get the role":   {"--role", "a", "--policy", "x"},
		"--duration: 5m0s is not between":          {"--role", "a", "--names", "b", "--duration", "5m"},
		`--tag: "a" is not KEY=VALUE`:              {"--role", "a", "--names", "b", "--tag", "a"},
		`"a&b"`:                                    {"--role", "a", "--names", "a&b"},
		"tags: team=<x>: a key has":                {"--role", "a", "--names", "b", "--tag", "team=<x>"},
		`path: "hosts" is not a path of roles`:     {"--role", "a", "--names", "b", "--path", "hosts"},
		`permissions_boundary: "x" is not the ARN`: {"--role", "a", "--names", "b", "--permissions-boundary", "x"},
		`there is no role "a" under aws.roles`:     {"--role", "a"},
		"none.json":                                {"--role", "a", "--names", "b", "--policy", x.path("none.json")},
		`a policy cannot express "web-*"`:          {"--role", "a", "--names", "web-*"},
		"IAM would refuse the policy in":           {"--role", "a", "--names", "b", "--policy", x.path("ca/ca.pem")},
	} {
		x.refuses(want, append([]string{"aws", "plan"}, args...)...)
	}
	if a.sent != 0 {
		t.Errorf("%d requests", a.sent)
	}
	const gone = "arn:aws:iam::111122223333:policy/Gone"
	if _, _, stderr := x.try("aws", "up", "--yes", "--role", "a", "--names", "b", "--policy", gone); !strings.Contains(stderr, "error: managed policies do not exist in account 111122223333: "+gone+", for the role a\n") || !strings.Contains(stderr, "hint: correct the ARN") {
		t.Error(stderr)
	}
	x.account = a.as(reader)
	code, _, stderr := x.try("aws", "plan", "--role", "a", "--names", "b")
	if code != cli.ExitRefused || !strings.Contains(stderr, "user/bob may not do iam:GetRole on ") || !strings.Contains(stderr, "hint: have iam:GetRole on ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
