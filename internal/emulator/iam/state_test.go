package iam

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/emulator/state"
)

func openTest(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	configure(t, s, adminConfig())
	return s
}

// TestState: a restart keeps everything.
func TestState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	must(t, s, "CreatePolicy", "PolicyName", "read", "PolicyDocument", testPolicy, "Tags.member.1.Key", "a", "Tags.member.1.Value", "b")
	must(t, s, "CreatePolicyVersion", "PolicyArn", policyARN("read"), "PolicyDocument", allowAll)
	must(t, s, "CreateRole", "RoleName", "Web", "Path", "/x/", "AssumeRolePolicyDocument", testTrust, "MaxSessionDuration", "7200", "PermissionsBoundary", policyARN("read"))
	must(t, s, "PutRolePolicy", "RoleName", "Web", "PolicyName", "p", "PolicyDocument", testPolicy)
	must(t, s, "AttachRolePolicy", "RoleName", "Web", "PolicyArn", policyARN("read"))
	must(t, s, "CreateUser", "UserName", "bob")
	key := must(t, s, "CreateAccessKey", "UserName", "bob")
	again := openTest(t, dir)
	for _, call := range [][]string{
		{"GetRole", "RoleName", "Web"}, {"GetRolePolicy", "RoleName", "Web", "PolicyName", "p"}, {"ListAttachedRolePolicies", "RoleName", "Web"},
		{"GetPolicy", "PolicyArn", policyARN("read")}, {"GetPolicyVersion", "PolicyArn", policyARN("read"), "VersionId", "v2"}, {"ListUsers"},
	} {
		want, got := must(t, s, call[0], call[1:]...), must(t, again, call[0], call[1:]...)
		got.want(t, want)
		want.want(t, got)
	}
	if k, ok := again.Key(key["AccessKey/AccessKeyId"]); !ok || k.Secret != key["AccessKey/SecretAccessKey"] {
		t.Error("the access key is lost")
	}
	if doc, _ := again.Role(roleARN("x/Web")).TrustPolicy(); doc == nil {
		t.Error("the trust policy is not parsed")
	}
}

// TestState_full: a call that cannot be stored is refused, and has no effect.
func TestState_full(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, Service)); err != nil {
		t.Fatal(err)
	}
	refused(t, s, "ServiceFailure: The request processing has failed because of an unknown error.", "CreateUser", "UserName", "bob")
	refused(t, s, "NoSuchEntity: The user with name bob cannot be found.", "GetUser", "UserName", "bob")
}

// TestOpen_damaged: every prefix of a document, unknown members and damaged entities are refused.
func TestOpen_damaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, dir)
	must(t, s, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", testTrust)
	must(t, s, "CreatePolicy", "PolicyName", "read", "PolicyDocument", testPolicy)
	path := filepath.Join(dir, Service, testAccount+".json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(whole)
	damaged := []string{
		strings.Replace(text, `"roles":`, `"groups":`, 1), strings.Replace(text, `"web"`, `"db"`, 1),
		strings.Replace(text, `sts:AssumeRole`, `s3:GetObject`, 1), `{"version":1,"content":{"roles":{"a":null}}}`, `{"version":1,"content":{"roles":null}}`, "null", "[]",
	}
	for n := 0; n < len(text); n += 7 {
		damaged = append(damaged, text[:n])
	}
	for _, content := range damaged {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%d bytes: error %v", len(content), err)
		}
	}
}

// TestAdministrator: the key of an administrator survives a restart.
func TestAdministrator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	administrator := func() string {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		id, secret, err := s.Administrator(userARN("root"), "AIDAAAAAAAAAAAAAAAAAA", testNow)
		if k, ok := s.Key(id); err != nil || !ok || k.Secret != secret {
			t.Fatalf("key %s: %v", id, err)
		}
		if _, err := do(s, Caller{ARN: userARN("root"), Account: testAccount}, "ListRoles"); err != nil {
			t.Error(err)
		}
		return id + secret
	}
	if first, second := administrator(), administrator(); first != second {
		t.Errorf("%s becomes %s", first, second)
	}
}

// TestConfigure: what is in the configuration counts when it changes, and else what calls made of it.
func TestConfigure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := adminConfig()
	c.Policies = []PolicyConfig{{policyARN("read"), testPolicy}}
	c.Roles = []RoleConfig{{
		ARN: roleARN("x/web"), ID: "AROAAAAAAAAAAAAAAAAAA", Trust: testTrust, MaxSessionDuration: 3600e9,
		Permissions: Permissions{Inline: map[string]string{"p": testPolicy}, Attached: []string{policyARN("read")}, Boundary: policyARN("read")},
	}}
	open := func() *Store {
		s := openTest(t, dir)
		configure(t, s, c)
		return s
	}
	s := open()
	must(t, s, "UpdateRole", "RoleName", "web", "MaxSessionDuration", "7200")
	must(t, s, "DeleteRolePolicy", "RoleName", "web", "PolicyName", "p")
	got := must(t, open(), "GetRole", "RoleName", "web")
	got.want(t, map[string]string{"Role/MaxSessionDuration": "7200", "Role/RoleId": "AROAAAAAAAAAAAAAAAAAA", "Role/PermissionsBoundary/PermissionsBoundaryArn": policyARN("read")})
	c.Roles[0].MaxSessionDuration, c.Roles[0].ID = 5400e9, "AROABBBBBBBBBBBBBBBBB"
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
		if err := s.Configure(Config{Roles: []RoleConfig{wrong}}, testNow); err == nil || !strings.Contains(err.Error(), roleARN("db")) {
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
	err := New().Configure(Config{Roles: []RoleConfig{role("a/web"), role("b/Web")}}, testNow)
	const want = "arn:aws:iam::111122223333:role/a/web and arn:aws:iam::111122223333:role/b/Web: an account has one role of a name, whatever its path and upper or lower case"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	others := Config{
		Roles: []RoleConfig{role("web"), role("db"), {ARN: "arn:aws:iam::999999999999:role/web", Trust: testTrust}},
		Users: []UserConfig{{ARN: userARN("web")}}, Policies: []PolicyConfig{{policyARN("web"), testPolicy}},
	}
	if err := New().Configure(others, testNow); err != nil {
		t.Error(err)
	}
}
