package config

import "strings"

// IsSecret tells the flags of the official helper that take a password itself.
func IsSecret(flag string) bool { return flag == "pkcs8-password" || flag == "tpm-key-password" }

// HideSecrets returns a value as it may be shown: without passwords and PINs.
func HideSecrets(flag, value string) string {
	switch {
	case IsSecret(flag):
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
