package iam

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestRole(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	created := must(t, s, "CreateRole", "RoleName", "web", "Path", "/hosts/", "AssumeRolePolicyDocument", testTrust,
		"Description", "a host", "MaxSessionDuration", "7200", "Tags.member.1.Key", "team", "Tags.member.1.Value", "web")
	created.want(t, map[string]string{
		"Role/Path": "/hosts/", "Role/RoleName": "web", "Role/Arn": roleARN("hosts/web"), "Role/CreateDate": "2026-11-30T12:00:00Z",
		"Role/AssumeRolePolicyDocument": strings.ReplaceAll(url.QueryEscape(testTrust), "+", "%20"),
		"Role/Tags/1/Key":               "team", "Role/Tags/1/Value": "web",
	})
	if id := created["Role/RoleId"]; !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(id) {
		t.Errorf("RoleId %s", id)
	}
	must(t, s, "GetRole", "RoleName", "web").want(t, map[string]string{
		"Role/Description": "a host", "Role/MaxSessionDuration": "7200", "Role/RoleId": created["Role/RoleId"], "Role/Tags/1/Value": "web",
	})
	must(t, s, "UpdateRole", "RoleName", "web", "MaxSessionDuration", "5400")
	must(t, s, "GetRole", "RoleName", "web").want(t, map[string]string{"Role/MaxSessionDuration": "5400", "Role/Description": "a host"})
	must(t, s, "UpdateRole", "RoleName", "web")
	must(t, s, "UpdateRoleDescription", "RoleName", "web", "Description", "")
	changed := must(t, s, "GetRole", "RoleName", "web")
	changed.want(t, map[string]string{"Role/MaxSessionDuration": "3600"})
	if changed.has("Role/Description") {
		t.Error("the description is still there")
	}
	trust := strings.Replace(testTrust, "rolesanywhere", "ec2", 1)
	must(t, s, "UpdateAssumeRolePolicy", "RoleName", "web", "PolicyDocument", trust)
	if _, text := s.Role(roleARN("hosts/web")).TrustPolicy(); text != trust {
		t.Errorf("trust policy %s", text)
	}
	must(t, s, "ListInstanceProfilesForRole", "RoleName", "web").want(t, map[string]string{"InstanceProfiles": "", "IsTruncated": "false"})
	must(t, s, "DeleteRole", "RoleName", "web")
	if s.Role(roleARN("hosts/web")) != nil {
		t.Error("the role is still there")
	}
}

func TestRole_refused(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	long := strings.Repeat("a", 65)
	const one = "ValidationError: 1 validation error detected: "
	tests := []struct {
		name, want, action string
		parameters         []string
	}{
		{"twice", "EntityAlreadyExists: Role with name web already exists.", "CreateRole", []string{"RoleName", "web", "AssumeRolePolicyDocument", testTrust}},
		{"twice in another case", "EntityAlreadyExists: Role with name WEB already exists.", "CreateRole", []string{"RoleName", "WEB", "AssumeRolePolicyDocument", testTrust}},
		{"unknown", "NoSuchEntity: The role with name db cannot be found.", "GetRole", []string{"RoleName", "db"}},
		{"no name", one + "Value null at 'roleName' failed to satisfy constraint: Member must not be null", "GetRole", nil},
		{"no name, no policy", "ValidationError: 2 validation errors detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null; Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null", "CreateRole", nil},
		{"long name", one + "Value '" + long + "' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64", "GetRole", []string{"RoleName", long}},
		{"blank in the name", "ValidationError: The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", "GetRole", []string{"RoleName", "a b"}},
		{"path", "ValidationError: The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", "CreateRole", []string{"RoleName", "db", "Path", "hosts", "AssumeRolePolicyDocument", testTrust}},
		{"short session", one + "Value '3599' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600", "UpdateRole", []string{"RoleName", "web", "MaxSessionDuration", "3599"}},
		{"long session", one + "Value '43201' at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200", "UpdateRole", []string{"RoleName", "web", "MaxSessionDuration", "43201"}},
		{"no JSON", "MalformedPolicyDocument: This policy contains invalid Json", "UpdateAssumeRolePolicy", []string{"RoleName", "web", "PolicyDocument", "x"}},
		{"unknown principal", `MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/gone"`, "UpdateAssumeRolePolicy", []string{"RoleName", "web", "PolicyDocument", strings.Replace(testTrust, `"Service":"rolesanywhere.amazonaws.com"`, `"AWS":"arn:aws:iam::111122223333:role/gone"`, 1)}},
		{"large trust policy", "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048", "UpdateAssumeRolePolicy", []string{"RoleName", "web", "PolicyDocument", strings.Replace(testTrust, "sts:AssumeRole", "sts:"+strings.Repeat("A", 2048), 1)}},
		{"unknown boundary", "NoSuchEntity: Scope ARN: arn:aws:iam::111122223333:policy/gone does not exist or is not attachable.", "CreateRole", []string{"RoleName", "db", "AssumeRolePolicyDocument", testTrust, "PermissionsBoundary", policyARN("gone")}},
		{"tag twice", "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.", "TagRole", []string{"RoleName", "web", "Tags.member.1.Key", "a", "Tags.member.1.Value", "", "Tags.member.2.Key", "A", "Tags.member.2.Value", ""}},
		{"tag without a value", one + "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null", "TagRole", []string{"RoleName", "web", "Tags.member.1.Key", "a"}},
		{"gap in the tags", "MalformedInput: The list Tags has a gap or an unknown member", "TagRole", []string{"RoleName", "web", "Tags.member.2.Key", "a", "Tags.member.2.Value", ""}},
		{"no tags", one + "Value null at 'tags' failed to satisfy constraint: Member must not be null", "TagRole", []string{"RoleName", "web"}},
		{"unknown operation", "InvalidAction: Could not find operation CreateGroup for version 2010-05-08", "CreateGroup", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, s, tt.want, tt.action, tt.parameters...)
		})
	}
}

// TestRole_refusedKeepsNothing: a call that fails half-way leaves the store as it was.
func TestRole_refusedKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	before := s.current.Load()
	refused(t, s, "InvalidInput: Tag key aws:x is reserved.", "CreateRole", "RoleName", "db", "AssumeRolePolicyDocument", testTrust,
		"Tags.member.1.Key", "aws:x", "Tags.member.1.Value", "")
	if s.current.Load() != before {
		t.Error("the store changed")
	}
}

func TestDeleteRole_conflict(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	must(t, s, "PutRolePolicy", "RoleName", "web", "PolicyName", "inline", "PolicyDocument", testPolicy)
	must(t, s, "AttachRolePolicy", "RoleName", "web", "PolicyArn", awsARN("aws", "IAMReadOnlyAccess"))
	refused(t, s, "DeleteConflict: Cannot delete entity, must detach all policies first.", "DeleteRole", "RoleName", "web")
	must(t, s, "DetachRolePolicy", "RoleName", "web", "PolicyArn", awsARN("aws", "IAMReadOnlyAccess"))
	refused(t, s, "DeleteConflict: Cannot delete entity, must delete policies first.", "DeleteRole", "RoleName", "web")
	must(t, s, "DeleteRolePolicy", "RoleName", "web", "PolicyName", "inline")
	must(t, s, "DeleteRole", "RoleName", "web")
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	must(t, s, "TagRole", "RoleName", "web", "Tags.member.1.Key", "b", "Tags.member.1.Value", "1", "Tags.member.2.Key", "a", "Tags.member.2.Value", "2")
	must(t, s, "TagRole", "RoleName", "web", "Tags.member.1.Key", "B", "Tags.member.1.Value", "3")
	got := must(t, s, "ListRoleTags", "RoleName", "web")
	got.want(t, map[string]string{"Tags/1/Key": "B", "Tags/1/Value": "3", "Tags/2/Key": "a", "IsTruncated": "false"})
	must(t, s, "UntagRole", "RoleName", "web", "TagKeys.member.1", "b", "TagKeys.member.2", "none")
	if got := must(t, s, "ListRoleTags", "RoleName", "web"); got["Tags/1/Key"] != "a" || got.has("Tags/2") {
		t.Errorf("after UntagRole: %v", got)
	}
	for n := range maxTags - 1 { // together with the one that is left
		must(t, s, "TagRole", "RoleName", "web", "Tags.member.1.Key", strings.Repeat("n", n+1), "Tags.member.1.Value", "")
	}
	refused(t, s, "LimitExceeded: The number of tags has reached the maximum limit.", "TagRole", "RoleName", "web", "Tags.member.1.Key", "z", "Tags.member.1.Value", "")
}

func TestServiceLinkedRole(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateServiceLinkedRole", "AWSServiceName", rolesAnywhere).want(t, map[string]string{
		"Role/Arn": roleARN("aws-service-role/rolesanywhere.amazonaws.com/AWSServiceRoleForRolesAnywhere"),
	})
	must(t, s, "ListAttachedRolePolicies", "RoleName", rolesAnywhereRole).want(t, map[string]string{"AttachedPolicies/1/PolicyName": "AWSRolesAnywhereServicePolicy"})
	refused(t, s, "InvalidInput: Service role name AWSServiceRoleForRolesAnywhere has been taken in this account, please try a different suffix.", "CreateServiceLinkedRole", "AWSServiceName", rolesAnywhere)
	for _, call := range [][]string{
		{"DeleteRole"}, {"PutRolePolicy", "PolicyName", "x", "PolicyDocument", testPolicy}, {"UpdateAssumeRolePolicy", "PolicyDocument", testTrust},
		{"AttachRolePolicy", "PolicyArn", awsARN("aws", "IAMFullAccess")}, {"UpdateRole", "Description", "x"},
	} {
		refused(t, s, "UnmodifiableEntity: Cannot perform the operation on the protected role 'AWSServiceRoleForRolesAnywhere' - this role is only modifiable by AWS",
			call[0], append([]string{"RoleName", rolesAnywhereRole}, call[1:]...)...)
	}
}

func TestListRoles_pages(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for _, name := range []string{"e", "a", "D", "b", "c"} {
		path := "/x/"
		if name == "b" {
			path = "/y/"
		}
		must(t, s, "CreateRole", "RoleName", name, "Path", path, "AssumeRolePolicyDocument", testTrust)
	}
	var names []string
	marker := []string{}
	for {
		got := must(t, s, "ListRoles", append([]string{"PathPrefix", "/x", "MaxItems", "3"}, marker...)...)
		for _, path := range []string{"Roles/1/RoleName", "Roles/2/RoleName", "Roles/3/RoleName"} {
			if got.has(path) {
				names = append(names, got[path])
			}
		}
		if got["IsTruncated"] != "true" {
			break
		}
		marker = []string{"Marker", got["Marker"]}
		must(t, s, "DeleteRole", "RoleName", names[0]) // nothing is left out or listed twice for that
	}
	if got := strings.Join(names, " "); got != "a c D e" {
		t.Errorf("roles %s", got)
	}
	refused(t, s, "ValidationError: Invalid Marker.", "ListRoles", "Marker", "!")
	if got := must(t, s, "ListRoles", "PathPrefix", "/none"); !got.has("Roles") || got.has("Roles/1") {
		t.Errorf("no roles: %v", got)
	}
}
