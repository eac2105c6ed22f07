package awsup

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// do makes the call of a change of something that is there. What is created is done by create.
func (r *run) do(ctx context.Context, change awsplan.Change) error {
	switch c := change.(type) {
	case awsplan.UpdateAnchor, awsplan.EnableAnchor, awsplan.SetNotifications:
		return r.doAnchor(ctx, change)
	case awsplan.UpdateProfile, awsplan.EnableProfile:
		return r.doProfile(ctx, change)
	case awsplan.SetTags:
		return r.tag(ctx, c)
	case awsplan.SetAlias:
		return r.setAlias(ctx, c)
	}
	return r.doRole(ctx, change)
}

func (r *run) doAnchor(ctx context.Context, change awsplan.Change) (err error) {
	a := r.account
	switch c := change.(type) {
	case awsplan.UpdateAnchor:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.UpdateTrustAnchor, &rolesanywhere.UpdateTrustAnchorInput{TrustAnchorId: &c.ARN, Name: &c.Name, Source: sourceOf(c.Certificates)})
	case awsplan.EnableAnchor:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.EnableTrustAnchor, &rolesanywhere.EnableTrustAnchorInput{TrustAnchorId: &c.ARN})
	case awsplan.SetNotifications:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.PutNotificationSettings, &rolesanywhere.PutNotificationSettingsInput{TrustAnchorId: &c.ARN, NotificationSettings: settingsOf(c.All)})
	}
	return err
}

func (r *run) doProfile(ctx context.Context, change awsplan.Change) (err error) {
	a := r.account
	switch c := change.(type) {
	case awsplan.UpdateProfile:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &c.ARN, Name: &c.Name, RoleArns: c.Roles, DurationSeconds: seconds(c.Duration)})
	case awsplan.EnableProfile:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.EnableProfile, &rolesanywhere.EnableProfileInput{ProfileId: &c.ARN})
	}
	return err
}

func (r *run) doRole(ctx context.Context, change awsplan.Change) (err error) {
	a := r.account
	switch c := change.(type) {
	case awsplan.SetTrust:
		_, err = awsaccount.Call(ctx, a, a.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: &c.Role, PolicyDocument: &c.Document})
	case awsplan.SetMaxSession:
		_, err = awsaccount.Call(ctx, a, a.IAM.UpdateRole, &iam.UpdateRoleInput{RoleName: &c.Role, MaxSessionDuration: seconds(c.Max)})
	case awsplan.SetBoundary:
		_, err = awsaccount.Call(ctx, a, a.IAM.PutRolePermissionsBoundary, &iam.PutRolePermissionsBoundaryInput{RoleName: &c.Role, PermissionsBoundary: &c.ARN})
	case awsplan.AttachPolicy:
		_, err = awsaccount.Call(ctx, a, a.IAM.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: &c.Role, PolicyArn: &c.ARN})
	case awsplan.PutPolicy:
		_, err = awsaccount.Call(ctx, a, a.IAM.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: &c.Role, PolicyName: &c.Policy, PolicyDocument: &c.Document})
	default:
		err = fmt.Errorf("there is no way to do %T", change)
	}
	return err
}

func (r *run) tag(ctx context.Context, c awsplan.SetTags) (err error) {
	a := r.account
	if c.Kind == awsplan.KindRole {
		_, err = awsaccount.Call(ctx, a, a.IAM.TagRole, &iam.TagRoleInput{RoleName: &c.ID, Tags: roleTagsOf(c.Tags)})
		return err
	}
	_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.TagResource, &rolesanywhere.TagResourceInput{ResourceArn: &c.ID, Tags: resourceTagsOf(c.Tags)})
	return err
}

func (r *run) setAlias(ctx context.Context, c awsplan.SetAlias) (err error) {
	a := r.account
	if c.Kind == awsplan.KindAnchor {
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.UpdateTrustAnchor, &rolesanywhere.UpdateTrustAnchorInput{TrustAnchorId: &c.ARN, AliasName: &c.Alias})
		return err
	}
	_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &c.ARN, AliasName: &c.Alias})
	return err
}
