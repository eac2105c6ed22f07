package cadir

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestParseSettings_roles: what is under aws.roles selects hosts, and is written as it was read.
func TestParseSettings_roles(t *testing.T) {
	t.Parallel()
	const text = "aws:\n  roles:\n    backup: {names: [web-01, 'db-**'], issuer: [ca]}\n    batch: {ou: [batch], san_uri: ['spiffe://ex.com/**'], from_role: ['arn:aws:iam::111122223333:role/hub']}\n"
	s, err := ParseSettings([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]RoleSettings{
		"backup": {Names: []string{"web-01", "db-**"}, Issuers: []string{"ca"}},
		"batch":  {Units: []string{"batch"}, SANURIs: []string{"spiffe://ex.com/**"}, FromRoles: []string{"arn:aws:iam::111122223333:role/hub"}},
	}
	if !reflect.DeepEqual(s.AWS.Roles, want) {
		t.Errorf("%+v", s.AWS.Roles)
	}
	written, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSettings(written)
	if err != nil {
		t.Fatalf("%v\n%s", err, written)
	}
	for name, role := range want {
		got, err := again.Role(name)
		if err != nil || !slices.Equal(got.Names, role.Names) || !slices.Equal(got.Units, role.Units) || !slices.Equal(got.FromRoles, role.FromRoles) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if n := strings.Count(string(written), meaning("aws.roles.*.names")); n != 1 {
		t.Errorf("names are explained %d times:\n%s", n, written)
	}
	_, err = s.Role("web")
	if e, ok := errors.AsType[*UnknownRoleError](err); !ok || !slices.Equal(e.Known, []string{"backup", "batch"}) {
		t.Error(err)
	}
}

// TestParseSettings_roles_refuses: a role for every host, or one that IAM does not take, is an error.
func TestParseSettings_roles_refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"aws: {roles: {backup: {}}}\n":                                 ": aws.roles.backup: names, san_uri or ou must say whose role it is",
		"aws: {roles: {backup: {issuer: [ca]}}}\n":                     ": aws.roles.backup: names, san_uri or ou must say whose role it is",
		"aws: {roles: {'a b': {names: [x]}}}\n":                        `: aws.roles: "a b" is no name of a role: 1 to 64 letters`,
		"aws: {roles: {" + strings.Repeat("r", 65) + ": {ou: [x]}}}\n": `: aws.roles: "rrr`,
		"aws: {roles: {a: {names: [x], from_role: ['*']}}}\n":          `: aws.roles.a: from_role: "*" is not the ARN of a role`,
		"aws: {roles: {a: {names: [x], issuer: ['']}}}\n":              `: aws.roles.a: issuer: the name of the authority is empty`,
		"aws: {roles: {a: {name: x}}}\n":                               `:1: unknown key "name": did you mean names? there are names, san_uri, ou, issuer, from_role, policies`,
		"aws: {name: 'a:b'}\n":                                         `: aws.name: "a:b" is not 1 to 100 letters`,
		"aws: {path: hosts}\n":                                         `: aws.path: "hosts" is not a path of roles`,
		"aws: {alias: aws/x}\n":                                        `: aws.alias: "aws/x" is not an alias: up to 256 letters, digits, - and _, a letter first, with one / between two of them at most; aws/ is taken`,
		"aws: {alias: a/b/c}\n":                                        `: aws.alias: "a/b/c" is not an alias: up to 256 letters, digits, - and _, a letter first, with one / between two of them at most; aws/ is taken`,
		"aws: {permissions_boundary: x}\n":                             `: aws.permissions_boundary: "x" is not the ARN of a policy`,
		"aws: {tags: {kedge-ca: x}}\n":                                 `: aws.tags: kedge-ca=x: a key has`,
		"aws: {roles: {a: {names: [x], policies: ['arn:x']}}}\n":       `: aws.roles.a: policies: "arn:x" is neither`,
	} {
		if s, err := ParseSettings([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}
