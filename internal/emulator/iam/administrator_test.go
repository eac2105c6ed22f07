package iam

import "testing"

// administratorOf opens the store of a folder and returns its administrator.
func administratorOf(t *testing.T, dir string, c Config) (*Store, Administrator) {
	t.Helper()
	s, _ := reopen(t, dir, c)
	a, err := s.Administrator(userARN("administrator"), testNow)
	if err != nil {
		t.Fatal(err)
	}
	k, ok := s.Key(a.AccessKeyID)
	if !ok || k.Secret != a.SecretAccessKey || k.User.ARN != a.ARN {
		t.Fatalf("%s has not the key %s", a.ARN, a.AccessKeyID)
	}
	if _, err := do(s, Caller{ARN: a.ARN, Account: testAccount}, "ListRoles"); err != nil {
		t.Error(err)
	}
	return s, a
}

// TestAdministrator: the key of an administrator survives a restart, and one without an active key gets another.
func TestAdministrator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, first := administratorOf(t, dir, Config{})
	if first.ARN != userARN("administrator") {
		t.Errorf("the administrator is %s", first.ARN)
	}
	call := func(action string, parameters ...string) {
		if _, err := do(s, Caller{ARN: first.ARN, Account: testAccount}, action, parameters...); err != nil {
			t.Fatal(err)
		}
	}
	call("TagUser", "UserName", "administrator", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")
	s, second := administratorOf(t, dir, Config{})
	if first != second {
		t.Errorf("%v becomes %v", first, second)
	}
	for range 3 {
		call("UpdateAccessKey", "UserName", "administrator", "AccessKeyId", second.AccessKeyID, "Status", "Inactive")
		s, second = administratorOf(t, dir, Config{})
	}
	u, _ := s.current.Load().byARN(first.ARN).(*User)
	if len(u.Keys) != maxKeys || second.AccessKeyID == first.AccessKeyID || len(u.Tags) != 1 {
		t.Errorf("%d keys, %d tags, key %s", len(u.Keys), len(u.Tags), second.AccessKeyID)
	}
}

// TestAdministrator_taken: no user is overwritten, whatever its path.
func TestAdministrator_taken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := adminConfig()
	c.Users = append(c.Users, UserConfig{ARN: userARN("x/Administrator"), Keys: map[string]string{"AKIABBBBBBBBBBBBBBBB": "secret"}})
	s, a := administratorOf(t, dir, c)
	if a.ARN != userARN("administrator-2") {
		t.Errorf("the administrator is %s", a.ARN)
	}
	if k, ok := s.Key("AKIABBBBBBBBBBBBBBBB"); !ok || k.User.ARN != userARN("x/Administrator") {
		t.Error("the user of that name is overwritten")
	}
	if _, again := administratorOf(t, dir, c); again != a {
		t.Errorf("%v becomes %v", a, again)
	}
}
