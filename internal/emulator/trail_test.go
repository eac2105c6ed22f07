package emulator

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"kedge/internal/emulator/cloudtrail"
)

// trailFile lets an emulator record events, and returns the file.
func trailFile(t *testing.T) (string, func(*Config)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.json")
	return path, func(c *Config) { c.CloudTrail = path }
}

// events reads the lines of a file, each of which must be an event.
func events(t *testing.T, path string) []cloudtrail.Event {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []cloudtrail.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e cloudtrail.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		all = append(all, e)
	}
	return all
}

// TestTrail_session: CreateSession with the certificate and without secrets, the AssumeRole behind it, and refused
// sessions with the error.
func TestTrail_session(t *testing.T) {
	t.Parallel()
	path, record := trailFile(t)
	w := newControlWorld(t, record)
	leaf := w.root.issue(t, leafTemplate())
	made := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).created(t).CredentialSet[0]
	all := events(t, path)
	if len(all) != 2 {
		t.Fatalf("%d events: %+v", len(all), all)
	}
	created, assumed := all[0], all[1]
	if created.EventSource != "rolesanywhere.amazonaws.com" || created.EventName != "CreateSession" || created.UserIdentity.InvokedBy != "rolesanywhere.amazonaws.com" ||
		created.RequestParameters["cert"] == "" || created.RequestParameters["roleArn"] != w.RoleARN() || created.RequestID != w.Calls()[0].ID ||
		created.AWSRegion != "us-east-1" || created.RecipientAccountID != "111122223333" || created.EventTime != "2026-11-21T12:00:00Z" {
		t.Errorf("%+v", created)
	}
	set := created.ResponseElements["credentialSet"].([]any)[0].(map[string]any)
	credentials := set["credentials"].(map[string]any)
	want := map[string]any{"accessKeyId": made.Credentials.AccessKeyID, "sessionToken": cloudtrail.Hidden, "expiration": made.Credentials.Expiration.Format(time.RFC3339)}
	if set["sourceIdentity"] != made.SourceIdentity || !maps.Equal(credentials, want) {
		t.Errorf("%+v, want the credentials %v", set, want)
	}
	if assumed.EventSource != "sts.amazonaws.com" || assumed.EventName != "AssumeRole" || assumed.UserIdentity.Type != "AWSService" || !assumed.ReadOnly ||
		assumed.ResponseElements["sourceIdentity"] != made.SourceIdentity || assumed.ResponseElements["assumedRoleUser"].(map[string]any)["arn"] != made.AssumedRoleUser.Arn ||
		assumed.Resources[0].ARN != w.RoleARN() || assumed.EventID == created.EventID {
		t.Errorf("%+v", assumed)
	}
	var keys []string
	for _, tag := range assumed.RequestParameters["tags"].([]any) {
		keys = append(keys, tag.(map[string]any)["key"].(string))
	}
	if len(keys) != 4 || !slices.IsSorted(keys) {
		t.Errorf("tags %q", keys)
	}
	w.session(t, w.TrustAnchorARN(), "arn:aws:rolesanywhere:us-east-1:111122223333:profile/6b656467-6500-4000-9000-00000000000f", leaf)
	refused := events(t, path)[2]
	if refused.ErrorCode != "AccessDeniedException" || refused.ErrorMessage != textProfile || refused.ResponseElements != nil || refused.RequestParameters["cert"] == nil {
		t.Errorf("%+v", refused)
	}
	w.session(t, "arn:aws:rolesanywhere:us-east-1:999999999999:trust-anchor/6b656467-6500-4000-8000-00000000000f", w.ProfileARN(), leaf)
	if n := len(events(t, path)); n != 3 {
		t.Errorf("%d events, one of an account that is not there", n)
	}
	checkTrailFile(t, path, made.Credentials.SecretAccessKey, made.Credentials.SessionToken)
}

// checkTrailFile: the file is for its owner, and has no secret.
func checkTrailFile(t *testing.T, path string, secrets ...string) {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(string(data), secret) {
			t.Error("a secret is in the file")
		}
	}
}

// TestTrail_control: the control plane as its guide shows it, with what was sent and what was answered; reads have no
// response, and refusals an error. A request without a valid signature is of no account.
func TestTrail_control(t *testing.T) {
	t.Parallel()
	path, record := trailFile(t)
	mallory := User{ARN: "arn:aws:iam::111122223333:user/mallory", AccessKeyID: "AKIAMALLORY000000000", SecretAccessKey: "s"}
	w := newControlWorld(t, record, func(c *Config) { c.Users = []User{mallory} })
	made, err := w.admin().CreateProfile(t.Context(), &rolesanywhere.CreateProfileInput{Name: aws.String("web"), RoleArns: []string{w.RoleARN()}, DurationSeconds: aws.Int32(3600)})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Profile.ProfileId
	if _, err := w.admin().UpdateProfile(t.Context(), &rolesanywhere.UpdateProfileInput{ProfileId: id, Name: aws.String("web 2")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin().GetProfile(t.Context(), &rolesanywhere.GetProfileInput{ProfileId: id}); err != nil {
		t.Fatal(err)
	}
	w.call(t, mallory, http.MethodGet, "/profiles?pageSize=5", "")
	w.call(t, User{AccessKeyID: mallory.AccessKeyID, SecretAccessKey: "guess"}, http.MethodGet, "/profiles", "")
	all := events(t, path)
	if len(all) != 4 {
		t.Fatalf("%d events", len(all))
	}
	created, updated, read, refused := all[0], all[1], all[2], all[3]
	if created.EventName != "CreateProfile" || created.ReadOnly || created.UserIdentity.Type != "IAMUser" || created.UserIdentity.ARN != w.Administrator().ARN ||
		created.UserIdentity.AccessKeyID != w.Administrator().AccessKeyID || created.RequestParameters["durationSeconds"] != 3600.0 || created.ResponseElements["profile"].(map[string]any)["profileId"] != *id {
		t.Errorf("%+v", created)
	}
	if updated.EventName != "UpdateProfile" || updated.RequestParameters["profileId"] != *id || updated.RequestParameters["name"] != "web 2" || updated.SourceIPAddress != "127.0.0.1" || !strings.HasPrefix(updated.UserAgent, "aws-sdk-go-v2/") {
		t.Errorf("%+v", updated)
	}
	if read.EventName != "GetProfile" || !read.ReadOnly || read.ResponseElements != nil || len(read.RequestParameters) != 1 {
		t.Errorf("%+v", read)
	}
	if refused.ErrorCode != "AccessDeniedException" || refused.UserIdentity.UserName != "mallory" || refused.RequestParameters["pageSize"] != "5" {
		t.Errorf("%+v", refused)
	}
}

// TestTrail_chain: AssumeRole of a session is recorded in both accounts, with the source identity, which the next
// calls have in their session context. The other account sees no more of the caller than its id.
func TestTrail_chain(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	path := filepath.Join(t.TempDir(), "events.json")
	var err error
	if w.trail, err = cloudtrail.Open(path); err != nil {
		t.Fatal(err)
	}
	far := "arn:aws:iam::444455556666:role/far"
	if err := w.PutRole(Role{ARN: far}); err != nil {
		t.Fatal(err)
	}
	made, err := w.sessionClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &far, RoleSessionName: aws.String("job"), Tags: []types.Tag{tag("team", "storage"), tag("env", "test")}, TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.as(made.Credentials).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.as(made.Credentials).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &far, RoleSessionName: aws.String("again")}); err != nil {
		t.Fatal(err)
	}
	all := events(t, path)
	if len(all) != 4 {
		t.Fatalf("%d events", len(all))
	}
	near, other, next, chained := all[0], all[1], all[2], all[3]
	if tags, _ := chained.RequestParameters["incomingTransitiveTags"].(map[string]any); len(tags) != 1 || tags["team"] != "storage" || near.RequestParameters["incomingTransitiveTags"] != nil {
		t.Errorf("%+v", chained)
	}
	c := near.UserIdentity.SessionContext
	if near.UserIdentity.Type != "AssumedRole" || c.SourceIdentity != "CN=web-1" || c.SessionIssuer.ARN != w.RoleARN() || c.SessionIssuer.UserName != "kedge" || near.RecipientAccountID != "111122223333" {
		t.Errorf("%+v", near)
	}
	tags := near.RequestParameters["tags"].([]any)
	if len(tags) != 2 || tags[1].(map[string]any)["key"] != "env" || near.RequestParameters["transitiveTagKeys"].([]any)[0] != "team" || near.ResponseElements["sourceIdentity"] != "CN=web-1" {
		t.Errorf("%+v", near)
	}
	if other.RecipientAccountID != "444455556666" || other.SharedEventID == "" || other.SharedEventID != near.SharedEventID || other.EventID == near.EventID ||
		other.UserIdentity != (cloudtrail.Identity{Type: "AWSAccount", PrincipalID: w.session.UserID, AccountID: "111122223333"}) {
		t.Errorf("%+v", other)
	}
	if next.EventName != "GetCallerIdentity" || next.RecipientAccountID != "444455556666" || next.UserIdentity.SessionContext.SourceIdentity != "CN=web-1" || next.RequestParameters != nil || next.ResponseElements != nil {
		t.Errorf("%+v", next)
	}
	checkTrailFile(t, path, *made.Credentials.SecretAccessKey, *made.Credentials.SessionToken)
}

// TestTrail_throttled: a call above the rate is recorded, of IAM Roles Anywhere and of IAM.
func TestTrail_throttled(t *testing.T) {
	t.Parallel()
	path, record := trailFile(t)
	w := newRehearsal(t, record, onePerSecond)
	for range 2 {
		w.call(t, w.Administrator(), http.MethodGet, "/profiles?pageSize=5", "")
		w.send(t, w.signedForm(t, w.Administrator(), "iam", url.Values{"Action": {"ListRoles"}, "Version": {"2010-05-08"}}))
	}
	var got []string
	for _, e := range events(t, path) {
		got = append(got, e.EventName+" "+e.ErrorCode)
	}
	if want := []string{"ListProfiles ", "ListRoles ", "ListProfiles ThrottlingException", "ListRoles Throttling"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTrail_unknown: an operation that is not here is no event, for its parameters may be secrets; neither is it above the
// rate.
func TestTrail_unknown(t *testing.T) {
	t.Parallel()
	path, record := trailFile(t)
	w := newRehearsal(t, record, onePerSecond)
	for service, operations := range map[string][]string{
		"iam": {"ChangePassword", "ChangePassword", "ListRoles"},
		"sts": {"DecodeAuthorizationMessage", "GetCallerIdentity"},
	} {
		for _, operation := range operations {
			form := url.Values{"Action": {operation}, "Version": {"2010-05-08"}}
			if strings.Contains(operation, "Password") {
				form.Set("NewPassword", "a-secret")
			}
			w.send(t, w.signedForm(t, w.Administrator(), service, form))
		}
	}
	var names []string
	for _, e := range events(t, path) {
		names = append(names, e.EventName)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"GetCallerIdentity", "ListRoles"}) {
		t.Errorf("events of %q", names)
	}
	checkTrailFile(t, path, "a-secret")
}

// TestTrail_members: what a client sends beside the members of an operation is in no event, and neither is the code of a device.
func TestTrail_members(t *testing.T) {
	t.Parallel()
	path, record := trailFile(t)
	w := newRehearsal(t, record)
	const secret = "a-secret"
	for service, form := range map[string]url.Values{
		"iam": {"Action": {"TagRole"}, "Version": {"2010-05-08"}, "RoleName": {"kedge"}, "Tags.member.1.Key": {"k"}, "Tags.member.1.Value": {"v"}, "Password": {secret}, "Tags.member.1.Password": {secret}},
		"sts": {"Action": {"GetSessionToken"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"}, "SerialNumber": {"device"}, "TokenCode": {secret}, "Password": {secret}},
	} {
		w.send(t, w.signedForm(t, w.Administrator(), service, form))
	}
	for target, body := range map[string]string{
		"/TagResource?password=" + secret: `{"resourceArn":"` + w.ProfileARN() + `","tags":[{"key":"k","value":"v","password":"` + secret + `"}],"password":{"key":"` + secret + `"}}`,
		"/profiles":                       `{"name":"p","roleArns":[],"password":["` + secret + `"],"tags":[]}`,
	} {
		w.call(t, w.Administrator(), http.MethodPost, target, body)
	}
	w.call(t, w.Administrator(), http.MethodGet, "/profiles?pageSize=5&password="+secret, "")
	got := map[string]string{}
	for _, e := range events(t, path) {
		data, err := json.Marshal(e.RequestParameters)
		if err != nil {
			t.Fatal(err)
		}
		got[e.EventName] = string(data)
	}
	want := map[string]string{
		"TagRole": `{"roleName":"kedge","tags":[{"key":"k","value":"v"}]}`, "GetSessionToken": `{"durationSeconds":"900","serialNumber":"device"}`,
		"TagResource": `{"resourceArn":"` + w.ProfileARN() + `","tags":[{"key":"k","value":"v"}]}`, "CreateProfile": `{"name":"p","roleArns":[],"tags":[]}`,
		"ListProfiles": `{"pageSize":"5"}`,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	checkTrailFile(t, path, secret)
}

// TestTrail_unwritable: a file that cannot be opened is an error at the start.
func TestTrail_unwritable(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "no", "file")} {
		if _, err := New(Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem()}}, CloudTrail: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
