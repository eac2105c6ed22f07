package iam

import (
	"strings"

	"kedge/internal/emulator/policy"
)

func roleOperations() []operation {
	return []operation{
		{"CreateRole", "Path pathType, RoleName* roleNameType, AssumeRolePolicyDocument* policyDocumentType, Description roleDescriptionType, MaxSessionDuration roleMaxSessionDurationType, PermissionsBoundary arnType, Tags tagListType", newRoleTarget, createRole, changes},
		{"GetRole", "RoleName* roleNameType", roleTarget, getRole, reads},
		{"UpdateRole", "RoleName* roleNameType, Description roleDescriptionType, MaxSessionDuration roleMaxSessionDurationType", roleTarget, updateRole, changes},
		{"UpdateRoleDescription", "RoleName* roleNameType, Description* roleDescriptionType", roleTarget, updateRoleDescription, changes},
		{"UpdateAssumeRolePolicy", "RoleName* roleNameType, PolicyDocument* policyDocumentType", roleTarget, updateAssumeRolePolicy, changes},
		{"DeleteRole", "RoleName* roleNameType", roleTarget, deleteRole, changes},
		{"ListRoles", "PathPrefix pathPrefixType, Marker markerType, MaxItems maxItemsType", rolesTarget, listRoles, reads},
		{"ListInstanceProfilesForRole", "RoleName* roleNameType, Marker markerType, MaxItems maxItemsType", roleTarget, listInstanceProfiles, reads},
	}
}

// The quotas of an account that is new (IAMG reference_iam-quotas).
const (
	maxRoles = 1000
	maxUsers = 5000
)

// defaultSession is a role's longest session, in seconds, unless it is set (API, CreateRole, MaxSessionDuration).
const defaultSession = 3600

// roleElement is the API's Role. Lists have no boundary, last use and tags (API, ListRoles).
type roleElement struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               string
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int
	PermissionsBoundary      *boundaryOf
	Tags                     *list[Tag]
	RoleLastUsed             *struct{} // of GetRole; empty, as of a role that was not used
}

func listedRole(r *Role) roleElement {
	return roleElement{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, Arn: r.ARN, CreateDate: stamp(r.Created), AssumeRolePolicyDocument: encoded(r.Trust.Text),
		Description: r.Description, MaxSessionDuration: r.MaxSeconds,
	}
}

// roleAnswer is the result of operations that return one role.
type roleAnswer struct{ Role roleElement }

func answerRole(r *Role) roleAnswer {
	e := listedRole(r)
	e.PermissionsBoundary, e.Tags = boundaryElement(r.Boundary), tagElement(r.Tags)
	return roleAnswer{e}
}

func createRole(r *request) (any, error) {
	name, path := r.text("RoleName"), r.or("Path", "/")
	if len(r.account.Roles) >= maxRoles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	if r.account.Roles[folded(name)] != nil {
		return nil, alreadyExists("Role with name %s already exists.", name) // field reports
	}
	trust, err := r.trustPolicy(r.text("AssumeRolePolicyDocument"))
	if err != nil {
		return nil, err
	}
	role := &Role{
		entity: entity{Path: path, Name: name, ID: newID("AROA"), ARN: r.arn(resource(roleKind, path, name)), Created: r.now()},
		Trust:  trust, Description: r.text("Description"), MaxSeconds: r.number("MaxSessionDuration", defaultSession),
	}
	if err := r.equip(&role.entity); err != nil {
		return nil, err
	}
	r.account.Roles[folded(name)] = role
	return answerRole(role), nil
}

// equip gives a new entity the tags and the boundary of the request.
func (r *request) equip(e *entity) error {
	if r.has("PermissionsBoundary") {
		if err := r.checkBoundary(r.text("PermissionsBoundary")); err != nil {
			return err
		}
		e.Boundary = r.text("PermissionsBoundary")
	}
	var err error
	e.Tags, err = addTags(nil, r.tags)
	return err
}

// trustPolicy checks a trust policy as CreateRole and UpdateAssumeRolePolicy do: the size (IAMG
// reference_iam-quotas, ACLSizePerRole), the grammar, and that the principals of known accounts exist.
func (r *request) trustPolicy(text string) (document, error) {
	if size := policy.Trust.Size(text); size > policy.MaxTrustSize {
		return document{}, limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", policy.MaxTrustSize)
	}
	d, err := newDocument(policy.Trust, text)
	if err != nil {
		return document{}, err
	}
	for _, statement := range d.parsed.Statements {
		for _, value := range statement.Principal.Values {
			if name, ok := strings.CutPrefix(value, "AWS:"); ok && r.missing(name) {
				return document{}, malformed(&policy.MalformedError{
					Message: `Invalid principal in policy: "AWS":"` + name + `"`, Why: name + " does not exist",
				})
			}
		}
	}
	return d, nil
}

// missing reports whether a principal is a user or a role that does not exist in an account of this store, or the id of one
// that was deleted (IAMG troubleshoot_policies, "invalid principal"; reference_policies_elements_principal: such an id is to be
// replaced). Accounts that the store does not have count as if all of their principals existed, which is ours.
func (r *request) missing(name string) bool {
	if isID(name) {
		return r.data.arnOf(name) == name
	}
	entity := partOf(name, 5)
	if !strings.HasPrefix(entity, "role/") && !strings.HasPrefix(entity, "user/") {
		return false
	}
	return r.data.accounts[partOf(name, 4)] != nil && r.data.byARN(name) == nil
}

func getRole(r *request) (any, error) {
	role, err := r.account.role(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	answer := answerRole(r.data.shown(role))
	answer.Role.RoleLastUsed = &struct{}{}
	return answer, nil
}

// updateRole: without a duration the role gets the default (API, UpdateRole, MaxSessionDuration); that the
// description stays where it is missing is what Terraform relies on.
func updateRole(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	role.Description, role.MaxSeconds = r.or("Description", role.Description), r.number("MaxSessionDuration", defaultSession)
	return struct{}{}, nil
}

func updateRoleDescription(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	role.Description = r.text("Description")
	return answerRole(r.data.shown(role)), nil
}

func updateAssumeRolePolicy(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	role.Trust, err = r.trustPolicy(r.text("PolicyDocument"))
	return nil, err
}

func deleteRole(r *request) (any, error) {
	role, err := r.account.editRole(r.text("RoleName"))
	if err != nil {
		return nil, err
	}
	if err := role.empty(); err != nil {
		return nil, err
	}
	delete(r.account.Roles, folded(role.Name))
	if role.Configured != "" {
		r.account.bury("role/"+folded(role.Name), role.Configured)
	}
	return nil, nil
}

// empty refuses to delete an entity that still has policies. The texts are field reports.
func (e *entity) empty() error {
	switch {
	case len(e.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

type rolesAnswer struct {
	Roles list[roleElement]
	page
}

func listRoles(r *request) (any, error) {
	var found []roleElement
	for _, key := range sortedKeys(r.account.Roles) {
		if role := r.account.Roles[key]; strings.HasPrefix(role.Path, r.or("PathPrefix", "/")) {
			found = append(found, listedRole(r.data.shown(role)))
		}
	}
	items, p, err := paged(r, found, func(e roleElement) string { return folded(e.RoleName) })
	return rolesAnswer{list[roleElement]{items}, p}, err
}

type instanceProfilesAnswer struct {
	InstanceProfiles list[struct{}]
	page
}

// listInstanceProfiles: there are none here, and Terraform asks before it deletes a role.
func listInstanceProfiles(r *request) (any, error) {
	_, err := r.account.role(r.text("RoleName"))
	return instanceProfilesAnswer{}, err
}
