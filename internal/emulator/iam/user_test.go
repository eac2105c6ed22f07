package iam

import (
	"regexp"
	"testing"
)

func TestUser(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	must(t, s, "CreateUser", "UserName", "bob", "Path", "/ops/").want(t, map[string]string{"User/Arn": userARN("ops/bob")})
	refused(t, s, "EntityAlreadyExists: User with name bob already exists.", "CreateUser", "UserName", "bob")
	key := must(t, s, "CreateAccessKey", "UserName", "bob")
	id := key["AccessKey/AccessKeyId"]
	for path, pattern := range map[string]string{"AccessKey/AccessKeyId": `^AKIA[A-Z2-7]{16}$`, "AccessKey/SecretAccessKey": `^[A-Za-z0-9+/]{40}$`, "AccessKey/Status": `^Active$`} {
		if !regexp.MustCompile(pattern).MatchString(key[path]) {
			t.Errorf("%s %q", path, key[path])
		}
	}
	if k, ok := s.Key(id); !ok || k.Secret != key["AccessKey/SecretAccessKey"] || k.User.ARN != userARN("ops/bob") || k.Account != testAccount {
		t.Errorf("Key(%s) = %+v, %v", id, k, ok)
	}
	must(t, s, "CreateAccessKey", "UserName", "bob")
	refused(t, s, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2", "CreateAccessKey", "UserName", "bob")
	must(t, s, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", id, "Status", "Inactive")
	if _, ok := s.Key(id); ok {
		t.Error("an inactive key counts")
	}
	refused(t, s, "DeleteConflict: Cannot delete entity, must delete access keys first.", "DeleteUser", "UserName", "bob")
	listed := must(t, s, "ListAccessKeys", "UserName", "bob")
	for _, path := range []string{"AccessKeyMetadata/1/AccessKeyId", "AccessKeyMetadata/2/AccessKeyId"} {
		if listed.has("AccessKeyMetadata/1/SecretAccessKey") {
			t.Error("a list shows secrets")
		}
		must(t, s, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", listed[path])
	}
	refused(t, s, "NoSuchEntity: The Access Key with id "+id+" cannot be found.", "DeleteAccessKey", "UserName", "bob", "AccessKeyId", id)
	must(t, s, "ListUsers").want(t, map[string]string{"Users/1/UserName": "admin", "Users/2/UserName": "bob"})
	must(t, s, "DeleteUser", "UserName", "bob")
	refused(t, s, "NoSuchEntity: The user with name bob cannot be found.", "GetUser", "UserName", "bob")
	must(t, s, "GetUser").want(t, map[string]string{"User/UserName": "admin"}) // the sender
}

// TestUser_ofSession: a session has no user, and no keys of its own.
func TestUser_ofSession(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	put(t, s, Config{Roles: []RoleConfig{{ARN: roleARN("ops"), ID: "AROAAAAAAAAAAAAAAAAAA", Trust: testTrust, MaxSeconds: 3600, Permissions: Permissions{Inline: map[string]string{"all": allowAll}}}}})
	session := Caller{ARN: "arn:aws:sts::111122223333:assumed-role/ops/me", Account: testAccount, Role: roleARN("ops")}
	_, err := do(s, session, "GetUser")
	wantError(t, err, "ValidationError: Must specify userName when calling with non-User credentials")
}
