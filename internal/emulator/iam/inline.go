package iam

import "kedge/internal/emulator/policy"

// Inline policies of roles and of users.
func inlineOperations() []operation {
	const name, text, paging = "PolicyName* policyNameType", "PolicyDocument* policyDocumentType", "Marker markerType, MaxItems maxItemsType"
	const role, user = "RoleName* roleNameType, ", "UserName* existingUserNameType, "
	return []operation{
		{"PutRolePolicy", role + name + ", " + text, roleTarget, putInline, changes},
		{"GetRolePolicy", role + name, roleTarget, getRolePolicy, reads},
		{"DeleteRolePolicy", role + name, roleTarget, deleteInline, changes},
		{"ListRolePolicies", role + paging, roleTarget, listInline, reads},
		{"PutUserPolicy", user + name + ", " + text, userTarget, putInline, changes},
		{"GetUserPolicy", user + name, userTarget, getUserPolicy, reads},
		{"DeleteUserPolicy", user + name, userTarget, deleteInline, changes},
		{"ListUserPolicies", user + paging, userTarget, listInline, reads},
	}
}

// holder returns the role or user that the request names.
func (r *request) holder() (holder, error) {
	if r.has("RoleName") {
		return orNil(r.account.role(r.text("RoleName")))
	}
	return orNil(r.account.user(r.text("UserName")))
}

// editHolder returns a copy of it that can be changed.
func (r *request) editHolder() (holder, error) {
	if r.has("RoleName") {
		return orNil(r.account.editRole(r.text("RoleName")))
	}
	return orNil(r.account.editUser(r.text("UserName")))
}

// orNil makes a holder of a pointer that is nil with an error.
func orNil[H holder](h H, err error) (holder, error) {
	if err != nil {
		return nil, err
	}
	return h, nil
}

// maxInline is how many characters all inline policies of an entity have together (IAMG
// reference_iam-quotas).
func maxInline(kind entityKind) int {
	if kind == roleKind {
		return policy.MaxRoleInlineSize
	}
	return policy.MaxUserInlineSize
}

func putInline(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	d, err := newDocument(policy.Identity, r.text("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	e := h.base()
	if e.Inline == nil {
		e.Inline = map[string]document{}
	}
	e.Inline[r.text("PolicyName")], e.Unlimited = d, false
	size := 0
	for _, d := range e.Inline {
		size += policy.Identity.Size(d.Text)
	}
	if most := maxInline(h.kind()); size > most {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", most, h.kind(), e.Name) // field reports
	}
	return nil, nil
}

// inline returns the text of the policy that the request names.
func (r *request) inline(h holder) (string, error) {
	name := r.text("PolicyName")
	d, ok := h.base().Inline[name]
	if !ok {
		return "", noSuchEntity("The %s policy with name %s cannot be found.", h.kind(), name) // field reports
	}
	return d.Text, nil
}

type rolePolicyAnswer struct{ RoleName, PolicyName, PolicyDocument string }

func getRolePolicy(r *request) (any, error) {
	role, err := r.account.role(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	text, err := r.inline(role)
	return rolePolicyAnswer{role.Name, r.text("PolicyName"), encoded(text)}, err
}

type userPolicyAnswer struct{ UserName, PolicyName, PolicyDocument string }

func getUserPolicy(r *request) (any, error) {
	user, err := r.account.user(r.text("UserName"))
	if err != nil {
		return nil, err
	}
	text, err := r.inline(user)
	return userPolicyAnswer{user.Name, r.text("PolicyName"), encoded(text)}, err
}

func deleteInline(r *request) (any, error) {
	h, err := r.editHolder()
	if err != nil {
		return nil, err
	}
	if _, err := r.inline(h); err != nil {
		return nil, err
	}
	delete(h.base().Inline, r.text("PolicyName"))
	return nil, nil
}

type policyNamesAnswer struct {
	PolicyNames list[string]
	page
}

func listInline(r *request) (any, error) {
	h, err := r.holder()
	if err != nil {
		return nil, err
	}
	items, p, err := paged(r, sortedKeys(h.base().Inline), func(name string) string { return name })
	return policyNamesAnswer{list[string]{items}, p}, err
}
