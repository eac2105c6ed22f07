package awsup

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// creates reports whether a change makes an object.
func creates(change awsplan.Change) bool {
	switch change.(type) {
	case awsplan.CreateAnchor, awsplan.CreateRole, awsplan.CreateProfile:
		return true
	}
	return false
}

// create makes an object unless it is there: another operator may have made it since the plan. If the answer is lost,
// the object is looked for.
func (r *run) create(ctx context.Context, s *awsplan.Step, change awsplan.Change) error {
	needed, err := r.needed(ctx, s)
	if err != nil || !needed {
		return err
	}
	err = r.request(ctx, change)
	if failed, ok := errors.AsType[*awsaccount.Error](err); !ok || !failed.MayBeDone() {
		return err
	}
	for range looks {
		if sleep := r.account.Sleep(ctx, lookWait); sleep != nil {
			return &LostError{s.Text, err}
		}
		needed, failed := r.needed(ctx, s)
		if failed != nil {
			return failed
		}
		if !needed {
			return nil
		}
	}
	return &LostError{s.Text, err}
}

// request makes the call that creates an object, with its tag.
func (r *run) request(ctx context.Context, change awsplan.Change) error {
	switch c := change.(type) {
	case awsplan.CreateAnchor:
		return r.createAnchor(ctx, c)
	case awsplan.CreateRole:
		return r.createRole(ctx, c)
	case awsplan.CreateProfile:
		return r.createProfile(ctx, c)
	}
	return r.do(ctx, change)
}

func (r *run) createAnchor(ctx context.Context, c awsplan.CreateAnchor) error {
	made, err := awsaccount.Call(ctx, r.account, r.account.RolesAnywhere.CreateTrustAnchor, &rolesanywhere.CreateTrustAnchorInput{
		Name: &c.Name, Source: sourceOf(c.Certificates), Enabled: aws.Bool(true), NotificationSettings: settingsOf(c.Notifications), AliasName: orNil(c.Alias), Tags: resourceTagsOf(c.Tags),
	})
	if err != nil {
		return err
	}
	if made.TrustAnchor == nil { // such as from a proxy
		return &awsaccount.Error{Kind: awsaccount.Unavailable, Operation: "rolesanywhere:CreateTrustAnchor", Detail: "the answer has no trust anchor"}
	}
	found := anchorOf(made.TrustAnchor)
	found.Tags = c.Tags
	r.found.Anchors, r.anchor = append(r.found.Anchors, found), found.ARN
	return nil
}

func (r *run) createRole(ctx context.Context, c awsplan.CreateRole) error {
	_, err := awsaccount.Call(ctx, r.account, r.account.IAM.CreateRole, &iam.CreateRoleInput{
		RoleName: &c.Name, Path: &c.Path, AssumeRolePolicyDocument: &c.Document, MaxSessionDuration: seconds(c.MaxSession),
		PermissionsBoundary: orNil(c.Boundary), Tags: roleTagsOf(c.Tags), Description: aws.String(c.Description()),
	})
	return err
}

func (r *run) createProfile(ctx context.Context, c awsplan.CreateProfile) error {
	_, err := awsaccount.Call(ctx, r.account, r.account.RolesAnywhere.CreateProfile, &rolesanywhere.CreateProfileInput{
		Name: &c.Name, RoleArns: c.Roles, DurationSeconds: seconds(c.Duration), Enabled: aws.Bool(true), AliasName: orNil(c.Alias), Tags: resourceTagsOf(c.Tags),
	})
	return err
}
