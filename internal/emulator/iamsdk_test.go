package emulator

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"kedge/internal/emulator/iam"
)

// TestIAM_sdk calls each operation with the SDK for Go. What the answers have is tested in package iam, with the snapshots of the SDK.
func TestIAM_sdk(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	c := w.admin(t)
	ctx := t.Context()
	name, user, inline := aws.String("go"), aws.String("gopher"), aws.String("inline")
	document, trust := aws.String(readPolicy), aws.String(accountTrust)
	full := aws.String("arn:aws:iam::aws:policy/IAMFullAccess")
	tags := []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	keys := []string{"a"}
	own := aws.String("arn:aws:iam::111122223333:policy/go")
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	do(c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: trust}))
	do(c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: name}))
	do(c.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: name}))
	do(c.UpdateRoleDescription(ctx, &awsiam.UpdateRoleDescriptionInput{RoleName: name, Description: aws.String("d")}))
	do(c.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: trust}))
	do(c.ListRoles(ctx, &awsiam.ListRolesInput{}))
	do(c.ListInstanceProfilesForRole(ctx, &awsiam.ListInstanceProfilesForRoleInput{RoleName: name}))
	do(c.CreateServiceLinkedRole(ctx, &awsiam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("rolesanywhere.amazonaws.com")}))
	do(c.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: tags}))
	do(c.ListRoleTags(ctx, &awsiam.ListRoleTagsInput{RoleName: name}))
	do(c.UntagRole(ctx, &awsiam.UntagRoleInput{RoleName: name, TagKeys: keys}))
	do(c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: inline, PolicyDocument: document}))
	do(c.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: name, PolicyName: inline}))
	do(c.ListRolePolicies(ctx, &awsiam.ListRolePoliciesInput{RoleName: name}))
	do(c.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: inline}))
	do(c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: full}))
	do(c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: name}))
	do(c.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: full}))
	do(c.PutRolePermissionsBoundary(ctx, &awsiam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: full}))
	do(c.DeleteRolePermissionsBoundary(ctx, &awsiam.DeleteRolePermissionsBoundaryInput{RoleName: name}))
	do(c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name}))

	do(c.CreateUser(ctx, &awsiam.CreateUserInput{UserName: user}))
	do(c.GetUser(ctx, &awsiam.GetUserInput{UserName: user}))
	do(c.ListUsers(ctx, &awsiam.ListUsersInput{}))
	do(c.TagUser(ctx, &awsiam.TagUserInput{UserName: user, Tags: tags}))
	do(c.ListUserTags(ctx, &awsiam.ListUserTagsInput{UserName: user}))
	do(c.UntagUser(ctx, &awsiam.UntagUserInput{UserName: user, TagKeys: keys}))
	do(c.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: user, PolicyName: inline, PolicyDocument: document}))
	do(c.GetUserPolicy(ctx, &awsiam.GetUserPolicyInput{UserName: user, PolicyName: inline}))
	do(c.ListUserPolicies(ctx, &awsiam.ListUserPoliciesInput{UserName: user}))
	do(c.DeleteUserPolicy(ctx, &awsiam.DeleteUserPolicyInput{UserName: user, PolicyName: inline}))
	do(c.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: user, PolicyArn: full}))
	do(c.ListAttachedUserPolicies(ctx, &awsiam.ListAttachedUserPoliciesInput{UserName: user}))
	do(c.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{UserName: user, PolicyArn: full}))
	do(c.PutUserPermissionsBoundary(ctx, &awsiam.PutUserPermissionsBoundaryInput{UserName: user, PermissionsBoundary: full}))
	do(c.DeleteUserPermissionsBoundary(ctx, &awsiam.DeleteUserPermissionsBoundaryInput{UserName: user}))
	key, err := c.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		t.Fatal(err)
	}
	do(c.UpdateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{UserName: user, AccessKeyId: key.AccessKey.AccessKeyId, Status: iamtypes.StatusTypeInactive}))
	do(c.ListAccessKeys(ctx, &awsiam.ListAccessKeysInput{UserName: user}))
	do(c.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: user, AccessKeyId: key.AccessKey.AccessKeyId}))
	do(c.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: user}))

	do(c.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: name, PolicyDocument: document}))
	do(c.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: own}))
	do(c.ListPolicies(ctx, &awsiam.ListPoliciesInput{}))
	do(c.CreatePolicyVersion(ctx, &awsiam.CreatePolicyVersionInput{PolicyArn: own, PolicyDocument: document}))
	do(c.ListPolicyVersions(ctx, &awsiam.ListPolicyVersionsInput{PolicyArn: own}))
	do(c.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{PolicyArn: own, VersionId: aws.String("v2")}))
	do(c.SetDefaultPolicyVersion(ctx, &awsiam.SetDefaultPolicyVersionInput{PolicyArn: own, VersionId: aws.String("v2")}))
	do(c.DeletePolicyVersion(ctx, &awsiam.DeletePolicyVersionInput{PolicyArn: own, VersionId: aws.String("v1")}))
	do(c.TagPolicy(ctx, &awsiam.TagPolicyInput{PolicyArn: own, Tags: tags}))
	do(c.ListPolicyTags(ctx, &awsiam.ListPolicyTagsInput{PolicyArn: own}))
	do(c.UntagPolicy(ctx, &awsiam.UntagPolicyInput{PolicyArn: own, TagKeys: keys}))
	do(c.ListEntitiesForPolicy(ctx, &awsiam.ListEntitiesForPolicyInput{PolicyArn: own}))
	do(c.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: own}))
	w.checkCalled(t, iam.Operations(), iam.Operations())
}
