package keys

import (
	"crypto"

	"kedge/internal/pkcs8"
)

// Recipe says which key to make in memory, and how it is written.
type Recipe struct {
	Kind
	Form pkcs8.MLDSAForm // of an ML-DSA key; the others have one
}

// Generate makes a key, and its PKCS#8 encoding, which is the caller's to clear.
func (r Recipe) Generate() (key crypto.Signer, der []byte, err error) { return r.Kind.Generate(r.Form) }
