package iam

// Permissions boundaries of roles and users (IAMG access_policies_boundaries).
func boundaryOperations() []operation {
	const boundary = "PermissionsBoundary* arnType"
	return []operation{
		{"PutRolePermissionsBoundary", "RoleName* roleNameType, " + boundary, roleTarget, putBoundary, changes},
		{"DeleteRolePermissionsBoundary", "RoleName* roleNameType", roleTarget, deleteBoundary, changes},
		{"PutUserPermissionsBoundary", "UserName* userNameType, " + boundary, userTarget, putBoundary, changes},
		{"DeleteUserPermissionsBoundary", "UserName* userNameType", userTarget, deleteBoundary, changes},
	}
}

// checkBoundary: a boundary is a managed policy that exists; the text is a field report.
func (r *request) checkBoundary(arn string) error {
	if err := checkPolicyARN(arn); err != nil {
		return err
	}
	if r.store.visible(r.data, arn, r.call.Caller.Account) == nil {
		return noSuchEntity("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return nil
}

func putBoundary(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	arn := r.text("PermissionsBoundary")
	if err := r.checkBoundary(arn); err != nil {
		return nil, err
	}
	h.base().Boundary = arn
	return nil, nil
}

// deleteBoundary: that an entity without a boundary is no error is ours.
func deleteBoundary(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	h.base().Boundary = ""
	return nil, nil
}
