package iam

import (
	"slices"
	"strings"
)

// Managed policies that are attached to roles and users.
func attachOperations() []operation {
	const arn, list = "PolicyArn* arnType", "PathPrefix policyPathType, Marker markerType, MaxItems maxItemsType"
	return []operation{
		{"AttachRolePolicy", "RoleName* roleNameType, " + arn, roleTarget, attach, changes},
		{"DetachRolePolicy", "RoleName* roleNameType, " + arn, roleTarget, detach, changes},
		{"ListAttachedRolePolicies", "RoleName* roleNameType, " + list, roleTarget, listAttached, reads},
		{"AttachUserPolicy", "UserName* userNameType, " + arn, userTarget, attach, changes},
		{"DetachUserPolicy", "UserName* userNameType, " + arn, userTarget, detach, changes},
		{"ListAttachedUserPolicies", "UserName* userNameType, " + list, userTarget, listAttached, reads},
		{"ListEntitiesForPolicy", "PolicyArn* arnType, EntityFilter EntityType, PathPrefix pathType, PolicyUsageFilter PolicyUsageType, Marker markerType, MaxItems maxItemsType", policyTarget, listEntities, reads},
	}
}

// maxAttached is how many managed policies an entity has (IAMG reference_iam-quotas).
const maxAttached = 10

func attach(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	arn := r.text("PolicyArn")
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	if r.store.visible(r.data, arn, r.call.Caller.Account) == nil {
		return nil, noSuchEntity("Policy %s does not exist or is not attachable.", arn) // field reports
	}
	e := h.base()
	if slices.Contains(e.Attached, arn) {
		return nil, nil // API, AttachRolePolicy: it has no error for that
	}
	if len(e.Attached) >= maxAttached {
		quota := map[entityKind]string{roleKind: "PoliciesPerRole", userKind: "PoliciesPerUser"}[h.kind()]
		return nil, limitExceeded("Cannot exceed quota for %s: %d", quota, maxAttached) // field reports
	}
	e.Attached, e.Unlimited = append(e.Attached, arn), false
	slices.Sort(e.Attached)
	return nil, nil
}

func detach(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	arn := r.text("PolicyArn")
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	e := h.base()
	if !slices.Contains(e.Attached, arn) {
		return nil, noSuchEntity("Policy %s was not found.", arn) // field reports
	}
	e.Attached = slices.DeleteFunc(e.Attached, func(a string) bool { return a == arn })
	return nil, nil
}

type attachedPolicy struct{ PolicyName, PolicyArn string }

type attachedAnswer struct {
	AttachedPolicies list[attachedPolicy]
	page
}

func listAttached(r *request) (any, error) {
	h, err := r.holder()
	if err != nil {
		return nil, err
	}
	var found []attachedPolicy
	for _, arn := range h.base().Attached {
		if strings.HasPrefix(pathIn(arn), r.or("PathPrefix", "/")) {
			found = append(found, attachedPolicy{nameOf(arn), arn})
		}
	}
	items, p, err := paged(r, found, func(a attachedPolicy) string { return a.PolicyArn })
	return attachedAnswer{list[attachedPolicy]{items}, p}, err
}

// pathIn returns the path in the ARN of a managed policy: "/" or "/team/".
func pathIn(arn string) string {
	resource := strings.TrimPrefix(partOf(arn, 5), "policy")
	return resource[:strings.LastIndexByte(resource, '/')+1]
}

type policyRole struct {
	RoleName string
	RoleID   string `xml:"RoleId"`
}

type policyUser struct {
	UserName string
	UserID   string `xml:"UserId"`
}

type entitiesAnswer struct {
	PolicyGroups list[struct{}]
	PolicyUsers  list[policyUser]
	PolicyRoles  list[policyRole]
	page
}

// listEntities: a page has users and roles together (API, ListEntitiesForPolicy). That roles come first is
// ours.
func listEntities(r *request) (any, error) {
	p, err := r.findPolicy()
	if err != nil {
		return nil, err
	}
	var found []holder
	for _, h := range r.account.holders() {
		if r.selects(h, p.ARN) {
			found = append(found, h)
		}
	}
	items, page, err := paged(r, found, func(h holder) string { return string(h.kind()) + "/" + folded(h.base().Name) })
	answer := entitiesAnswer{page: page}
	for _, h := range items {
		e := h.base()
		if h.kind() == roleKind {
			answer.PolicyRoles.Members = append(answer.PolicyRoles.Members, policyRole{e.Name, e.ID})
		} else {
			answer.PolicyUsers.Members = append(answer.PolicyUsers.Members, policyUser{e.Name, e.ID})
		}
	}
	return answer, err
}

// selects reports whether ListEntitiesForPolicy lists an entity.
func (r *request) selects(h holder, arn string) bool {
	e := h.base()
	attached, boundary := slices.Contains(e.Attached, arn), e.Boundary == arn
	switch r.text("PolicyUsageFilter") {
	case "PermissionsPolicy":
		boundary = false
	case "PermissionsBoundary":
		attached = false
	}
	kind := map[entityKind]string{roleKind: "Role", userKind: "User"}[h.kind()]
	return (attached || boundary) && r.or("EntityFilter", kind) == kind && strings.HasPrefix(e.Path, r.or("PathPrefix", "/"))
}
