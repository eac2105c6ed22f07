package keys

import (
	"crypto"

	"kedge/internal/pkcs8"
)

// Recipe is a type of key to generate in memory, and the form to write it in.
type Recipe struct {
	Kind
	Form pkcs8.MLDSAForm // of an ML-DSA key; others have only one
}

// Generate generates a key, and returns its PKCS#8 encoding, which the caller should clear.
func (r Recipe) Generate() (key crypto.Signer, der []byte, err error) { return r.Kind.Generate(r.Form) }
