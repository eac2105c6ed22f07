package main

import (
	"slices"
	"testing"

	"kedge/internal/settings"
)

// TestHideSecrets: neither show nor the errors of a file have a password or PIN in them.
func TestHideSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, value, want string }{
		{"region", "eu-west-1", "eu-west-1"},
		{"pkcs8-password", "hunter2", "(hidden)"},
		{"tpm-key-password", "hunter2", "(hidden)"},
		{"proxy", "http://proxy.example.com:3128/a@b:c", "http://proxy.example.com:3128/a@b:c"},
		{"proxy", "http://me@proxy.example.com", "http://me@proxy.example.com"},
		{"proxy", "http://me:hunter2@proxy.example.com:3128/x", "http://(hidden)@proxy.example.com:3128/x"},
		{"proxy", "http://me:a@b@proxy.example.com", "http://(hidden)@proxy.example.com"},
		{"private-key", "pkcs11:object=web;type=private", "pkcs11:object=web;type=private"},
		{"private-key", "pkcs11:object=web?pin-source=file:/pin", "pkcs11:object=web?pin-source=file:/pin"},
		{"private-key", "pkcs11:object=web?pin-value=1234&module-name=x", "pkcs11:object=web?pin-value=(hidden)&module-name=x"},
		{"certificate", "pkcs11:object=web?PIN-VALUE=1234", "pkcs11:object=web?pin-value=(hidden)"},
	} {
		if got := hideSecrets(tt.flag, tt.value); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.flag, tt.value, got, tt.want)
		}
	}
}

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
