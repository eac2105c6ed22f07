package iam

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"kedge/internal/emulator/policy"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	arn := policyARN("team/read")
	must(t, s, "CreatePolicy", "PolicyName", "read", "Path", "/team/", "PolicyDocument", testPolicy, "Description", "reads",
		"Tags.member.1.Key", "a", "Tags.member.1.Value", "b").want(t, map[string]string{
		"Policy/Arn": arn, "Policy/DefaultVersionId": "v1", "Policy/AttachmentCount": "0", "Policy/IsAttachable": "true", "Policy/Tags/1/Key": "a",
	})
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	must(t, s, "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	must(t, s, "AttachRolePolicy", "RoleName", "web", "PolicyArn", arn) // again is no error
	must(t, s, "CreateUser", "UserName", "bob")
	must(t, s, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", arn)
	must(t, s, "GetPolicy", "PolicyArn", arn).want(t, map[string]string{
		"Policy/AttachmentCount": "1", "Policy/PermissionsBoundaryUsageCount": "1", "Policy/Description": "reads", "Policy/Path": "/team/",
	})
	must(t, s, "ListAttachedRolePolicies", "RoleName", "web", "PathPrefix", "/team/").want(t, map[string]string{"AttachedPolicies/1/PolicyArn": arn, "AttachedPolicies/1/PolicyName": "read"})
	must(t, s, "ListEntitiesForPolicy", "PolicyArn", arn).want(t, map[string]string{"PolicyRoles/1/RoleName": "web", "PolicyUsers/1/UserName": "bob", "PolicyGroups": ""})
	for _, filter := range [][]string{{"EntityFilter", "User"}, {"PolicyUsageFilter", "PermissionsBoundary"}} {
		if got := must(t, s, "ListEntitiesForPolicy", append([]string{"PolicyArn", arn}, filter...)...); got.has("PolicyRoles/1") || !got.has("PolicyUsers/1") {
			t.Errorf("%v lists %v", filter, got)
		}
	}
	refused(t, s, "DeleteConflict: Cannot delete a policy attached to entities.", "DeletePolicy", "PolicyArn", arn)
	must(t, s, "DetachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	refused(t, s, "NoSuchEntity: Policy "+arn+" was not found.", "DetachRolePolicy", "RoleName", "web", "PolicyArn", arn)
	refused(t, s, "DeleteConflict: Cannot delete a policy attached to entities.", "DeletePolicy", "PolicyArn", arn)
	must(t, s, "DeleteUserPermissionsBoundary", "UserName", "bob")
	must(t, s, "DeletePolicy", "PolicyArn", arn)
	refused(t, s, "NoSuchEntity: Policy "+arn+" was not found.", "GetPolicy", "PolicyArn", arn)
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	arn := policyARN("read")
	must(t, s, "CreatePolicy", "PolicyName", "read", "PolicyDocument", testPolicy)
	must(t, s, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", allowAll, "SetAsDefault", "true").want(t, map[string]string{
		"PolicyVersion/VersionId": "v2", "PolicyVersion/IsDefaultVersion": "true",
	})
	must(t, s, "GetPolicyVersion", "PolicyArn", arn, "VersionId", "v1").want(t, map[string]string{
		"PolicyVersion/Document": strings.ReplaceAll(url.QueryEscape(testPolicy), "+", "%20"), "PolicyVersion/IsDefaultVersion": "false",
	})
	refused(t, s, "DeleteConflict: Cannot delete the default version of a policy.", "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	refused(t, s, "NoSuchEntity: Policy "+arn+" version v3 does not exist or is not attachable.", "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v3")
	refused(t, s, "DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.", "DeletePolicy", "PolicyArn", arn)
	must(t, s, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v1")
	must(t, s, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	for n := 3; n <= 6; n++ {
		must(t, s, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", testPolicy).want(t, map[string]string{"PolicyVersion/VersionId": fmt.Sprint("v", n)})
	}
	refused(t, s, "LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.", "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", testPolicy)
	first := must(t, s, "ListPolicyVersions", "PolicyArn", arn, "MaxItems", "3")
	first.want(t, map[string]string{"Versions/1/VersionId": "v6", "Versions/3/VersionId": "v4", "IsTruncated": "true"})
	must(t, s, "ListPolicyVersions", "PolicyArn", arn, "Marker", first["Marker"]).want(t, map[string]string{"Versions/1/VersionId": "v3", "Versions/2/VersionId": "v1", "IsTruncated": "false"})
}

func TestPolicy_refused(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreatePolicy", "PolicyName", "read", "PolicyDocument", testPolicy)
	aws := awsARN("aws", "IAMReadOnlyAccess")
	long := strings.Replace(testPolicy, "s3:GetObject", "s3:"+strings.Repeat("A", policy.MaxManagedSize), 1)
	unknown := strings.Replace(testPolicy, `"Resource"`, `"Condition":{"StringMatches":{"aws:username":"x"}},"Resource"`, 1)
	tests := []struct {
		name, want, action string
		parameters         []string
	}{
		{"twice", "EntityAlreadyExists: A policy called read already exists. Duplicate names are not allowed.", "CreatePolicy", []string{"PolicyName", "read", "PolicyDocument", testPolicy}},
		{"no ARN", "InvalidInput: ARN " + strings.Repeat("x", 20) + " is not valid.", "GetPolicy", []string{"PolicyArn", strings.Repeat("x", 20)}},
		{"unknown is not attachable", "NoSuchEntity: Policy " + policyARN("gone") + " does not exist or is not attachable.", "AttachUserPolicy", []string{"UserName", "admin", "PolicyArn", policyARN("gone")}},
		{"AWS's own is read-only", "AccessDenied: User: " + userARN("admin") + " is not authorized to perform: iam:DeletePolicy on resource: policy " + aws, "DeletePolicy", []string{"PolicyArn", aws}},
		{"AWS's own has no tags", "AccessDenied: User: " + userARN("admin") + " is not authorized to perform: iam:TagPolicy on resource: policy " + aws, "TagPolicy", []string{"PolicyArn", aws, "Tags.member.1.Key", "a", "Tags.member.1.Value", ""}},
		{"large", "LimitExceeded: Cannot exceed quota for PolicySize: 6144", "CreatePolicy", []string{"PolicyName", "large", "PolicyDocument", long}},
		{"unknown operator", "MalformedPolicyDocument: Syntax errors in policy.", "CreatePolicy", []string{"PolicyName", "db", "PolicyDocument", unknown}},
		{"unknown operator in a role", "MalformedPolicyDocument: Syntax errors in policy.", "PutUserPolicy", []string{"UserName", "admin", "PolicyName", "p", "PolicyDocument", unknown}},
		{"a principal in an identity policy", "MalformedPolicyDocument: Policy document should not specify a principal.", "CreatePolicy", []string{"PolicyName", "db", "PolicyDocument", testTrust}},
		{"scope", "ValidationError: 1 validation error detected: Value 'Mine' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS, Local]", "ListPolicies", []string{"Scope", "Mine"}},
		{"version", "ValidationError: 1 validation error detected: Value '1' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?", "GetPolicyVersion", []string{"PolicyArn", policyARN("read"), "VersionId", "1"}},
		{"unknown inline policy", "NoSuchEntity: The user policy with name p cannot be found.", "GetUserPolicy", []string{"UserName", "admin", "PolicyName", "p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, s, tt.want, tt.action, tt.parameters...)
		})
	}
}

func TestAttach_quota(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	for n := range maxAttached + 1 {
		name := fmt.Sprint("p", n)
		must(t, s, "CreatePolicy", "PolicyName", name, "PolicyDocument", testPolicy)
		if n < maxAttached {
			must(t, s, "AttachRolePolicy", "RoleName", "web", "PolicyArn", policyARN(name))
		}
	}
	refused(t, s, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10", "AttachRolePolicy", "RoleName", "web", "PolicyArn", policyARN("p10"))
	attached := must(t, s, "ListPolicies", "Scope", "Local", "OnlyAttached", "true", "MaxItems", "9")
	if !attached.has("Policies/9") || attached["IsTruncated"] != "true" {
		t.Errorf("ListPolicies: %v", attached)
	}
	if rest := must(t, s, "ListPolicies", "Scope", "Local", "OnlyAttached", "true", "Marker", attached["Marker"]); !rest.has("Policies/1") || rest.has("Policies/2") {
		t.Errorf("the rest: %v", rest)
	}
}

// TestInline_size: all inline policies of an entity count together, without their white space.
func TestInline_size(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	sized := func(n int) string {
		return strings.Replace(testPolicy, "s3:GetObject", "s3:"+strings.Repeat("A", n-len(testPolicy)+len("GetObject")), 1) + strings.Repeat(" ", 100)
	}
	must(t, s, "PutRolePolicy", "RoleName", "web", "PolicyName", "a", "PolicyDocument", sized(5120))
	must(t, s, "PutRolePolicy", "RoleName", "web", "PolicyName", "b", "PolicyDocument", sized(5120))
	must(t, s, "PutRolePolicy", "RoleName", "web", "PolicyName", "b", "PolicyDocument", sized(5120)) // replaces itself
	refused(t, s, "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role web", "PutRolePolicy", "RoleName", "web", "PolicyName", "b", "PolicyDocument", sized(5121))
	refused(t, s, "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user admin", "PutUserPolicy", "UserName", "admin", "PolicyName", "b", "PolicyDocument", sized(2049))
	must(t, s, "ListRolePolicies", "RoleName", "web").want(t, map[string]string{"PolicyNames/1": "a", "PolicyNames/2": "b"})
	must(t, s, "GetRolePolicy", "RoleName", "web", "PolicyName", "a").want(t, map[string]string{"RoleName": "web", "PolicyName": "a"})
}

// TestAWSManaged: each of them is a policy that IAM takes.
func TestAWSManaged(t *testing.T) {
	t.Parallel()
	all := awsManaged()
	if len(all) != 6*len(partitions()) {
		t.Errorf("%d policies", len(all))
	}
	for arn, p := range all {
		if p.ARN != arn || len(p.ID) != 21 || p.current().parsed == nil {
			t.Errorf("%s: %+v", arn, p)
		}
	}
}

// TestPolicy_otherAccount: an account cannot use the policies of another one.
func TestPolicy_otherAccount(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	const other = "arn:aws:iam::222233334444:policy/read"
	put(t, s, Config{Policies: []PolicyConfig{{other, testPolicy}}})
	refused(t, s, "NoSuchEntity: Policy "+other+" was not found.", "GetPolicy", "PolicyArn", other)
	refused(t, s, "NoSuchEntity: Policy "+other+" does not exist or is not attachable.", "AttachUserPolicy", "UserName", "admin", "PolicyArn", other)
}
