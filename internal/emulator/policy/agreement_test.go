package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"kedge/internal/testenv"
)

// decided returns what every case decides, by its name in the table of scripts/policy-peer.
func decided(t *testing.T) map[string]Outcome {
	t.Helper()
	all := map[string]Outcome{}
	for _, g := range readCases[conditionCase](t, "conditions.json") {
		for _, c := range g.Cases {
			outcome := ImplicitDeny
			if c.Met {
				outcome = Allowed
			}
			all["conditions: "+g.Source+": "+c.Name] = outcome
		}
	}
	for _, g := range readCases[permissionCase](t, "permissions.json") {
		for _, c := range g.Cases {
			if len(c.Session) < 2 { // the other evaluator has one session policy
				all["permissions: "+g.Source+": "+c.Name] = c.Want
			}
		}
	}
	for _, g := range readCases[trustCase](t, "trust.json") {
		for _, c := range g.Cases {
			for action, outcome := range c.Want {
				all["trust: "+g.Source+": "+c.Name+" ("+action+")"] = outcome
			}
		}
	}
	return all
}

// TestAgreement: the table of what another evaluator decides has each case as it is now. scripts/policy-peer/run writes it.
func TestAgreement(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile(filepath.Join(testenv.Root(t), "scripts", "policy-peer", "agreement.txt"))
	if err != nil {
		t.Fatal(err)
	}
	compared := map[string]Outcome{}
	for _, line := range regexp.MustCompile(`(?m)^(?:same|different) +(allowed|implicit deny|explicit deny) +(.+)$`).FindAllStringSubmatch(string(table), -1) {
		compared[line[2]] = Outcome(line[1])
	}
	cases := decided(t)
	for name, outcome := range cases {
		if compared[name] != outcome {
			t.Errorf("%s: %s, in the table %q: run scripts/policy-peer/run", name, outcome, compared[name])
		}
	}
	if len(compared) != len(cases) || len(cases) < 300 {
		t.Errorf("%d decisions, %d in the table", len(cases), len(compared))
	}
}
