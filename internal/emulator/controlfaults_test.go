package emulator

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	ratypes "github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// rehearsal is an emulator that fails on request, with a clock of its own, and the SDK's clients of its
// administrator. The clients try again as often as retries says; each time they wait a second of that clock.
type rehearsal struct {
	*controlWorld
	offset  atomic.Int64
	retries int
}

func newRehearsal(t *testing.T, change ...func(*Config)) *rehearsal {
	t.Helper()
	w := &rehearsal{}
	clock := func(c *Config) { c.Now = func() time.Time { return testNow.Add(time.Duration(w.offset.Load())) } }
	w.controlWorld = newControlWorld(t, append([]func(*Config){clock}, change...)...)
	return w
}

func (w *rehearsal) advance(d time.Duration) { w.offset.Add(int64(d)) }

func (w *rehearsal) inject(t *testing.T, text string) {
	t.Helper()
	f, err := ParseFault(text)
	if err == nil {
		err = w.Inject(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *rehearsal) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 1 + w.retries
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
			w.advance(time.Second)
			return 0, nil
		})
	})
}

func (w *rehearsal) keys() aws.CredentialsProvider {
	u := w.Administrator()
	return credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
}

func (w *rehearsal) resources() *ra.Client {
	return ra.New(ra.Options{Region: "us-east-1", BaseEndpoint: &w.url, Credentials: w.keys(), HTTPSignerV4: signerAt{testNow}, Retryer: w.retryer()})
}

func (w *rehearsal) roles() *awsiam.Client {
	return awsiam.New(awsiam.Options{Region: "us-east-1", BaseEndpoint: &w.url, Credentials: w.keys(), HTTPSignerV4: signerAt{testNow}, Retryer: w.retryer()})
}

func (w *rehearsal) tokens() *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &w.url, Credentials: w.keys(), HTTPSignerV4: signerAt{testNow}, Retryer: w.retryer()})
}

func (w *rehearsal) createProfile(t *testing.T, name string) error {
	_, err := w.resources().CreateProfile(t.Context(), &ra.CreateProfileInput{Name: &name, RoleArns: []string{}})
	return err
}

func (w *rehearsal) createRole(t *testing.T, name string) error {
	_, err := w.roles().CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(accountTrust)})
	return err
}

// profilesNamed returns how many profiles have a name.
func (w *rehearsal) profilesNamed(t *testing.T, name string) (n int) {
	t.Helper()
	all, err := w.resources().ListProfiles(t.Context(), &ra.ListProfilesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Profiles {
		if *p.Name == name {
			n++
		}
	}
	return n
}

// statusAndCode returns what the SDK found in an error; 0 if there was no answer.
func statusAndCode(err error) (int, string) {
	status, code := 0, ""
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = response.HTTPStatusCode()
	}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		code = refusal.ErrorCode()
	}
	return status, code
}

// TestFaults_controlPlane: each service fails in the form of its protocol, as the SDK reads it.
func TestFaults_controlPlane(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	profiles := func() error {
		_, err := w.resources().ListProfiles(t.Context(), &ra.ListProfilesInput{})
		return err
	}
	roles := func() error {
		_, err := w.roles().ListRoles(t.Context(), &awsiam.ListRolesInput{})
		return err
	}
	identity := func() error {
		_, err := w.tokens().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		return err
	}
	for _, tt := range []struct {
		fault  string
		call   func() error
		status int
		code   string
	}{
		{"rolesanywhere:throttle", profiles, 400, "ThrottlingException"},
		{"rolesanywhere:status", profiles, 500, "InternalServerException"},
		{"rolesanywhere:status=503", profiles, 503, "ServiceUnavailableException"},
		{"rolesanywhere:unavailable", profiles, 503, "ServiceUnavailableException"},
		{"rolesanywhere:cut", profiles, 0, ""},
		{"rolesanywhere:skew=1h", profiles, 403, "InvalidSignatureException"},
		{"iam:throttle", roles, 400, "Throttling"},
		{"iam:status", roles, 500, "ServiceFailure"},
		{"iam:status=503", roles, 503, "ServiceUnavailable"},
		{"iam:cut", roles, 0, ""},
		{"sts:throttle", identity, 400, "Throttling"},
		{"sts:status", identity, 500, "InternalFailure"},
		{"sts:status=503", identity, 503, "ServiceUnavailable"},
	} {
		w.inject(t, tt.fault)
		err := tt.call()
		if status, code := statusAndCode(err); err == nil || status != tt.status || code != tt.code {
			t.Errorf("%s: %d %q, want %d %q: %v", tt.fault, status, code, tt.status, tt.code, err)
		}
		if err := tt.call(); err != nil {
			t.Errorf("after %s: %v", tt.fault, err)
		}
	}
	w.inject(t, "rolesanywhere:unavailable=7")
	if wait, ok := errors.AsType[*ratypes.ServiceUnavailableException](profiles()); !ok || wait.RetryAfterSeconds == nil || *wait.RetryAfterSeconds != 7 {
		t.Errorf("unavailable: %+v", wait)
	}
}

// TestFaults_perService: a fault of one service meets no request to another, nor CreateSession.
func TestFaults_perService(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	w.inject(t, "rolesanywhere:throttle")
	if err := w.createRole(t, "a"); err != nil {
		t.Error(err)
	}
	w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, leafTemplate())).created(t)
	if _, code := statusAndCode(w.createProfile(t, "a")); code != "ThrottlingException" {
		t.Errorf("code %q", code)
	}
}

// TestFaults_first: a fault waits for its first request; those before it meet others, or none.
func TestFaults_first(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	w.inject(t, "iam:throttle*2@2")
	w.inject(t, "iam:status@3")
	var codes []string
	for range 6 {
		_, err := w.roles().ListRoles(t.Context(), &awsiam.ListRolesInput{})
		_, code := statusAndCode(err)
		codes = append(codes, code)
	}
	want := []string{"", "Throttling", "Throttling", "ServiceFailure", "", ""}
	for i := range want {
		if codes[i] != want[i] {
			t.Fatalf("codes %q, want %q", codes, want)
		}
	}
}

// TestFaults_lost: the call is done, and the client has no answer. Sent again, a profile is made twice, a role is
// refused.
func TestFaults_lost(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	w.inject(t, "rolesanywhere:lost")
	if status, code := statusAndCode(w.createProfile(t, "once")); status != 0 || code != "" {
		t.Errorf("answer %d %q", status, code)
	}
	if n := w.profilesNamed(t, "once"); n != 1 {
		t.Errorf("%d profiles, want 1", n)
	}
	w.retries = 2
	w.inject(t, "rolesanywhere:lost")
	if err := w.createProfile(t, "twice"); err != nil {
		t.Error(err)
	}
	if n := w.profilesNamed(t, "twice"); n != 2 {
		t.Errorf("%d profiles, want 2", n)
	}
	w.inject(t, "iam:lost")
	if _, ok := errors.AsType[*iamtypes.EntityAlreadyExistsException](w.createRole(t, "a")); !ok {
		t.Error("the role does not exist yet")
	}
	w.inject(t, "lost")
	good := newCraft(w.Emulator, w.root.issue(t, leafTemplate())).sign(t)
	if _, _, body, err := fetch(t, w.url, good, time.Minute); err == nil {
		t.Errorf("an answer: %s", body)
	}
	if n := len(w.Sessions()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// TestFaults_lostRefusal: of a call that is refused, nothing is done.
func TestFaults_lostRefusal(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	w.inject(t, "rolesanywhere:lost")
	if err := w.createProfile(t, "a/b"); err == nil {
		t.Error("the name was accepted")
	}
	calls := w.Calls()
	if last := calls[len(calls)-1]; last.Operation != "CreateProfile" || last.Status != http.StatusBadRequest {
		t.Errorf("call %+v", last)
	}
}
