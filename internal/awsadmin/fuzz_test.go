package awsadmin

import (
	"testing"

	"kedge/ca"
	"kedge/internal/emulator/policy"
)

// FuzzPattern: the policy for a pattern gives the role to a name if, and only if, a profile with that pattern
// would give it the name.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"web-**", "web-01.example.com"}, {"**.example.com", "a/b.example.com"}, {"a**b**c", "abbc"}, {"web-01", "web-01"}, {"a***", "a"}, {"web-*", "web-1"}, {"$**", "${x}"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		text, err := Trust{Anchor: anchorARN, Hosts: Hosts{Names: []string{pattern}}, MaxLength: MaxTrustLength}.Policy()
		if err != nil || name == "" || ca.CheckTagValue(name) != nil {
			return // there is no such policy, or no such certificate
		}
		parsed, err := policy.Parse(policy.Trust, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		session := policy.CertificateSession{TrustAnchor: anchorARN, Account: accountIn(anchorARN), Tags: map[string]string{tagName: name}, SourceIdentity: "CN=x"}
		if got, want := session.Authorize(parsed).Outcome == policy.Allowed, ca.MatchName(pattern, name); got != want {
			t.Errorf("%q, %q: the policy allows it: %v, the profile does: %v\n%s", pattern, name, got, want, text)
		}
	})
}

// FuzzLint: whatever IAM takes is linted; a policy that strangers can use is never without an error.
func FuzzLint(f *testing.F) {
	for _, all := range lintCases() {
		for _, one := range all {
			f.Add([]byte(one.policy))
		}
	}
	stranger := policy.CertificateSession{
		TrustAnchor: "arn:aws:rolesanywhere:ap-south-1:999999999999:trust-anchor/9b656467-6500-4000-8000-000000000009", Account: "999999999999",
		Tags: map[string]string{tagName: "web-01"}, SourceIdentity: "CN=web-01",
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		trust, err := ReadTrust(text)
		if err != nil {
			return
		}
		linted := Linted{Findings: Linter{Anchors: []string{anchorARN}}.Lint(trust)}
		if linted.Errors() == 0 && stranger.Authorize(trust.Document).Outcome == policy.Allowed {
			t.Errorf("no error is found, and a stranger gets the role:\n%s", text)
		}
	})
}
