package dn

import "strings"

// FileName returns a file name for a common name: slashes and the like, as in a SPIFFE ID, are
// replaced, and it is neither a hidden file nor a flag. It is empty if nothing is left.
func FileName(commonName string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) {
			return '_'
		}
		return r
	}, commonName)
	return strings.TrimLeft(name, ".-")
}
