package emulator

import (
	"errors"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const (
	accountTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	readPolicy   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	allowAll     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

func (w *stsWorld) iamClient(key, secret, token string) *awsiam.Client {
	return awsiam.New(awsiam.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
	})
}

// admin returns a client of the emulator's administrator.
func (w *stsWorld) admin(t *testing.T) *awsiam.Client {
	t.Helper()
	u := w.Administrator()
	return w.iamClient(u.AccessKeyID, u.SecretAccessKey, "")
}

// TestIAM_terraform sends what Terraform 1.11 with provider aws 5.100 was recorded to send for aws_iam_role,
// aws_iam_role_policy, aws_iam_policy and aws_iam_role_policy_attachment: apply, refresh, change, destroy.
func TestIAM_terraform(t *testing.T) {
	t.Parallel()
	c, ctx, name := newSTSWorld(t).admin(t), t.Context(), aws.String("web")
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := c.CreateRole(ctx, &awsiam.CreateRoleInput{
		RoleName: name, AssumeRolePolicyDocument: aws.String(accountTrust), MaxSessionDuration: aws.Int32(7200),
		Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
	})
	must("CreateRole", err)
	refresh := func() *iamtypes.Role {
		t.Helper()
		role, err := c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
		must("GetRole", err)
		inline, err := c.ListRolePolicies(ctx, &awsiam.ListRolePoliciesInput{RoleName: name})
		must("ListRolePolicies", err)
		for _, policy := range inline.PolicyNames {
			got, err := c.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: name, PolicyName: &policy})
			must("GetRolePolicy", err)
			if text, err := url.PathUnescape(*got.PolicyDocument); text != readPolicy {
				t.Errorf("GetRolePolicy: %v, %s", err, text)
			}
		}
		_, err = c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: name})
		must("ListAttachedRolePolicies", err)
		return role.Role
	}
	role := refresh()
	if text, _ := url.PathUnescape(*role.AssumeRolePolicyDocument); text != accountTrust || len(role.Tags) != 1 || *role.MaxSessionDuration != 7200 || role.CreateDate == nil {
		t.Errorf("GetRole: %+v", role)
	}
	_, err = c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(readPolicy)})
	must("PutRolePolicy", err)
	policy, err := c.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: aws.String("read"), PolicyDocument: aws.String(readPolicy)})
	must("CreatePolicy", err)
	arn := policy.Policy.Arn
	_, err = c.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: arn})
	must("GetPolicy", err)
	version, err := c.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{PolicyArn: arn, VersionId: policy.Policy.DefaultVersionId})
	must("GetPolicyVersion", err)
	if text, _ := url.PathUnescape(*version.PolicyVersion.Document); text != readPolicy || !version.PolicyVersion.IsDefaultVersion {
		t.Errorf("GetPolicyVersion: %+v", version.PolicyVersion)
	}
	_, err = c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn})
	must("AttachRolePolicy", err)
	attached, err := c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: name})
	must("ListAttachedRolePolicies", err)
	if len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyArn != *arn {
		t.Errorf("ListAttachedRolePolicies: %+v", attached.AttachedPolicies)
	}
	_, err = c.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: []iamtypes.Tag{{Key: aws.String("stage"), Value: aws.String("prod")}}})
	must("TagRole", err)
	_, err = c.UntagRole(ctx, &awsiam.UntagRoleInput{RoleName: name, TagKeys: []string{"team"}})
	must("UntagRole", err)
	_, err = c.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(accountTrust)})
	must("UpdateAssumeRolePolicy", err)
	_, err = c.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(3600), Description: aws.String("d")})
	must("UpdateRole", err)
	if role := refresh(); *role.MaxSessionDuration != 3600 || len(role.Tags) != 1 || *role.Tags[0].Key != "stage" || *role.Description != "d" {
		t.Errorf("after the change: %+v", role)
	}
	_, err = c.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: arn})
	must("DetachRolePolicy", err)
	_, err = c.ListPolicyVersions(ctx, &awsiam.ListPolicyVersionsInput{PolicyArn: arn})
	must("ListPolicyVersions", err)
	_, err = c.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	must("DeletePolicy", err)
	_, err = c.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("inline")})
	must("DeleteRolePolicy", err)
	profiles, err := c.ListInstanceProfilesForRole(ctx, &awsiam.ListInstanceProfilesForRoleInput{RoleName: name})
	must("ListInstanceProfilesForRole", err)
	if profiles.InstanceProfiles == nil || len(profiles.InstanceProfiles) > 0 {
		t.Errorf("ListInstanceProfilesForRole: %v", profiles.InstanceProfiles)
	}
	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
	must("DeleteRole", err)
	_, err = c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name})
	if _, ok := errors.AsType[*iamtypes.NoSuchEntityException](err); !ok {
		t.Errorf("GetRole after DeleteRole: %v", err)
	}
}

// TestIAM_assume: a role that a call made is assumed by its trust policy, at most for its longest session.
func TestIAM_assume(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c, name := w.admin(t), aws.String("made")
	made, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: name, Path: aws.String("/x/"), AssumeRolePolicyDocument: aws.String(accountTrust)})
	if err != nil {
		t.Fatal(err)
	}
	assume := func(seconds int32) (*sts.AssumeRoleOutput, error) {
		return w.userClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("me"), DurationSeconds: &seconds})
	}
	out, err := assume(3600)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.AssumedRoleUser.AssumedRoleId, *made.Role.RoleId+":me"; got != want {
		t.Errorf("AssumedRoleId %s, want %s", got, want)
	}
	_, err = assume(3601)
	wantAPIError(t, err, "ValidationError", "exceeds the MaxSessionDuration")
	if _, err := c.UpdateRole(t.Context(), &awsiam.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(7200)}); err != nil {
		t.Fatal(err)
	}
	if _, err := assume(3601); err != nil {
		t.Error(err)
	}
	_, err = c.UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222233334444"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = assume(3600)
	wantAPIError(t, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
	if _, err := c.DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: name}); err != nil {
		t.Fatal(err)
	}
	_, err = assume(3600)
	wantAPIError(t, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
}

// TestIAM_configured: a role of the configuration is changed by calls as any other, in the place of its lists.
func TestIAM_configured(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	role := w.RoleARN()
	assume := func() error {
		_, err := w.userClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("me")})
		return err
	}
	if err := assume(); err != nil {
		t.Fatal(err)
	}
	_, err := w.admin(t).UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("kedge"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	wantAPIError(t, assume(), "AccessDenied", "is not authorized to perform: sts:AssumeRole")
}

// TestIAM_rights: a session calls IAM by the policies of its role, within its session policies.
func TestIAM_rights(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c, name := w.admin(t), aws.String("ops")
	made, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(accountTrust)})
	if err != nil {
		t.Fatal(err)
	}
	list := func(in sts.AssumeRoleInput) error {
		t.Helper()
		in.RoleArn, in.RoleSessionName = made.Role.Arn, aws.String("me")
		out, err := w.userClient().AssumeRole(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		k := out.Credentials
		_, err = w.iamClient(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken).ListRoles(t.Context(), nil)
		return err
	}
	wantAPIError(t, list(sts.AssumeRoleInput{}), "AccessDenied", "User: arn:aws:sts::111122223333:assumed-role/ops/me is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::111122223333:role/ because no identity-based policy allows the iam:ListRoles action")
	if _, err := c.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("all"), PolicyDocument: aws.String(allowAll)}); err != nil {
		t.Fatal(err)
	}
	if err := list(sts.AssumeRoleInput{}); err != nil {
		t.Error(err)
	}
	wantAPIError(t, list(sts.AssumeRoleInput{Policy: aws.String(readPolicy)}), "AccessDenied", "because no session policy allows the iam:ListRoles action")
	for arn, allowed := range map[string]bool{"arn:aws:iam::aws:policy/IAMReadOnlyAccess": true, "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess": false} {
		if err := list(sts.AssumeRoleInput{PolicyArns: []ststypes.PolicyDescriptorType{{Arn: &arn}}}); (err == nil) != allowed {
			t.Errorf("%s: %v", arn, err)
		}
	}
	wantAPIError(t, func() error { _, err := w.iamUser().ListRoles(t.Context(), nil); return err }(), "AccessDenied", "because no identity-based policy allows")
}

func (w *stsWorld) iamUser() *awsiam.Client {
	return w.iamClient("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
}

// TestIAM_keys: a key that a call made signs requests until it is inactive.
func TestIAM_keys(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c, name := w.admin(t), aws.String("bob")
	if _, err := c.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	made, err := c.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	k := made.AccessKey
	identity := func() (string, error) {
		out, err := w.client(*k.AccessKeyId, *k.SecretAccessKey, "").GetCallerIdentity(t.Context(), nil)
		if err != nil {
			return "", err
		}
		return *out.Arn, nil
	}
	if arn, err := identity(); arn != "arn:aws:iam::111122223333:user/bob" {
		t.Errorf("%s, %v", arn, err)
	}
	if _, err := c.UpdateAccessKey(t.Context(), &awsiam.UpdateAccessKeyInput{UserName: name, AccessKeyId: k.AccessKeyId, Status: iamtypes.StatusTypeInactive}); err != nil {
		t.Fatal(err)
	}
	_, err = identity()
	wantAPIError(t, err, "InvalidClientTokenId", "is invalid")
}

// TestIAM_signature: IAM's requests are signed for iam, those of STS for sts.
func TestIAM_signature(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	_, err := w.iamClient("AKIAIOSFODNN7EXAMPLE", "wrong", "").ListRoles(t.Context(), nil)
	wantAPIError(t, err, "SignatureDoesNotMatch", "does not match")
	_, err = w.iamClient("AKIAIOSFODNN7EXAMPLF", "wrong", "").ListRoles(t.Context(), nil)
	wantAPIError(t, err, "InvalidClientTokenId", "is invalid")
}

// TestIAM_resources: the operations of IAM Roles Anywhere are allowed by the policies of the caller as well.
func TestIAM_resources(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c, name := w.admin(t), aws.String("bob")
	if _, err := c.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	key, err := c.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	bob := ra.New(ra.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""),
	})
	profile := w.ProfileARN()
	get := func() error {
		_, err := bob.GetProfile(t.Context(), &ra.GetProfileInput{ProfileId: &profile})
		return err
	}
	allow := func(resource string) {
		t.Helper()
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rolesanywhere:Get*","Resource":"` + resource + `","Condition":{"StringEquals":{"aws:username":"bob"}}}]}`
		if _, err := c.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: &document}); err != nil {
			t.Fatal(err)
		}
	}
	const refused = "is not authorized to perform: rolesanywhere:GetProfile on resource: "
	wantAPIError(t, get(), "AccessDeniedException", refused+profile+" because no identity-based policy allows the rolesanywhere:GetProfile action")
	allow(profile)
	if err := get(); err != nil {
		t.Error(err)
	}
	allow(profile[:len(profile)-1] + "9")
	wantAPIError(t, get(), "AccessDeniedException", refused+profile)
}

// TestIAM_caller: a role or user with policies may assume only the roles that its policies, or the roles' trust
// policies by its name, allow.
func TestIAM_caller(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c := w.admin(t)
	made, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String("made"), AssumeRolePolicyDocument: aws.String(accountTrust)})
	if err != nil {
		t.Fatal(err)
	}
	assume := func() error {
		_, err := w.userClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("me")})
		return err
	}
	put := func(document string) {
		t.Helper()
		if _, err := c.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p"), PolicyDocument: &document}); err != nil {
			t.Fatal(err)
		}
	}
	if err := assume(); err != nil {
		t.Errorf("a user of the configuration without policies: %v", err)
	}
	put(readPolicy)
	wantAPIError(t, assume(), "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: "+*made.Role.Arn+" because no identity-based policy allows the sts:AssumeRole action")
	put(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + *made.Role.Arn + `"}]}`)
	if err := assume(); err != nil {
		t.Error(err)
	}
}
