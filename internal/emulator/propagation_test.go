package emulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/internal/emulator/policy"
)

// serviceTrust lets IAM Roles Anywhere assume a role.
const serviceTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + policy.RolesAnywhere + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`

func tenSecondsLate(c *Config) { c.Conditions.PropagationDelay = 10 * time.Second }

// newService makes a role that trusts the service, and a profile that lists it.
func (w *rehearsal) newService(t *testing.T) (role, profile string) {
	t.Helper()
	made, err := w.roles().CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String("new"), AssumeRolePolicyDocument: aws.String(serviceTrust)})
	if err != nil {
		t.Fatal(err)
	}
	listed, err := w.resources().CreateProfile(t.Context(), &ra.CreateProfileInput{Name: aws.String("new"), RoleArns: []string{*made.Role.Arn}, Enabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return *made.Role.Arn, *listed.Profile.ProfileArn
}

func (w *rehearsal) sessionOf(t *testing.T, role, profile string, leaf *authority) answer {
	t.Helper()
	c := newCraft(w.Emulator, leaf)
	c.body = strings.NewReplacer(w.RoleARN(), role, w.ProfileARN(), profile).Replace(c.body)
	return send(t, w.Emulator, c.sign(t).wire())
}

// TestPropagation_createSession: a new role, a changed trust policy and a deleted role count after the delay.
func TestPropagation_createSession(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t, tenSecondsLate)
	leaf := w.root.issue(t, leafTemplate())
	if got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf); got.status != 201 {
		t.Errorf("the role of the configuration: %s", got)
	}
	role, profile := w.newService(t)
	refused := func(when string) {
		t.Helper()
		if got := w.sessionOf(t, role, profile, leaf); got.status != 403 || got.message != textAssume {
			t.Errorf("%s: %s", when, got)
		}
	}
	granted := func(when string) {
		t.Helper()
		if got := w.sessionOf(t, role, profile, leaf); got.status != 201 {
			t.Errorf("%s: %s", when, got)
		}
	}
	refused("at once")
	w.advance(9 * time.Second)
	refused("after 9 s")
	w.advance(time.Second)
	granted("after 10 s")
	deny := strings.Replace(serviceTrust, "Allow", "Deny", 1)
	if _, err := w.roles().UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("new"), PolicyDocument: &deny}); err != nil {
		t.Fatal(err)
	}
	w.advance(4 * time.Second)
	if _, err := w.roles().UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("new"), PolicyDocument: aws.String(serviceTrust)}); err != nil {
		t.Fatal(err)
	}
	granted("denied 4 s ago")
	w.advance(6 * time.Second)
	refused("denied 10 s ago, allowed 6 s ago")
	w.advance(4 * time.Second)
	granted("allowed 10 s ago")
	if _, err := w.roles().DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: aws.String("new")}); err != nil {
		t.Fatal(err)
	}
	granted("just deleted")
	w.advance(10 * time.Second)
	refused("deleted 10 s ago")
}

// TestPropagation_assumeRole: AssumeRole, a new access key and its policy are late as well.
func TestPropagation_assumeRole(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t, tenSecondsLate)
	if err := w.createRole(t, "new"); err != nil {
		t.Fatal(err)
	}
	assume := func() error {
		_, err := w.tokens().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/new"), RoleSessionName: aws.String("me")})
		return err
	}
	if _, code := statusAndCode(assume()); code != "AccessDenied" {
		t.Errorf("at once: %q", code)
	}
	w.advance(10 * time.Second)
	if err := assume(); err != nil {
		t.Errorf("after 10 s: %v", err)
	}
	key := w.newUser(t, "bob")
	roles := func() error {
		_, err := key.ListRoles(t.Context(), &awsiam.ListRolesInput{})
		return err
	}
	if _, code := statusAndCode(roles()); code != "InvalidClientTokenId" {
		t.Errorf("a new key: %q", code)
	}
	w.advance(10 * time.Second)
	if _, code := statusAndCode(roles()); code != "AccessDenied" {
		t.Errorf("without a policy: %q", code)
	}
	if _, err := w.roles().PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("all"), PolicyDocument: aws.String(allowAll)}); err != nil {
		t.Fatal(err)
	}
	if _, code := statusAndCode(roles()); code != "AccessDenied" {
		t.Errorf("a new policy: %q", code)
	}
	w.advance(10 * time.Second)
	if err := roles(); err != nil {
		t.Errorf("a policy 10 s old: %v", err)
	}
}

// newUser returns a client with the key of a new user.
func (w *rehearsal) newUser(t *testing.T, name string) *awsiam.Client {
	t.Helper()
	if _, err := w.roles().CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	made, err := w.roles().CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	k := made.AccessKey
	return awsiam.New(awsiam.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, HTTPSignerV4: signerAt{testNow}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, ""),
	})
}

// TestPropagation_reads: operations that read see a change at once, or with stale reads as late. Those that change
// something always see it.
func TestPropagation_reads(t *testing.T) {
	t.Parallel()
	for _, stale := range []bool{false, true} {
		w := newRehearsal(t, tenSecondsLate, func(c *Config) { c.Conditions.StaleReads = stale })
		if err := w.createRole(t, "new"); err != nil {
			t.Fatal(err)
		}
		_, err := w.roles().GetRole(t.Context(), &awsiam.GetRoleInput{RoleName: aws.String("new")})
		if _, code := statusAndCode(err); code == "NoSuchEntity" != stale {
			t.Errorf("stale reads %t: %v", stale, err)
		}
		if _, code := statusAndCode(w.createRole(t, "new")); code != "EntityAlreadyExists" {
			t.Errorf("stale reads %t, made twice: %q", stale, code)
		}
		w.advance(10 * time.Second)
		if _, err := w.roles().GetRole(t.Context(), &awsiam.GetRoleInput{RoleName: aws.String("new")}); err != nil {
			t.Errorf("stale reads %t, after 10 s: %v", stale, err)
		}
	}
}

// TestLostAnswers: a seed selects the same answers in each run; CreateSession loses none.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	run := func(share float64, seed uint64) (lost string) {
		w := newRehearsal(t, func(c *Config) { c.Conditions = Conditions{LostAnswers: share, Seed: seed} })
		for i := range 20 {
			call := func() error { return w.createProfile(t, "a") }
			if i%2 == 1 {
				call = func() error { return w.createRole(t, "a"+string(rune('a'+i))) }
			}
			if call() == nil {
				lost += "."
			} else {
				lost += "x"
			}
		}
		w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, leafTemplate())).created(t)
		if n := len(w.Calls()); n != 21 {
			t.Errorf("%d calls were done, want 21", n)
		}
		return lost
	}
	first := run(0.3, 7)
	if again := run(0.3, 7); again != first || !strings.Contains(first, ".x") || !strings.Contains(first, "x.") {
		t.Errorf("%s, and again %s", first, again)
	}
	if other := run(0.3, 8); other == first {
		t.Errorf("another seed: %s", other)
	}
	if all := run(1, 0); all != strings.Repeat("x", 20) {
		t.Errorf("all: %s", all)
	}
	if none := run(0, 0); none != strings.Repeat(".", 20) {
		t.Errorf("none: %s", none)
	}
}

// TestConditions_refused are values out of their range, and what the file has for them.
func TestConditions_refused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"requestRate":-1}`:                                 "the request rate -1",
		`{"propagationDelaySeconds":601}`:                    "the propagation delay 10m1s",
		`{"propagationDelaySeconds":1e300}`:                  "the propagation delay 10m1s",
		`{"propagationDelaySeconds":-1e300}`:                 "the propagation delay -1s",
		`{"staleReads":true}`:                                "stale reads need a propagation delay",
		`{"lostAnswers":1.5}`:                                "the share of lost answers 1.5",
		`{"staleReads":true,"propagationDelaySeconds":0.25}`: "",
	} {
		var f conditionsFile
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		_, err := f.conditions()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := New(Config{Conditions: Conditions{LostAnswers: 2}}); err == nil {
		t.Error("New takes conditions out of their range")
	}
}
