package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
	"kedge/signer"
	"kedge/signer/session"
)

const (
	hubAccount   = "111122223333"
	spokeAccount = "444455556666"
)

// chain is a host with a role in a hub account, and two roles in a spoke account, all made by the control plane.
type chain struct {
	*rehearsal
	hub, spoke *iam.Client // the administrators'
	profile    string
}

// newChain makes the CA, the emulator of both accounts, which records events in events.json, the hub's role and a
// profile for it.
func newChain(t *testing.T) *chain {
	x := &chain{rehearsal: newRehearsal(t)}
	x.now = time.Now().Truncate(time.Second) // the SDK signs by the clock of the machine
	x.run("init", "--no-password")
	x.run("issue", "web-01", "--host", "rack-7", "--out", x.mkdir("hosts"))
	x.run("issue", "web-02", "--out", x.path("hosts"))
	admin := emulator.User{
		ARN: "arn:aws:iam::" + spokeAccount + ":user/admin", AccessKeyID: "AKIASPOKEADMIN000000", SecretAccessKey: "spoke",
		Permissions: emulatediam.Permissions{Attached: []string{"arn:aws:iam::aws:policy/" + emulatediam.AdministratorAccess}},
	}
	var err error
	x.service, err = emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: []byte(x.run("bundle"))}}, Users: []emulator.User{admin},
		CloudTrail: x.path("events.json"), Now: func() time.Time { return x.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(x.service.Handler())
	t.Cleanup(server.Close)
	x.url = server.URL
	x.hub, x.spoke = x.iam(x.service.Administrator()), x.iam(admin)
	role := x.makeRole(x.hub, "hub", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},
		"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"ArnEquals":{"aws:SourceArn":%q},"StringLike":{"aws:PrincipalTag/x509Subject/CN":"web-*"}}}]}`, x.service.TrustAnchorARN()))
	made, err := rolesanywhere.New(rolesanywhere.Options{Region: "us-east-1", BaseEndpoint: &x.url, Credentials: static(x.service.Administrator())}).CreateProfile(
		t.Context(), &rolesanywhere.CreateProfileInput{Name: aws.String("hub"), RoleArns: []string{role}, Enabled: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	x.profile = *made.Profile.ProfileArn
	return x
}

func static(u emulator.User) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, "")
}

func (x *chain) iam(u emulator.User) *iam.Client {
	return iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &x.url, RetryMaxAttempts: 1, Credentials: static(u)})
}

// makeRole makes a role that may assume every role, and returns its ARN.
func (x *chain) makeRole(account *iam.Client, name, trust string) string {
	x.t.Helper()
	made, err := account.CreateRole(x.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	if err == nil {
		_, err = account.PutRolePolicy(x.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("chain"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"}]}`)})
	}
	if err != nil {
		x.t.Fatal(err)
	}
	return *made.Role.Arn
}

// trust changes the trust policy of a role of the spoke account.
func (x *chain) trust(role, document string) {
	x.t.Helper()
	if _, err := x.spoke.UpdateAssumeRolePolicy(x.t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: &document}); err != nil {
		x.t.Fatal(err)
	}
}

// trusts is a trust policy for a role, with a condition.
func trusts(role, condition string, actions ...string) string {
	list, _ := json.Marshal(actions) // only strings
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":%s,"Condition":%s}]}`, role, list, condition)
}

// signIn gives the host a session of the hub's role.
func (x *chain) signIn(name string) *session.Session {
	x.t.Helper()
	base := filepath.Join(x.dir, "hosts", name)
	now := func() time.Time { return x.now }
	source, err := signer.NewFileSource(signer.Files{Certificate: signer.File(base + ".pem"), PrivateKey: signer.File(base + ".key"), Now: now})
	if err != nil {
		x.t.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN: x.service.TrustAnchorARN(), ProfileARN: x.profile, RoleARN: "arn:aws:iam::" + hubAccount + ":role/hub", Endpoint: x.url, Now: now,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	s, err := client.CreateSession(x.t.Context(), source)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

// as is a client with the credentials of a session.
func (x *chain) as(key, secret, token string) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &x.url, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(key, secret, token)})
}

// next assumes a role as a client, with the tags team, which is transitive, and env.
func (x *chain) next(client *sts.Client, role string, tags ...types.Tag) (*sts.Client, error) {
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("job"), Tags: tags}
	if len(tags) > 0 {
		in.TransitiveTagKeys = []string{*tags[0].Key}
	}
	made, err := client.AssumeRole(x.t.Context(), in)
	if err != nil {
		return nil, err
	}
	c := made.Credentials
	return x.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), nil
}

func (x *chain) refusedBecause(err error, action string) {
	x.t.Helper()
	if err == nil || !strings.Contains(err.Error(), "is not authorized to perform: "+action+" ") {
		x.t.Errorf("error %v, want one about %s", err, action)
	}
}

// caller is the ARN of GetCallerIdentity.
func (x *chain) caller(client *sts.Client) string {
	x.t.Helper()
	got, err := client.GetCallerIdentity(x.t.Context(), nil)
	if err != nil {
		x.t.Fatal(err)
	}
	return *got.Arn
}

// event is a line of who --json.
type tracedEvent struct {
	Event, Account, Caller, Host, Serial, State string
	FoundBy                                     string `json:"found_by"`
	Error                                       string `json:"error_code"`
}

// who lists the events of hosts.
func (x *chain) who() []tracedEvent {
	x.t.Helper()
	var got struct{ Events []tracedEvent }
	if err := json.Unmarshal([]byte(x.run("who", x.path("events.json"), "--json")), &got); err != nil {
		x.t.Fatal(err)
	}
	return got.Events
}

// TestChain: a host goes from its role over two roles of another account, all made by the control plane. The chain
// needs SetSourceIdentity for the source identity that it inherits, and TagSession for tags; transitive tags go on, and
// others do not. GetCallerIdentity and the events of CloudTrail lead to the host wherever it is.
func TestChain(t *testing.T) {
	t.Parallel()
	x := newChain(t)
	hub := "arn:aws:iam::" + hubAccount + ":role/hub"
	identity := `{"StringLike":{"aws:SourceIdentity":"CN=web-*"}}`
	spoke := x.makeRole(x.spoke, "spoke", trusts(hub, identity, "sts:AssumeRole"))
	deep := x.makeRole(x.spoke, "deep", trusts(spoke, `{"StringEquals":{"aws:RequestTag/env":"test"}}`, "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"))
	host := x.signIn("web-01")
	first := x.as(host.AccessKeyID, host.SecretAccessKey, host.SessionToken)
	serial := host.AssumedRoleARN[strings.LastIndex(host.AssumedRoleARN, "/")+1:]
	if got := x.caller(first); got != host.AssumedRoleARN || !strings.Contains(x.run("who", got), "rack-7") {
		t.Errorf("GetCallerIdentity %s, want %s", got, host.AssumedRoleARN)
	}

	team, env := types.Tag{Key: aws.String("team"), Value: aws.String("storage")}, types.Tag{Key: aws.String("env"), Value: aws.String("test")}
	_, err := x.next(first, spoke)
	x.refusedBecause(err, "sts:SetSourceIdentity")
	x.trust("spoke", trusts(hub, identity, "sts:AssumeRole", "sts:SetSourceIdentity"))
	_, err = x.next(first, spoke, team, env)
	x.refusedBecause(err, "sts:TagSession")
	x.trust("spoke", trusts(hub, identity, "sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"))
	second, err := x.next(first, spoke, team, env)
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.next(second, deep)
	x.refusedBecause(err, "sts:AssumeRole") // env is of the second session alone
	x.trust("deep", trusts(spoke, `{"StringEquals":{"aws:RequestTag/team":"storage"}}`, "sts:AssumeRole", "sts:TagSession"))
	_, err = x.next(second, deep)
	x.refusedBecause(err, "sts:SetSourceIdentity")
	x.trust("deep", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/team":"storage"}}},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:SetSourceIdentity","Condition":{"StringEquals":{"sts:SourceIdentity":"CN=web-01"}}}]}`, spoke, spoke))
	third, err := x.next(second, deep)
	if err != nil {
		t.Fatal(err)
	}
	last := x.caller(third)
	if last != "arn:aws:sts::"+spokeAccount+":assumed-role/deep/job" {
		t.Errorf("GetCallerIdentity %s", last)
	}
	checkChain(t, x.who(), serial, last)
}

// checkChain: every event of the host leads to it, in each account.
func checkChain(t *testing.T, all []tracedEvent, serial, last string) {
	t.Helper()
	var got []string
	for _, e := range all {
		if e.Host != "rack-7" || e.Serial != serial || e.State != "valid" {
			t.Errorf("%+v", e)
		}
		got = append(got, strings.TrimSpace(e.Event+" "+e.Account[:4]+" "+e.FoundBy+" "+e.Error))
	}
	want := []string{
		"CreateSession 1111 certificate", "AssumeRole 1111 session name", "GetCallerIdentity 1111 session name",
		"AssumeRole 1111 session name AccessDenied", "AssumeRole 1111 session name AccessDenied",
		"AssumeRole 1111 session name", "AssumeRole 4444 session name", // one call, in both accounts
		"AssumeRole 4444 source identity AccessDenied", "AssumeRole 4444 source identity AccessDenied", "AssumeRole 4444 source identity",
		"GetCallerIdentity 4444 source identity",
	}
	if !slices.Equal(got, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if caller := all[len(all)-1].Caller; caller != last {
		t.Errorf("the last event is of %s, want %s", caller, last)
	}
}
