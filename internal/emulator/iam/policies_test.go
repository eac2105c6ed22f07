package iam

import "testing"

// TestAssumePolicies: only what the configuration has without policies may assume every role that trusts it.
func TestAssumePolicies(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	put(t, s, Config{Roles: []RoleConfig{{ARN: roleARN("free"), ID: "AROAAAAAAAAAAAAAAAAAA", Trust: testTrust, MaxSeconds: 3600}}})
	must(t, s, "CreateRole", "RoleName", "made", "AssumeRolePolicyDocument", testTrust)
	count := func(role string) int {
		return len(s.AssumePolicies(Caller{ARN: "arn:aws:sts::111122223333:assumed-role/x/y", Account: testAccount, Role: role}).Identity)
	}
	if count(roleARN("free")) != 1 || count(roleARN("made")) != 0 || count(roleARN("gone")) != 0 {
		t.Errorf("free %d, made %d, gone %d", count(roleARN("free")), count(roleARN("made")), count(roleARN("gone")))
	}
	must(t, s, "PutRolePolicy", "RoleName", "free", "PolicyName", "p", "PolicyDocument", testPolicy)
	p := s.AssumePolicies(Caller{ARN: "arn:aws:sts::111122223333:assumed-role/free/y", Account: testAccount, Role: roleARN("free")})
	if len(p.Identity) != 1 || p.Identity[0].Statements[0].Action.Values[0] != "s3:GetObject" {
		t.Errorf("with a policy: %+v", p.Identity)
	}
}
