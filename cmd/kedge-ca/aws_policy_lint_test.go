package main

import (
	"bytes"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// TestAWSPolicyLint_flags: flags that name nothing are wrong usage, not the wish to take what is known.
func TestAWSPolicyLint_flags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, value, want string }{
		{"--trust-anchor", "", `"" is not the ARN of a trust anchor`},
		{"--trust-anchor", "x", `"x" is not the ARN of a trust anchor`},
		{"--profile-file", "-", "give a file"},
	} {
		var stderr bytes.Buffer
		code := run(t.Context(), []string{"aws", "policy", "lint", "trust.json", tt.flag, tt.value}, cli.Streams{Err: &stderr})
		if want := "kedge-ca: error: " + tt.flag + ": " + tt.want; code != cli.ExitUsage || !strings.HasPrefix(stderr.String(), want) {
			t.Errorf("%s %q: exit %d: %s", tt.flag, tt.value, code, &stderr)
		}
	}
}
