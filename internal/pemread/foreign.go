package pemread

import "bytes"

// describe names text that holds no PEM and no base64.
func describe(text []byte) error {
	if bytes.Contains(text, []byte("BEGIN ")) && bytes.Contains(text, []byte("END ")) {
		return fail(Damaged, "its line BEGIN lacks the five hyphens on each side")
	}
	start := bytes.TrimSpace(text)
	start = start[:min(len(start), 64)]
	for _, known := range foreign() {
		if beginsWith(start, known.prefix) {
			return fail(Foreign, "it is %s", known.what)
		}
	}
	return fail(Foreign, "it is neither PEM nor DER nor base64 of them")
}

// beginsWith compares without regard to the case of ASCII letters; bytes.ToLower would change bytes
// that are not UTF-8.
func beginsWith(data []byte, prefix string) bool {
	if len(data) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := data[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

type format struct{ prefix, what string }

// foreign lists what people hand over by mistake, by how it begins in lower case.
func foreign() []format {
	return []format{
		{"<!doctype html", "an HTML page"},
		{"<html", "an HTML page"},
		{"<", "XML"},
		{"{", "JSON"},
		{"[", "JSON"},
		{"putty-user-key-file", "a PuTTY key; convert it with puttygen"},
		{"ssh-", "an OpenSSH public key"},
		{"ecdsa-sha2-", "an OpenSSH public key"},
		{"---- begin ssh2", "an SSH2 public key"},
		{"\xfe\xed\xfe\xed", "a Java keystore; convert it: keytool -importkeystore -deststoretype PKCS12"},
		{"pk\x03\x04", "a ZIP archive; unpack it first"},
		{"\x1f\x8b", "compressed with gzip; unpack it first"},
	}
}
