package emulator

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const aliceKey, aliceSecret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" // of newSTSWorld

// makeRole makes a role that the account may assume, which may do everything that the policy allows.
func (w *stsWorld) makeRole(t *testing.T, name, policy string, tags ...iamtypes.Tag) {
	t.Helper()
	c := w.admin(t)
	_, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(accountTrust), Tags: tags})
	if err == nil {
		_, err = c.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// assumed returns a client of IAM with a new session of a role of makeRole.
func (w *stsWorld) assumed(t *testing.T, c *sts.Client, name string, tags ...ststypes.Tag) *awsiam.Client {
	t.Helper()
	out, err := c.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/" + name), RoleSessionName: aws.String("s1"), Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return w.iamClient(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
}

// deleteRole deletes a role of makeRole.
func (w *stsWorld) deleteRole(t *testing.T, name string) {
	t.Helper()
	c := w.admin(t)
	_, err := c.DeleteRolePolicy(t.Context(), &awsiam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("p")})
	if err == nil {
		_, err = c.DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: &name})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSession_sameName: the session of a role that was deleted is not one of a new role with the same name, and has not its
// rights.
func TestSession_sameName(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	w.makeRole(t, "web", allowAll)
	out, err := w.client(aliceKey, aliceSecret, "").AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/web"), RoleSessionName: aws.String("s1")})
	if err != nil {
		t.Fatal(err)
	}
	calls := func() map[string]error {
		_, identity := w.as(out.Credentials).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		_, roles := w.iamClient(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken).ListRoles(t.Context(), &awsiam.ListRolesInput{})
		return map[string]error{"GetCallerIdentity": identity, "ListRoles": roles}
	}
	for name, err := range calls() {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.deleteRole(t, "web")
	for _, err := range calls() {
		wantAPIError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid")
	}
	w.makeRole(t, "web", allowAll)
	for _, err := range calls() {
		wantAPIError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid")
	}
}

// TestAssumeRole_madeAgain: a trust policy of another account names a role by its id: one that is deleted and made again with
// the same name is another one, until the policy is saved again. The reason shows the id.
func TestAssumeRole_madeAgain(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	far := "arn:aws:iam::444455556666:role/far"
	trust := Role{ARN: far, TrustPolicy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/hub"},"Action":"sts:AssumeRole"}]}`}
	assume := func() error {
		hub, err := w.client(aliceKey, aliceSecret, "").AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/hub"), RoleSessionName: aws.String("s1")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.as(hub.Credentials).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &far, RoleSessionName: aws.String("s2")})
		return err
	}
	save := func() {
		if err := w.PutRole(trust); err != nil {
			t.Fatal(err)
		}
	}
	w.makeRole(t, "hub", allowAll)
	id, _ := w.iam.Identity("arn:aws:iam::111122223333:role/hub")
	save()
	if err := assume(); err != nil {
		t.Fatal(err)
	}
	w.deleteRole(t, "hub")
	w.makeRole(t, "hub", allowAll)
	wantAPIError(t, assume(), "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: "+far)
	calls := w.Calls()
	refusal, _ := w.Refusal(calls[len(calls)-1].ID)
	if want := `does not match: Principal "AWS:` + id.ID + `"`; !strings.Contains(refusal.Text(), want) {
		t.Errorf("%s\nlacks %s", refusal.Text(), want)
	}
	trust.MaxSessionDuration = 2 * time.Hour // another entry, which is saved
	save()
	if err := assume(); err != nil {
		t.Error(err)
	}
}

// TestPrincipalTag_user: the tags of a user are aws:PrincipalTag of its calls.
func TestPrincipalTag_user(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"web"}}}]}`
	c, name := w.admin(t), aws.String("alice")
	if _, err := c.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	list := func() error {
		_, err := w.iamClient(aliceKey, aliceSecret, "").ListRoles(t.Context(), &awsiam.ListRolesInput{})
		return err
	}
	wantAPIError(t, list(), "AccessDenied", "iam:ListRoles")
	if _, err := c.TagUser(t.Context(), &awsiam.TagUserInput{UserName: name, Tags: []iamtypes.Tag{{Key: aws.String("Team"), Value: aws.String("web")}}}); err != nil {
		t.Fatal(err)
	}
	if err := list(); err != nil {
		t.Error(err)
	}
}

// TestPrincipalTag_role: the tags of a role are aws:PrincipalTag of its sessions, but for those that the session has itself.
func TestPrincipalTag_role(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"web","aws:PrincipalTag/stage":"prod"}}}]}`
	w.makeRole(t, "web", policy, iamtypes.Tag{Key: aws.String("Team"), Value: aws.String("web")}, iamtypes.Tag{Key: aws.String("stage"), Value: aws.String("test")})
	list := func(tags ...ststypes.Tag) error {
		_, err := w.assumed(t, w.client(aliceKey, aliceSecret, ""), "web", tags...).ListRoles(t.Context(), &awsiam.ListRolesInput{})
		return err
	}
	wantAPIError(t, list(), "AccessDenied", "iam:ListRoles")
	if err := list(tag("STAGE", "prod")); err != nil {
		t.Error(err)
	}
	wantAPIError(t, list(tag("STAGE", "prod"), tag("team", "db")), "AccessDenied", "iam:ListRoles")
}

// TestSession_setTags: a tag of a role in another case is not there beside the session's.
func TestSession_setTags(t *testing.T) {
	t.Parallel()
	keys := map[string][]string{"aws:PrincipalTag/stage": {"test"}, "aws:PrincipalTag/Team": {"web"}, "aws:PrincipalArn": {"x"}}
	(&Session{Tags: map[string]string{"STAGE": "prod"}}).setTags(keys)
	want := map[string][]string{"aws:PrincipalTag/STAGE": {"prod"}, "aws:PrincipalTag/Team": {"web"}, "aws:PrincipalArn": {"x"}}
	if !maps.EqualFunc(keys, want, slices.Equal) {
		t.Errorf("%v, want %v", keys, want)
	}
}

// TestGetSessionToken_limits: without multi-factor authentication its sessions call no IAM, and nobody has a device for it.
func TestGetSessionToken_limits(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	admin := w.Administrator()
	c := w.client(admin.AccessKeyID, admin.SecretAccessKey, "")
	out, err := c.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.iamClient(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken).ListRoles(t.Context(), &awsiam.ListRolesInput{})
	wantAPIError(t, err, "InvalidClientTokenId", "The security token included in the request is invalid")
	if _, err := w.as(out.Credentials).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Error(err)
	}
	_, err = c.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{SerialNumber: aws.String("arn:aws:iam::111122223333:mfa/admin"), TokenCode: aws.String("123456")})
	wantAPIError(t, err, "AccessDenied", "MultiFactorAuthentication failed")
	in := sts.AssumeRoleInput{RoleArn: aws.String(w.RoleARN()), RoleSessionName: aws.String("s1"), SerialNumber: aws.String("arn:aws:iam::111122223333:mfa/admin"), TokenCode: aws.String("123456")}
	_, err = c.AssumeRole(t.Context(), &in)
	wantAPIError(t, err, "AccessDenied", "MultiFactorAuthentication failed")
	in.SerialNumber, in.TokenCode, in.ProvidedContexts = nil, nil, []ststypes.ProvidedContext{{ProviderArn: aws.String("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: aws.String("assertion")}}
	_, err = c.AssumeRole(t.Context(), &in)
	wantAPIError(t, err, "ValidationError", "context assertion")
}
