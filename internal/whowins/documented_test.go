package whowins

import (
	"strings"
	"testing"
)

// TestAnswers_documented: what the sources say of the SDKs that no test runs, in combinations in which they
// differ. The columns: Java 2, .NET 4, .NET 3, Rust, PHP, Ruby.
func TestAnswers_documented(t *testing.T) {
	t.Parallel()
	tools := []string{"AWS SDK for Java 2", "AWS SDK for .NET 4", "AWS SDK for .NET 3", "AWS SDK for Rust", "AWS SDK for PHP", "AWS SDK for Ruby"}
	const kedgeP, kedgeQ, role, none = "PROCESS p/kedge", "PROCESS q/kedge", "p BY PROCESS q/kedge", "METADATA"
	want := map[string][]string{
		"environment, AWS_PROFILE":             {"ENV", "ENV", kedgeP, "ENV", "ENV", "ENV"},
		"environment, profile in code":         {"ENV", kedgeP, kedgeP, "ENV", "ENV", kedgeP},
		"older names":                          {kedgeP, kedgeP, kedgeP, kedgeP, none, "ENV"},
		"id without secret":                    {kedgeP, kedgeP, kedgeP, kedgeP, none, kedgeP},
		"default":                              {kedgeP, kedgeP, kedgeP, kedgeP, none, kedgeP},
		"AWS_DEFAULT_PROFILE":                  {none, none, none, none, none, kedgeP},
		"no such AWS_PROFILE":                  {none, "error", none, "error", none, none},
		"process in the credentials file":      {kedgeP, kedgeP, kedgeP, kedgeP, kedgeP, kedgeP},
		"keys beside the process":              {kedgeP, none, none, kedgeP, none, "CONF"},
		"keys of the same name in credentials": {kedgeP, none, none, kedgeP, "CRED", "CRED"},
		"SSO beside keys":                      {"error", "error", "error", "error", "error", "error"},
		"role from the process":                {role, role, role, role, none, role},
		"role from the process and keys":       {role, none, none, "p BY CRED", none, "p BY CRED"},
		"role alone":                           {none, none, none, "error", none, "error"},
		"role from the environment, default":   {"ENV", "ENV", "default BY ENV", "ENV", "ENV", "ENV"},
		"role from an unknown source":          {none, none, none, "error", none, "error"},
		"token and AWS_PROFILE":                {"env BY TOKEN", "env BY TOKEN", "env BY TOKEN", kedgeP, "env BY TOKEN", "env BY TOKEN"},
		"token of a profile and keys":          {"p BY TOKEN", none, none, "p BY TOKEN", "CRED", "p BY TOKEN"},
		"container and default process":        {kedgeP, kedgeP, kedgeP, kedgeP, "CONTAINER", kedgeP},
		"AWS_CONFIG_FILE":                      {kedgeQ, kedgeQ, kedgeQ, kedgeQ, none, kedgeQ},
		"config with a line of nothing":        {none, none, none, "error", none, kedgeP},
		"section without profile":              {none, "error", none, none, none, kedgeP},
		"profile default":                      {kedgeP, kedgeP, kedgeP, kedgeP, kedgeP, kedgeP},
		"login beside the process":             {kedgeP, kedgeP, kedgeP, "error", "error", kedgeP},
		"metadata service of a profile":        {"SECOND", "SECOND", "SECOND", "SECOND", "SECOND", "SECOND"},
		"metadata disabled, 1":                 {none, none, none, none, none, none},
		"container, metadata disabled":         {"CONTAINER", "CONTAINER", "CONTAINER", "CONTAINER", "CONTAINER", "CONTAINER"},
		"role from a profile with a token":     {"p BY q BY TOKEN", "p BY q BY TOKEN", "p BY q BY TOKEN", "p BY q BY TOKEN", none, "p BY q BY TOKEN"},
		"role from itself with keys":           {none, none, none, "p BY CONF", none, "p BY CONF"},
		"role from the container endpoint":     {"p BY CONTAINER", "p BY CONTAINER", "p BY CONTAINER", "p BY CONTAINER", "p BY CONTAINER", "p BY CONTAINER"},
		"quoted program and last word":         {kedgeP, kedgeP, kedgeP, kedgeP, none, kedgeP},
		"secret without id in credentials":     {kedgeP, none, none, kedgeP, none, kedgeP},
	}
	w := newWorkplace(t)
	for i, c := range combinations() {
		ids, ok := want[c.name]
		if !ok {
			continue
		}
		delete(want, c.name)
		e := w.lay(t, i, c)
		for k, tool := range tools {
			a := answerOf(t, w.look(e), tool)
			if got := w.id(a.Source); got != ids[k] {
				t.Errorf("%s, %s: %s, want %s (%s)", c.name, tool, got, ids[k], a.Why)
			}
			if !a.Documented || !strings.HasSuffix(a.Why, " (by its documentation)") {
				t.Errorf("%s, %s: it does not say where it is from: %s", c.name, tool, a.Why)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("there are no such combinations: %v", want)
	}
}
