package hostfiles

import (
	"fmt"
	"path/filepath"
	"strings"

	"kedge/internal/dn"
)

// Paths are the files of one name. Empty ones are not written, or unknown.
type Paths struct {
	Key         string `json:"key,omitempty"`
	KeyURI      string `json:"key_uri,omitempty"` // of a key in hardware
	Certificate string `json:"certificate"`
	Chain       string `json:"chain,omitempty"`
	FullChain   string `json:"full_chain,omitempty"`
	PKCS12      string `json:"pkcs12,omitempty"`
}

// In returns the paths for a common name in a folder.
func In(dir, commonName string) (Paths, error) {
	name := dn.FileName(commonName)
	if name == "" {
		return Paths{}, fmt.Errorf("the name %q has nothing to call files after", commonName)
	}
	base := filepath.Join(dir, name)
	return pathsOf(base, base+".pem"), nil
}

// Beside returns the paths for the name that a certificate's file has.
func Beside(certificate string) Paths {
	base := certificate
	for _, ending := range []string{".pem", ".crt", ".cer"} {
		base = strings.TrimSuffix(base, ending)
	}
	return pathsOf(base, certificate)
}

func pathsOf(base, certificate string) Paths {
	return Paths{Key: base + ".key", Certificate: certificate, Chain: base + ".chain.pem", FullChain: base + ".fullchain.pem", PKCS12: base + ".p12"}
}

// String lists the paths in words.
func (p Paths) String() string {
	var paths []string
	for _, path := range []string{p.Key, p.Certificate, p.Chain, p.FullChain, p.PKCS12} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return strings.Join(paths, ", ")
}
