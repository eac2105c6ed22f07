package config

import (
	"strings"

	"kedge/internal/keys"
)

// IsSecret tells the flags of the official helper that take a password itself.
func IsSecret(flag string) bool { return flag == "pkcs8-password" || flag == "tpm-key-password" }

// HideSecrets returns a value as it may be shown: without passwords and PINs.
func HideSecrets(flag, value string) string {
	switch {
	case IsSecret(flag):
		return "(hidden)"
	case keys.IsTokenURI(value):
		return hidePIN(value)
	case flag == "proxy" || strings.Contains(value, "://"):
		return hideLogin(value)
	}
	return value
}

// hidePIN hides the attribute pin-value of an RFC 7512 URI.
func hidePIN(uri string) string {
	const attribute = "pin-value="
	i := strings.Index(strings.ToLower(uri), attribute)
	if i < 0 {
		return uri
	}
	rest := uri[i+len(attribute):]
	if end := strings.IndexAny(rest, "&;?"); end >= 0 {
		return uri[:i] + attribute + "(hidden)" + rest[end:]
	}
	return uri[:i] + attribute + "(hidden)"
}

// hideLogin hides what stands before the last @ of a URL, with a scheme or without, if there is a password
// in it. That a / belongs to no login does not count: people forget to escape it.
func hideLogin(address string) string {
	start := 0
	if i := strings.Index(address, "://"); i >= 0 {
		start = i + len("://")
	}
	at := strings.LastIndexByte(address, '@')
	if at < start || !strings.Contains(address[start:at], ":") {
		return address
	}
	return address[:start] + "(hidden)" + address[at:]
}
