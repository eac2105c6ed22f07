package awsup

import (
	"fmt"

	"kedge/internal/awsplan"
	"kedge/internal/awsrights"
)

// StatusRights are what FindAll needs. Which roles are the CA's is seen in their trust policies, so all are read.
func StatusRights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "ReadObjects", Actions: []string{"rolesanywhere:ListTrustAnchors", "rolesanywhere:ListProfiles", "rolesanywhere:ListCrls", "iam:ListRoles"}, Resources: awsrights.Any()},
		{Sid: "ReadTagsOfObjects", Actions: []string{"rolesanywhere:ListTagsForResource"}, Resources: s.Of("trust-anchor", "profile", "crl")},
		{Sid: "ReadRoles", Actions: []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"}, Resources: s.AnyRole()},
	}
}

// DownRights are what PrepareDown and DoDown need.
func DownRights(s awsrights.Scope) []awsrights.Statement {
	return append(StatusRights(s),
		awsrights.Statement{Sid: "DeleteOwnObjects", Actions: []string{"rolesanywhere:DeleteProfile", "rolesanywhere:DeleteTrustAnchor", "rolesanywhere:DeleteCrl"},
			Resources: s.Of("trust-anchor", "profile", "crl"), Conditions: s.OwnTag(awsplan.KindAnchor, awsplan.KindProfile, awsplan.KindCRL)},
		awsrights.Statement{Sid: "DeleteOwnRoles", Actions: []string{"iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole"}, Resources: s.AnyRole(), Conditions: s.OwnTag(awsplan.KindRole)},
	)
}

// PlanRights are what Prepare needs. Everybody may call sts:GetCallerIdentity (STS API Reference).
func PlanRights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "ReadObjects", Actions: []string{"rolesanywhere:ListTrustAnchors", "rolesanywhere:ListProfiles"}, Resources: awsrights.Any()},
		{Sid: "ReadTagsOfObjects", Actions: []string{"rolesanywhere:ListTagsForResource"}, Resources: s.Of("trust-anchor", "profile")},
		{Sid: "FindRoles", Actions: []string{"iam:GetRole"}, Resources: s.NamedRoleARNs()},
		{Sid: "ReadRoles", Actions: []string{"iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"}, Resources: s.RoleARNs()},
		{Sid: "FindPolicies", Actions: []string{"iam:GetPolicy"}, Resources: s.AnyPolicy()},
	}
}

// RotateRights are what Prepare and Do need for the trust anchor alone.
func RotateRights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "ReadTrustAnchors", Actions: []string{"rolesanywhere:ListTrustAnchors"}, Resources: awsrights.Any()},
		{Sid: "ReadTagsOfTrustAnchors", Actions: []string{"rolesanywhere:ListTagsForResource"}, Resources: s.Of("trust-anchor")},
		{Sid: "ChangeOwnTrustAnchor", Actions: []string{"rolesanywhere:UpdateTrustAnchor", "rolesanywhere:PutNotificationSettings", "rolesanywhere:TagResource"},
			Resources: s.Of("trust-anchor"), Conditions: s.OwnTag(awsplan.KindAnchor)},
	}
}

const service = "rolesanywhere.amazonaws.com"

// UpRights are what Prepare and Do need. The service-linked role is created by the first trust anchor of an account
// (IAM Roles Anywhere User Guide, "Using service-linked roles").
func UpRights(s awsrights.Scope) []awsrights.Statement {
	objects, roles := []awsplan.Kind{awsplan.KindAnchor, awsplan.KindProfile}, s.RoleARNs()
	linked := fmt.Sprintf("arn:%s:iam::%s:role/aws-service-role/%s/AWSServiceRoleForRolesAnywhere", s.Partition, s.Account, service)
	return append(PlanRights(s),
		awsrights.Statement{Sid: "CreateObjects", Actions: []string{"rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile"}, Resources: awsrights.Any(), Conditions: s.GivenTag(objects...)},
		awsrights.Statement{Sid: "TagNewObjects", Actions: []string{"rolesanywhere:TagResource"}, Resources: s.Of("trust-anchor", "profile"), Conditions: s.GivenTag(objects...)},
		awsrights.Statement{Sid: "ChangeOwnObjects", Actions: []string{
			"rolesanywhere:UpdateTrustAnchor", "rolesanywhere:EnableTrustAnchor", "rolesanywhere:PutNotificationSettings", "rolesanywhere:UpdateProfile",
			"rolesanywhere:EnableProfile", "rolesanywhere:TagResource",
		}, Resources: s.Of("trust-anchor", "profile"), Conditions: s.OwnTag(objects...)},
		awsrights.Statement{Sid: "CreateRoles", Actions: []string{"iam:CreateRole", "iam:TagRole"}, Resources: roles, Conditions: s.GivenTag(awsplan.KindRole)},
		awsrights.Statement{Sid: "ChangeOwnRoles", Actions: []string{
			"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:PutRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:TagRole",
		}, Resources: roles, Conditions: s.OwnTag(awsplan.KindRole)},
		awsrights.Statement{Sid: "GiveRolesToProfiles", Actions: []string{"iam:PassRole"}, Resources: roles, Conditions: awsrights.Conditions{"StringEquals": {"iam:PassedToService": {service}}}},
		awsrights.Statement{Sid: "CreateServiceLinkedRole", Actions: []string{"iam:CreateServiceLinkedRole"}, Resources: []string{linked}, Conditions: awsrights.Conditions{"StringEquals": {"iam:AWSServiceName": {service}}}},
	)
}
