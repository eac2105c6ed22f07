package cadir

import (
	"fmt"
	"strings"
	"testing"

	"kedge/ca"
)

const profileARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/11111111-2222-3333-4444-555555555555"

func TestSettings_Enrollment(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, profile, want string }{
		{"", "", "[token renewal] 168h 2160h 100 24h"},
		{"", "workload", "[token renewal] 168h 2160h 100 24h"},
		{"profiles: {a: {}}\n", "a", "[token renewal] 168h 2160h 100 24h"},
		{"profiles: {a: {enroll: {}}}\n", "a", "[token renewal] 168h 2160h 100 24h"},
		{"profiles: {a: {enroll: {proofs: []}}}\n", "a", "[] 168h 2160h 100 24h"},
		{"profiles: {a: {enroll: {proofs: [renewal]}}}\n", "a", "[renewal] 168h 2160h 100 24h"},
		{"profiles: {a: {enroll: {grace: 2h, hardware_grace: 3d}}}\n", "a", "[token renewal] 2h 72h 100 24h"},
		{"profiles: {a: {enroll: {grace: 100d}}}\n", "a", "[token renewal] 2400h 2400h 100 24h"},
		{"profiles: {a: {enroll: {recoveries: 1}}}\n", "a", "[token renewal] 168h 2160h 1 24h"},
		{"profiles: {a: {enroll: {recoveries: 0, grace: 2h}}}\n", "a", "[token renewal] 0h 0h 0 24h"},
		{"default_profile: b\nprofiles: {a: {enroll: {proofs: []}}, b: {enroll: {proofs: [token]}}}\n", "", "[token] 168h 2160h 100 24h"},
		{"profiles: {a: {enroll: {proofs: [token, approval, renewal], wait: 2h}}}\n", "a", "[token approval renewal] 168h 2160h 100 2h"},
		{"profiles: {a: {enroll: {proofs: [approval], wait: 30d}}}\n", "a", "[approval] 168h 2160h 100 720h"},
		{"profiles: {a: {enroll: {domains: [example.com, Sub.Example.org]}}}\n", "a", "[token renewal] 168h 2160h 100 24h [example.com Sub.Example.org]"},
		{"default_profile: b\nprofiles: {a: {}, b: {}}\n", "workload", `there is no profile "workload" in the configuration`},
	}
	for _, tt := range tests {
		s, err := ParseSettings([]byte(tt.text))
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		e, err := s.Enrollment(tt.profile)
		got := fmt.Sprintf("%v %gh %gh %d %gh", e.Proofs, e.Grace.Hours(), e.HardwareGrace.Hours(), e.Recoveries, e.Wait.Hours())
		if len(e.Domains) > 0 {
			got += fmt.Sprint(" ", e.Domains)
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q, %q: %s, want %s", tt.text, tt.profile, got, tt.want)
		}
		for _, proof := range []string{ca.ProofToken, ca.ProofApproval, ca.ProofRenewal} {
			if err == nil && e.Allows(proof) != strings.Contains(tt.want, proof) {
				t.Errorf("%q: allows %s: %v", tt.text, proof, e.Allows(proof))
			}
		}
		if e.Allows("operator") || e.Allows("") {
			t.Errorf("%q allows proofs that are not listed", tt.text)
		}
	}
}

func TestParseSettings_enrollRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"proofs: [tokens]", `: profile "a": enroll.proofs: "tokens" is none of token, approval, renewal`},
		{"proofs: [token, token]", `: profile "a": enroll.proofs: "token" is listed twice`},
		{"hook: {command: [policy]}", `: profile "a": enroll.hook.command: "policy" is not the whole path of a program`},
		{"hook: {command: ['']}", `: profile "a": enroll.hook.command: "" is not the whole path`},
		{"hook: {command: [./policy]}", `: profile "a": enroll.hook.command: "./policy" is not the whole path`},
		{"hook: {command: [/p], timeout: 1m}", `: profile "a": enroll.hook.timeout: 1m must be between 1s and 20s`},
		{"hook: {command: [/p], timeout: -1s}", `: profile "a": enroll.hook.timeout: -1s must be`},
		{"hook: {command: /p}", ":1: profiles.a.enroll.hook.command: `/p` is not what this key takes"},
		{"hook: {program: [/p]}", `:1: unknown key "program"`},
		{"domains: ['*.example.com']", `: profile "a": enroll.domains: "*.example.com" is not the name of a domain, such as example.com`},
		{"domains: ['.example.com']", `: profile "a": enroll.domains: ".example.com" is not the name`},
		{"domains: ['example.com.']", `: profile "a": enroll.domains: "example.com." is not the name`},
		{"domains: ['']", `: profile "a": enroll.domains: "" is not the name`},
		{"domains: [a_b.example]", `: profile "a": enroll.domains: "a_b.example" is not the name`},
		{"domains: [example.com, 'exa mple.com']", `: profile "a": enroll.domains: "exa mple.com" is not the name`},
		{"domains: example.com", ":1: profiles.a.enroll.domains: `example...` is not what this key takes"},
		{"proofs: token", ":1: profiles.a.enroll.proofs: `token` is not what this key takes"},
		{"proof: [token]", `:1: unknown key "proof": did you mean proofs? there are proofs, `},
		{"grace: soon", `:1: profiles.a.enroll.grace: "soon" is not a duration`},
		{"grace: 0", `:1: profiles.a.enroll.grace: "0" must not be zero`},
		{"grace: -1h", `: profile "a": enroll.grace: -1h must be positive`},
		{"hardware_grace: 0s", `:1: profiles.a.enroll.hardware_grace: "0s" must not be zero`},
		{"hardware_grace: 1d", `: profile "a": enroll.hardware_grace: 24h is less than grace, 7d`},
		{"wait: -1h", `: profile "a": enroll.wait: -1h is not a time up to 30d`},
		{"wait: 31d", `: profile "a": enroll.wait: 31d is not a time up to 30d`},
		{"wait: 0", `:1: profiles.a.enroll.wait: "0" must not be zero`},
		{"recoveries: -1", `: profile "a": enroll.recoveries: -1 is negative`},
		{"recoveries: many", ":1: profiles.a.enroll.recoveries: `many` is not what this key takes"},
		{"recoveries: 1.5", ":1: profiles.a.enroll.recoveries: `1.5` is not what this key takes"},
	}
	for _, tt := range tests {
		text := "profiles: {a: {enroll: {" + tt.text + "}}}\n"
		if s, err := ParseSettings([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %+v, %v, want %s", text, s, err, tt.want)
		}
	}
}
