package awsaccount

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/emulator"
)

// TestErrors: what goes wrong is told apart, and the text names it.
func TestErrors(t *testing.T) {
	const reading = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["rolesanywhere:*","iam:CreateRole"],"Resource":"*"}]}`
	role := "arn:aws:iam::111122223333:role/a"
	passing := func(t *testing.T, a *Account) error {
		_, err := Call(t.Context(), a, a.RolesAnywhere.CreateProfile, &rolesanywhere.CreateProfileInput{Name: aws.String("a"), RoleArns: []string{role}})
		return err
	}
	getting := func(t *testing.T, a *Account) error {
		_, err := Call(t.Context(), a, a.IAM.GetRole, &iam.GetRoleInput{RoleName: aws.String("a")})
		return err
	}
	creating := func(t *testing.T, a *Account) error { return createRole(t, a, "a") }
	twice := func(t *testing.T, a *Account) error { return errors.Join(creating(t, a), creating(t, a)) }
	ahead := func(c *emulator.Config) { c.Now = func() time.Time { return time.Now().Add(time.Hour) } }
	for _, tt := range []struct {
		name  string
		setup func(*emulator.Config)
		user  string
		fault string
		do    func(*testing.T, *Account) error
		kind  Kind
		want  string
	}{
		{"denied", allowing(reading), "bob", "", getting, Denied, "access denied: arn:aws:iam::111122223333:user/bob may not do iam:GetRole on "},
		{"denied by the way", allowing(reading), "bob", "", passing, Denied, "may not do iam:PassRole on " + role + ": no identity-based policy allows it"},
		{"not found", nil, "", "", getting, NotFound, "iam:GetRole: there is no such thing"},
		{"exists", nil, "", "", twice, Exists, "iam:CreateRole: there is one already"},
		{"unknown key", nil, "nobody", "", getting, NoCredentials, "AWS does not accept the credentials: InvalidClientTokenId"},
		{"clock", ahead, "", "", getting, Skew, "with the time of this machine's clock: it is 1h0m0s behind AWS's"},
		{"throttled", nil, "", "iam:throttle*9", getting, Throttled, "AWS throttles requests, and iam:GetRole did not get through"},
		{"outage", nil, "", "iam:status=500*9", getting, Unavailable, "AWS failed by itself to do iam:GetRole"},
		{"no answer", nil, "", "iam:cut*9", getting, Unreachable, "there was no answer to iam:GetRole"},
		{"refused", nil, "", "", func(t *testing.T, a *Account) error {
			_, err := Call(t.Context(), a, a.IAM.CreateRole, &iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String("{}")})
			return err
		}, Refused, "AWS refused iam:CreateRole: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.setup)
			u := w.Administrator()
			switch tt.user {
			case "bob":
				u = w.bob()
			case "nobody":
				u.AccessKeyID = "AKIANOBODY0000000000"
			}
			if tt.fault != "" {
				w.fails(t, tt.fault)
			}
			err := tt.do(t, w.open(t, u))
			if !Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s: %s", err, tt.kind, tt.want)
			}
		})
	}
}

// TestDenial reads messages of AccessDenied as IAM User Guide has them, "Troubleshoot access denied error messages".
func TestDenial(t *testing.T) {
	for message, want := range map[string]Denial{
		"User: arn:aws:iam::1:user/a is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/b because no identity-based policy allows the iam:PassRole action": {"arn:aws:iam::1:user/a", "iam:PassRole", "arn:aws:iam::1:role/b", "no identity-based policy allows it"},
		"User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: rolesanywhere:CreateProfile on resource: * with an explicit deny in a service control policy":          {"arn:aws:sts::1:assumed-role/a/b", "rolesanywhere:CreateProfile", "*", "an explicit deny in a service control policy"},
		"User: arn:aws:iam::1:user/a is not authorized to perform: iam:GetRole on resource: role b because no permissions boundary allows the iam:GetRole action":                   {"arn:aws:iam::1:user/a", "iam:GetRole", "b", "no permissions boundary allows it"},
		"User: arn:aws:iam::1:user/a is not authorized to perform: iam:ListRoles":                                                                                                   {"arn:aws:iam::1:user/a", "iam:ListRoles", "", ""},
		"No.": {Reason: "No."},
	} {
		if got := denial(message); got != want {
			t.Errorf("%s: %+v", message, got)
		}
	}
	if got := (Denial{Reason: "No."}).text("iam:GetRole"); got != "access denied: the AWS credentials may not do iam:GetRole: No." {
		t.Error(got)
	}
}

// TestOpen_refused: what cannot be used is named before anything is sent.
func TestOpen_refused(t *testing.T) {
	isolate(t)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile a]\nregion = eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	for want, c := range map[string]Config{
		"there is no profile b":             {Profile: "b"},
		"no region is named: give --region": {},
		"must be https":                     {Region: "eu-west-1", EndpointURL: "http://aws.example.com"},
		"is not a URL":                      {Region: "eu-west-1", EndpointURL: "aws"},
	} {
		if _, err := Open(t.Context(), c); !Is(err, Configuration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_IAM", "http://aws.example.com")
	if _, err := Open(t.Context(), Config{Profile: "a"}); !Is(err, Configuration) {
		t.Errorf("an endpoint of the environment: %v", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_IAM", "")
	a, err := Open(t.Context(), Config{Profile: "a"})
	if err != nil || a.Region != "eu-west-1" {
		t.Fatal(err)
	}
	if _, err := Call(t.Context(), a, a.IAM.ListRoles, &iam.ListRolesInput{}); !Is(err, NoCredentials) || !strings.Contains(err.Error(), "there are no AWS credentials") {
		t.Error(err)
	}
}
