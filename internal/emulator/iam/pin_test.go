package iam

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trusting returns a trust policy for principals of the kind AWS.
func trusting(names ...string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect":"Allow","Principal":{"AWS":["` + strings.Join(names, `", "`) + `"]},"Action":"sts:AssumeRole"}]}`
}

// wantTrust checks the trust policy of a role as each operation shows it, and the names that decisions go by.
func wantTrust(t *testing.T, s *Store, name string, principals ...string) {
	t.Helper()
	want := encoded(trusting(principals...))
	must(t, s, "GetRole", "RoleName", name).want(t, map[string]string{"Role/AssumeRolePolicyDocument": want})
	must(t, s, "ListRoles", "PathPrefix", "/"+name+"/").want(t, map[string]string{"Roles/1/AssumeRolePolicyDocument": want})
	must(t, s, "UpdateRoleDescription", "RoleName", name, "Description", "d").want(t, map[string]string{"Role/AssumeRolePolicyDocument": want})
	doc, text := s.Role(roleARN(name + "/" + name)).TrustPolicy()
	if text != trusting(principals...) || doc.Statements[0].Principal.Values[0] != "AWS:"+principals[0] {
		t.Errorf("%s, %q", text, doc.Statements[0].Principal.Values)
	}
}

// TestPin: a trust policy names users and roles by their ids, and is shown with their ARNs as long as they exist. A role that
// is made again is another one, until the policy is saved again.
func TestPin(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	hub := must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)["Role/RoleId"]
	bob := must(t, s, "CreateUser", "UserName", "bob")["User/UserId"]
	both := trusting(roleARN("hub"), userARN("bob"))
	must(t, s, "CreateRole", "RoleName", "spoke", "Path", "/spoke/", "AssumeRolePolicyDocument", both).want(t, map[string]string{"Role/AssumeRolePolicyDocument": encoded(both)})
	if has := s.current.Load().of(testAccount).Roles["spoke"].Trust.Text; has != trusting(hub, bob) {
		t.Errorf("stored: %s", has)
	}
	wantTrust(t, s, "spoke", roleARN("hub"), userARN("bob"))

	must(t, s, "DeleteRole", "RoleName", "hub")
	wantTrust(t, s, "spoke", hub, userARN("bob"))
	again := must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)["Role/RoleId"]
	must(t, s, "DeleteUser", "UserName", "bob")
	wantTrust(t, s, "spoke", hub, bob)

	refused(t, s, `MalformedPolicyDocument: Invalid principal in policy: "AWS":"`+hub+`"`, "UpdateAssumeRolePolicy", "RoleName", "spoke", "PolicyDocument", trusting(hub))
	must(t, s, "UpdateAssumeRolePolicy", "RoleName", "spoke", "PolicyDocument", trusting(roleARN("hub")))
	wantTrust(t, s, "spoke", roleARN("hub"))
	must(t, s, "UpdateAssumeRolePolicy", "RoleName", "spoke", "PolicyDocument", trusting(again))
	wantTrust(t, s, "spoke", roleARN("hub"))
}

// TestPin_restart: what is pinned stays so in the state folder, across accounts. What an emulator that pinned nothing has left
// there is pinned with the configuration.
func TestPin_restart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	const far = "444455556666"
	farUser := UserConfig{ARN: "arn:aws:iam::" + far + ":user/far", ID: "AIDAFAR", Permissions: adminConfig().Users[0].Permissions}
	configure(t, s, Config{Users: append(adminConfig().Users, farUser)})
	first := must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)["Role/RoleId"]
	if _, err := do(s, Caller{ARN: farUser.ARN, Account: far}, "CreateRole", "RoleName", "spoke", "AssumeRolePolicyDocument", trusting(roleARN("hub"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, Service, far+".json")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unpinned := strings.ReplaceAll(string(content), first, roleARN("hub"))
	if err := os.WriteFile(path, []byte(unpinned), 0o600); err != nil || unpinned == string(content) {
		t.Fatalf("%v: %s", err, content)
	}
	s = openTest(t, dir)
	must(t, s, "DeleteRole", "RoleName", "hub")
	must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)
	for range 2 {
		if _, text := s.Role("arn:aws:iam::" + far + ":role/spoke").TrustPolicy(); text != trusting(first) {
			t.Errorf("the role that was made again is named: %s", text)
		}
		s = openTest(t, dir)
	}
}

// TestPin_later: a name that a configuration has before its role exists is pinned once it does.
func TestPin_later(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	put(t, s, Config{Roles: []RoleConfig{{ARN: roleARN("spoke/spoke"), ID: "AROASPOKE", Trust: trusting(roleARN("hub")), MaxSeconds: 3600}}})
	wantTrust(t, s, "spoke", roleARN("hub"))
	first := must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)["Role/RoleId"]
	wantTrust(t, s, "spoke", roleARN("hub"))
	must(t, s, "DeleteRole", "RoleName", "hub")
	must(t, s, "CreateRole", "RoleName", "hub", "AssumeRolePolicyDocument", testTrust)
	wantTrust(t, s, "spoke", first)
}
