package main

import (
	"slices"

	"kedge/internal/config"
	"kedge/internal/settings"
)

// secretIn describes why a setting must not be in a file that others may read.
func secretIn(s settings.Setting) string {
	switch {
	case config.IsSecret(s.Key):
		return s.Key + ": a password does not belong into the configuration: say where it is, with key-password-from: PATH"
	case slices.ContainsFunc(s.Values, func(v string) bool { return config.HideSecrets(s.Key, v) != v }):
		return s.Key + ": there is a password or PIN in it, which does not belong into the configuration"
	}
	return ""
}
