package main

import (
	"slices"
	"testing"

	"kedge/internal/settings"
)

// TestSettings_everyFlag: each flag of a role can be set by a variable and in a profile, but those
// that take a password itself; nothing is in both groups of names.
func TestSettings_everyFlag(t *testing.T) {
	t.Parallel()
	shared := roleSettings()
	for _, name := range []string{"role-arn", "assume-role-arn", "tag", "cache", "timeout", "private-key"} {
		if shared.Lookup(name) == nil {
			t.Errorf("--%s cannot be in a profile", name)
		}
	}
	for _, name := range []string{"config", "profile", "config-profile", "help"} {
		if shared.Lookup(name) != nil {
			t.Errorf("--%s can be in a profile", name)
		}
	}
	if secretIn(settings.Setting{Key: "pkcs8-password", Values: []string{"x"}}) == "" {
		t.Error("a password can be in a profile")
	}
	known := []string{"credential-process", "exec", "export", "serve", "update"}
	if got := sections(); !slices.Equal(got, known) {
		t.Errorf("sections %q", got)
	}
}
