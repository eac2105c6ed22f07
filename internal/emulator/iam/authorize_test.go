package iam

import (
	"errors"
	"strings"
	"testing"

	"kedge/internal/emulator/policy"
)

// statement is a policy with one statement.
func statement(effect, action, rest string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `",` + rest + `}]}`
}

const everywhere = `"Resource":"*"`

// TestAuthorize: what is allowed is the intersection of identity policies, boundary and session policies.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	const call = "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: iam:GetRole on resource: role web"
	getRole := statement("Allow", "iam:GetRole", everywhere)
	tests := []struct {
		name, inline, boundary, session, want string
	}{
		{"nothing", "", "", "", "AccessDenied: " + call + " because no identity-based policy allows the iam:GetRole action"},
		{"allowed", getRole, "", "", ""},
		{"another action", statement("Allow", "iam:GetUser", everywhere), "", "", "AccessDenied: " + call + " because no identity-based policy allows the iam:GetRole action"},
		{"this role", statement("Allow", "iam:Get*", `"Resource":"arn:aws:iam::111122223333:role/hosts/web"`), "", "", ""},
		{"another path", statement("Allow", "iam:Get*", `"Resource":"arn:aws:iam::111122223333:role/web"`), "", "", "AccessDenied: " + call + " because no identity-based policy allows the iam:GetRole action"},
		{"by its tag", statement("Allow", "iam:GetRole", `"Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"web"}}`), "", "", ""},
		{"by another tag", statement("Allow", "iam:GetRole", `"Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"db"}}`), "", "", "AccessDenied: " + call + " because no identity-based policy allows the iam:GetRole action"},
		{"denied", strings.Replace(allowAll, "[", `[{"Effect":"Deny","Action":"iam:GetRole","Resource":"*"},`, 1), "", "", "AccessDenied: " + call + " with an explicit deny in an identity-based policy"},
		{"within the boundary", getRole, allowAll, "", ""},
		{"outside of the boundary", getRole, testPolicy, "", "AccessDenied: " + call + " because no permissions boundary allows the iam:GetRole action"},
		{"only in the boundary", testPolicy, getRole, "", "AccessDenied: " + call + " because no identity-based policy allows the iam:GetRole action"},
		{"within the session policy", allowAll, "", getRole, ""},
		{"outside of the session policy", getRole, "", testPolicy, "AccessDenied: " + call + " because no session policy allows the iam:GetRole action"},
		{"denied in the session policy", getRole, "", statement("Deny", "*", everywhere), "AccessDenied: " + call + " with an explicit deny in a session policy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			must(t, s, "CreateRole", "RoleName", "web", "Path", "/hosts/", "AssumeRolePolicyDocument", testTrust, "Tags.member.1.Key", "team", "Tags.member.1.Value", "web")
			must(t, s, "CreateUser", "UserName", "bob")
			if tt.inline != "" {
				must(t, s, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", tt.inline)
			}
			if tt.boundary != "" {
				must(t, s, "CreatePolicy", "PolicyName", "boundary", "PolicyDocument", tt.boundary)
				must(t, s, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", policyARN("boundary"))
			}
			bob := Caller{ARN: userARN("bob"), Account: testAccount}
			if tt.session != "" {
				bob.Session = []*policy.Document{parsed(t, tt.session)}
			}
			_, err := do(s, bob, "GetRole", "RoleName", "web")
			if tt.want == "" && err != nil {
				t.Errorf("error %v", err)
			} else if tt.want != "" {
				wantError(t, err, tt.want)
			}
		})
	}
}

func parsed(t *testing.T, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse(policy.Identity, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAuthorize_keys: the conditions of each operation see what the request is about.
func TestAuthorize_keys(t *testing.T) {
	t.Parallel()
	readOnly := awsARN("aws", "IAMReadOnlyAccess")
	role := []string{"RoleName", "db", "AssumeRolePolicyDocument", testTrust}
	tagged := append(role[:len(role):len(role)], "Tags.member.1.Key", "team", "Tags.member.1.Value", "db")
	tests := []struct {
		name, action, condition string
		parameters              []string
		allowed                 bool
	}{
		{"policy", "AttachRolePolicy", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`, []string{"RoleName", "web", "PolicyArn", readOnly}, true},
		{"another policy", "AttachRolePolicy", `"ArnEquals":{"iam:PolicyARN":"` + readOnly + `"}`, []string{"RoleName", "web", "PolicyArn", awsARN("aws", "IAMFullAccess")}, false},
		{"boundary", "CreateRole", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`, append(role[:len(role):len(role)], "PermissionsBoundary", readOnly), true},
		{"no boundary", "CreateRole", `"StringEquals":{"iam:PermissionsBoundary":"` + readOnly + `"}`, role, false},
		{"tag", "*Role", `"StringEquals":{"aws:RequestTag/team":"db"}`, tagged, true},
		{"no tag", "*Role", `"StringEquals":{"aws:RequestTag/team":"db"}`, role, false},
		{"tag keys", "*Role", `"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}`, tagged, true},
		{"tags want TagRole", "CreateRole", `"StringEquals":{"aws:RequestTag/team":"db"}`, tagged, false},
		{"service", "CreateServiceLinkedRole", `"StringEquals":{"iam:AWSServiceName":"` + rolesAnywhere + `"}`, []string{"AWSServiceName", rolesAnywhere}, true},
		{"another service", "CreateServiceLinkedRole", `"StringEquals":{"iam:AWSServiceName":"ec2.amazonaws.com"}`, []string{"AWSServiceName", rolesAnywhere}, false},
		{"what every service has", "CreateRole", `"StringEquals":{"aws:username":"bob"}`, role, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newTestStore(t)
			must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
			must(t, s, "CreateUser", "UserName", "bob")
			must(t, s, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", statement("Allow", "iam:"+tt.action, `"Resource":"*","Condition":{`+tt.condition+`}`))
			parameters := map[string]string{"Version": Version, "Action": strings.Replace(tt.action, "*", "Create", 1)}
			for i := 0; i < len(tt.parameters); i += 2 {
				parameters[tt.parameters[i]] = tt.parameters[i+1]
			}
			_, err := s.Do(Call{
				Parameters: parameters, Caller: Caller{ARN: userARN("bob"), Account: testAccount}, Now: testNow,
				Keys: map[string][]string{"aws:username": {"bob"}},
			})
			if allowed := err == nil; allowed != tt.allowed {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestAuthorize_shown: how messages name the resource of operations that have no entity yet.
func TestAuthorize_shown(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateUser", "UserName", "bob")
	bob := Caller{ARN: userARN("bob"), Account: testAccount}
	for _, tt := range []struct {
		shown, action string
		parameters    []string
	}{
		{roleARN("x/web"), "CreateRole", []string{"RoleName", "web", "Path", "/x/", "AssumeRolePolicyDocument", testTrust}},
		{userARN("eve"), "CreateUser", []string{"UserName", "eve"}},
		{"policy read", "CreatePolicy", []string{"PolicyName", "read", "PolicyDocument", testPolicy}},
		{roleARN(""), "ListRoles", nil},
		{userARN(""), "ListUsers", nil},
		{"policy path /", "ListPolicies", nil},
		{"policy " + policyARN("gone"), "GetPolicy", []string{"PolicyArn", policyARN("gone")}},
		{"user bob", "GetUser", nil},
		{"role gone", "DeleteRole", []string{"RoleName", "gone"}},
	} {
		_, err := do(s, bob, tt.action, tt.parameters...)
		wantError(t, err, "AccessDenied: User: "+bob.ARN+" is not authorized to perform: iam:"+tt.action+" on resource: "+tt.shown+" because no identity-based policy allows the iam:"+tt.action+" action")
	}
}

// TestAuthorize_gone: a session whose role was deleted has no rights.
func TestAuthorize_gone(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateRole", "RoleName", "ops", "AssumeRolePolicyDocument", testTrust)
	must(t, s, "PutRolePolicy", "RoleName", "ops", "PolicyName", "all", "PolicyDocument", allowAll)
	session := Caller{ARN: "arn:aws:sts::111122223333:assumed-role/ops/me", Account: testAccount, Role: roleARN("ops")}
	if _, err := do(s, session, "ListRoles"); err != nil {
		t.Fatal(err)
	}
	must(t, s, "DeleteRolePolicy", "RoleName", "ops", "PolicyName", "all")
	must(t, s, "DeleteRole", "RoleName", "ops")
	_, err := do(s, session, "ListRoles")
	wantError(t, err, "AccessDenied: User: "+session.ARN+" is not authorized to perform: iam:ListRoles on resource: "+roleARN("")+" because no identity-based policy allows the iam:ListRoles action")
}

func parseFailure(t *testing.T) *policy.MalformedError {
	t.Helper()
	_, err := policy.Parse(policy.Identity, nil)
	wrong, ok := errors.AsType[*policy.MalformedError](err)
	if !ok {
		t.Fatal(err)
	}
	return wrong
}

// TestAuthorize_strayParameters: a parameter that an operation does not have selects no entity, and is no condition
// key of the request.
func TestAuthorize_strayParameters(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	for _, name := range []string{"fence", "other"} {
		must(t, s, "CreatePolicy", "PolicyName", name, "PolicyDocument", testPolicy)
	}
	for _, name := range []string{"web", "admin"} {
		must(t, s, "CreateRole", "RoleName", name, "AssumeRolePolicyDocument", testTrust)
	}
	must(t, s, "CreateUser", "UserName", "bob")
	must(t, s, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"`+userARN("bob")+`"},
		{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+policyARN("fence")+`"}}},
		{"Effect":"Allow","Action":"iam:DeleteRole","Resource":"*","Condition":{"StringEquals":{"iam:PolicyARN":"`+policyARN("other")+`"}}}]}`)
	bob := Caller{ARN: userARN("bob"), Account: testAccount}

	if _, err := do(s, bob, "PutUserPolicy", "UserName", "bob", "RoleName", "admin", "PolicyName", "all", "PolicyDocument", allowAll); err != nil {
		t.Errorf("PutUserPolicy for bob: %v", err)
	}
	refused(t, s, "NoSuchEntity: The role policy with name all cannot be found.", "GetRolePolicy", "RoleName", "admin", "PolicyName", "all")
	must(t, s, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "all")
	const denied = "AccessDenied: User: arn:aws:iam::111122223333:user/bob is not authorized to perform: "
	_, err := do(s, bob, "PutRolePolicy", "RoleName", "web", "PermissionsBoundary", policyARN("fence"), "PolicyName", "all", "PolicyDocument", allowAll)
	wantError(t, err, denied+"iam:PutRolePolicy on resource: role web because no identity-based policy allows the iam:PutRolePolicy action")
	_, err = do(s, bob, "DeleteRole", "RoleName", "web", "PolicyArn", policyARN("other"))
	wantError(t, err, denied+"iam:DeleteRole on resource: role web because no identity-based policy allows the iam:DeleteRole action")
}
