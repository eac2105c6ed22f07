package main

import (
	"slices"
	"strings"

	"kedge/internal/settings"
)

// secretIn says why a setting must not be in a file that others may read.
func secretIn(s settings.Setting) string {
	switch {
	case isSecret(s.Key):
		return s.Key + ": a password does not belong into the configuration: say where it is, with key-password-from: PATH"
	case slices.ContainsFunc(s.Values, func(v string) bool { return hideSecrets(s.Key, v) != v }):
		return s.Key + ": there is a password or PIN in it, which does not belong into the configuration"
	}
	return ""
}

// isSecret tells the flags of the official helper that take a password itself.
func isSecret(flag string) bool { return flag == "pkcs8-password" || flag == "tpm-key-password" }

// hideSecrets returns a value as it may be shown: without passwords and PINs.
func hideSecrets(flag, value string) string {
	switch {
	case isSecret(flag):
		return "(hidden)"
	case strings.HasPrefix(value, "pkcs11:"):
		return hidePIN(value)
	case strings.Contains(value, "://"):
		return hideUser(value)
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

// hideUser hides what stands before the host of a URL, if there is a password in it.
func hideUser(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, slash := strings.Cut(rest, "/")
	at := strings.LastIndexByte(host, '@')
	if at < 0 || !strings.Contains(host[:at], ":") {
		return address
	}
	address = scheme + "://(hidden)" + host[at:]
	if slash {
		address += "/" + path
	}
	return address
}
