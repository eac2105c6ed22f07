package iam

import (
	"slices"
	"strings"
	"testing"
)

// TestConfigure: what is in the configuration counts when it changes, and else what calls made of it.
func TestConfigure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := adminConfig()
	c.Policies = []PolicyConfig{{policyARN("read"), testPolicy}}
	c.Roles = []RoleConfig{{
		ARN: roleARN("x/web"), ID: "AROAAAAAAAAAAAAAAAAAA", Trust: testTrust, MaxSeconds: 3600,
		Permissions: Permissions{Inline: map[string]string{"p": testPolicy}, Attached: []string{policyARN("read")}, Boundary: policyARN("read")},
	}}
	open := func() *Store {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		configure(t, s, c)
		return s
	}
	s := open()
	must(t, s, "UpdateRole", "RoleName", "web", "MaxSessionDuration", "7200")
	must(t, s, "DeleteRolePolicy", "RoleName", "web", "PolicyName", "p")
	got := must(t, open(), "GetRole", "RoleName", "web")
	got.want(t, map[string]string{"Role/MaxSessionDuration": "7200", "Role/RoleId": "AROAAAAAAAAAAAAAAAAAA", "Role/PermissionsBoundary/PermissionsBoundaryArn": policyARN("read")})
	c.Roles[0].MaxSeconds, c.Roles[0].ID = 5400, "AROABBBBBBBBBBBBBBBBB"
	s = open()
	must(t, s, "GetRole", "RoleName", "web").want(t, map[string]string{"Role/MaxSessionDuration": "5400", "Role/RoleId": "AROAAAAAAAAAAAAAAAAAA"})
	must(t, s, "GetRolePolicy", "RoleName", "web", "PolicyName", "p")

	for name, change := range map[string]func(*Permissions){
		"unknown managed policy": func(p *Permissions) { p.Attached = []string{policyARN("gone")} },
		"unknown boundary":       func(p *Permissions) { p.Boundary = policyARN("gone") },
		"no policy":              func(p *Permissions) { p.Inline = map[string]string{"p": "{}"} },
	} {
		wrong := RoleConfig{ARN: roleARN("db"), Trust: testTrust}
		change(&wrong.Permissions)
		if err := s.Put(Config{Roles: []RoleConfig{wrong}}, testNow); err == nil || !strings.Contains(err.Error(), roleARN("db")) {
			t.Errorf("%s: error %v", name, err)
		}
		if s.Role(roleARN("db")) != nil {
			t.Errorf("%s: the role is there", name)
		}
	}
}

// TestConfigure_names: of two entities of one name none takes the place of the other.
func TestConfigure_names(t *testing.T) {
	t.Parallel()
	role := func(name string) RoleConfig { return RoleConfig{ARN: roleARN(name), Trust: testTrust} }
	_, err := New().Configure(Config{Roles: []RoleConfig{role("a/web"), role("b/Web")}}, testNow)
	const want = "arn:aws:iam::111122223333:role/a/web and arn:aws:iam::111122223333:role/b/Web: an account has one role of a name, whatever its path and upper or lower case"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	others := Config{
		Roles: []RoleConfig{role("web"), role("db"), {ARN: "arn:aws:iam::999999999999:role/web", Trust: testTrust}},
		Users: []UserConfig{{ARN: userARN("web")}}, Policies: []PolicyConfig{{policyARN("web"), testPolicy}},
	}
	if _, err := New().Configure(others, testNow); err != nil {
		t.Error(err)
	}
}

// ownedConfig has a role, a user and a policy besides the administrator.
func ownedConfig() Config {
	c := adminConfig()
	c.Policies = []PolicyConfig{{policyARN("read"), testPolicy}}
	c.Roles = []RoleConfig{{ARN: roleARN("web"), ID: "AROAAAAAAAAAAAAAAAAAA", Trust: testTrust, Permissions: Permissions{Attached: []string{policyARN("read")}}}}
	c.Users = append(c.Users, UserConfig{ARN: userARN("bob"), ID: "AIDABBBBBBBBBBBBBBBBB", Keys: map[string]string{"AKIABBBBBBBBBBBBBBBB": "secret"}})
	return c
}

// reopen opens the store of a folder with a configuration, and returns what is gone.
func reopen(t *testing.T, dir string, c Config) (*Store, []string) {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.Configure(c, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return s, gone
}

// TestConfigure_gone: what the configuration does not have any more is gone, keys included; what calls made stays.
func TestConfigure_gone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := reopen(t, dir, ownedConfig())
	must(t, s, "CreateUser", "UserName", "eve")
	must(t, s, "AttachUserPolicy", "UserName", "eve", "PolicyArn", policyARN("read"))
	must(t, s, "PutUserPermissionsBoundary", "UserName", "eve", "PermissionsBoundary", policyARN("read"))
	must(t, s, "TagRole", "RoleName", "web", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")
	s, gone := reopen(t, dir, adminConfig())
	if want := []string{policyARN("read"), roleARN("web"), userARN("bob")}; !slices.Equal(gone, want) {
		t.Errorf("gone: %q, want %q", gone, want)
	}
	if _, ok := s.Key("AKIABBBBBBBBBBBBBBBB"); ok {
		t.Error("the key of a user that is gone still signs")
	}
	if s.Role(roleARN("web")) != nil {
		t.Error("the role is there")
	}
	eve := must(t, s, "GetUser", "UserName", "eve")
	eve.want(t, map[string]string{"User/PermissionsBoundary/PermissionsBoundaryArn": policyARN("read")}) // without it there would be more rights
	if attached := must(t, s, "ListAttachedUserPolicies", "UserName", "eve"); attached.has("AttachedPolicies/1/PolicyArn") {
		t.Error("a policy that is gone is attached")
	}
	s, gone = reopen(t, dir, ownedConfig())
	if len(gone) != 0 {
		t.Errorf("gone: %q", gone)
	}
	if role := s.Role(roleARN("web")); role == nil || len(role.Tags) > 0 || role.ID == "AROAAAAAAAAAAAAAAAAAA" {
		t.Errorf("the role is there again, but not as a new one: %+v", role)
	}
	without := ownedConfig()
	without.Policies = nil
	broken, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := broken.Configure(without, testNow); err == nil || !strings.Contains(err.Error(), policyARN("read")+" does not exist here") {
		t.Errorf("a role without its policy: %v", err)
	}
}

// TestConfigure_deleted: what a call deleted stays deleted until its entry changes.
func TestConfigure_deleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := ownedConfig()
	s, _ := reopen(t, dir, c)
	must(t, s, "DetachRolePolicy", "RoleName", "web", "PolicyArn", policyARN("read"))
	must(t, s, "DeletePolicy", "PolicyArn", policyARN("read"))
	must(t, s, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", "AKIABBBBBBBBBBBBBBBB")
	must(t, s, "DeleteUser", "UserName", "bob")
	s, _ = reopen(t, dir, c)
	refused(t, s, "NoSuchEntity: The user with name bob cannot be found.", "GetUser", "UserName", "bob")
	refused(t, s, "NoSuchEntity: Policy "+policyARN("read")+" was not found.", "GetPolicy", "PolicyArn", policyARN("read"))
	must(t, s, "DeleteRole", "RoleName", "web")
	must(t, s, "CreateUser", "UserName", "bob")
	id := must(t, s, "GetUser", "UserName", "bob")["User/UserId"]
	s, _ = reopen(t, dir, c)
	must(t, s, "GetUser", "UserName", "bob").want(t, map[string]string{"User/UserId": id})
	if s.Role(roleARN("web")) != nil {
		t.Error("the role is there")
	}
	c.Policies[0].Document = allowAll
	c.Roles[0].MaxSeconds = 7200
	s, _ = reopen(t, dir, c)
	if role := s.Role(roleARN("web")); role == nil || role.ID == c.Roles[0].ID {
		t.Errorf("the role of a changed entry: %+v", role)
	}
}

// TestFingerprint: every part of an entry counts.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	role := RoleConfig{ARN: roleARN("web"), Trust: testTrust, MaxSeconds: 3600, Permissions: Permissions{Boundary: policyARN("a")}}
	seen := map[string]int{fingerprint(role): 0}
	for i, change := range []func(*RoleConfig){
		func(c *RoleConfig) { c.ARN = roleARN("x/web") }, func(c *RoleConfig) { c.Trust = allowAll }, func(c *RoleConfig) { c.MaxSeconds++ },
		func(c *RoleConfig) { c.Permissions.Boundary = "" }, func(c *RoleConfig) { c.Permissions.Attached = []string{policyARN("a")} },
		func(c *RoleConfig) { c.Permissions.Inline = map[string]string{"a": allowAll} },
	} {
		changed := role
		change(&changed)
		if other, ok := seen[fingerprint(changed)]; ok {
			t.Errorf("changes %d and %d have one fingerprint", other, i+1)
		}
		seen[fingerprint(changed)] = i + 1
	}
}
