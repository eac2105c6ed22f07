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
