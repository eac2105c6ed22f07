package iam

import (
	"strings"

	"kedge/internal/emulator/policy"
)

func serviceLinkedOperations() []operation {
	return []operation{
		{"CreateServiceLinkedRole", "AWSServiceName* groupNameType, Description roleDescriptionType, CustomSuffix customSuffixType", serviceLinkedTarget, createServiceLinked, changes},
	}
}

// The service-linked role of Roles Anywhere (IAM Roles Anywhere User Guide, "Using service-linked roles"). The
// names of other services' roles follow no rule, so this is the only one here.
const (
	rolesAnywhere     = "rolesanywhere.amazonaws.com"
	rolesAnywhereRole = "AWSServiceRoleForRolesAnywhere"
	serviceLinkedPath = "/aws-service-role/" + rolesAnywhere + "/"
)

func createServiceLinked(r *request) (any, error) {
	service := r.text("AWSServiceName")
	switch {
	case service != rolesAnywhere:
		e := invalidInput("Service role for %s cannot be created.", service) // ours
		e.Why = "the emulator has the service-linked role of " + rolesAnywhere + " only"
		return nil, e
	case r.has("CustomSuffix"):
		return nil, invalidInput("Custom suffix is not allowed for %s", service) // field reports
	case r.account.Roles[folded(rolesAnywhereRole)] != nil:
		return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", rolesAnywhereRole) // field reports
	}
	trust, err := newDocument(policy.Trust, strings.ReplaceAll(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"SERVICE"},"Action":"sts:AssumeRole"}]}`, "SERVICE", service))
	if err != nil {
		return nil, err
	}
	role := &Role{
		entity: entity{
			Path: serviceLinkedPath, Name: rolesAnywhereRole, ID: newID("AROA"), Created: r.now(),
			ARN:      r.arn(resource(roleKind, serviceLinkedPath, rolesAnywhereRole)),
			Attached: []string{awsARN(r.call.Caller.partition(), "aws-service-role/AWSRolesAnywhereServicePolicy")},
		},
		Trust: trust, Description: r.text("Description"), MaxSeconds: defaultSession, ServiceLinked: service,
	}
	r.account.Roles[folded(role.Name)] = role
	return answerRole(role), nil
}
