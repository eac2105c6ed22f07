package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"kedge/signer"
)

// Cache is where --cache leads.
type Cache struct {
	Dir string // empty: nowhere

	// Parent must be a folder that this user alone can write to, or there is no cache; empty
	// when the user named the folder.
	Parent string
}

// ParseCache reads the value of --cache: "auto", which is the user's runtime directory, where
// there is one; "off"; or the path of a folder. The error is a *FlagError.
//
// Source: XDG Base Directory Specification, $XDG_RUNTIME_DIR; a relative path there is invalid.
func ParseCache(flag string) (Cache, error) {
	switch {
	case flag == "off":
		return Cache{}, nil
	case flag == "auto":
		runtime := os.Getenv("XDG_RUNTIME_DIR")
		if !filepath.IsAbs(runtime) {
			return Cache{}, nil
		}
		return Cache{Dir: filepath.Join(runtime, "kedge"), Parent: runtime}, nil
	case !strings.ContainsRune(filepath.ToSlash(flag), '/') || strings.ContainsRune(flag, 0):
		return Cache{}, flagErrorf("cache", "%q is neither auto nor off, and no path with a slash", flag)
	}
	return Cache{Dir: filepath.Clean(flag)}, nil
}

// CertificateHash is a SHA-256 of the bytes that the certificate is read from, in hexadecimal:
// it tells certificates apart without looking into them, and a new one from the old. It is
// empty where they can be read only once, are not in a file, or cannot be read.
func (k *Keys) CertificateHash() string {
	if k.certificate.kind != fileInput && k.certificate.kind != envInput {
		return ""
	}
	data, err := k.certificate.read(nil, signer.MaxFile)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
