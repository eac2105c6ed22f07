package keys

import (
	"crypto"
	"encoding/pem"
	"testing"

	"kedge/internal/pkcs8"
	"kedge/signer/keyfile"
)

// What is written in each kind and form is read back as the same key.
func TestRecipe(t *testing.T) {
	tests := []struct {
		kind, form string
		min, max   int // bytes of PKCS#8
	}{
		{"P-256", "seed", 100, 200},
		{"p-384", "seed", 150, 250},
		{"P-521", "seed", 200, 300},
		{"RSA-2048", "seed", 1100, 1300},
		{"ML-DSA-44", "seed", 54, 54}, // RFC 9881, appendix C
		{"ML-DSA-65", "seed", 54, 54},
		{"ML-DSA-87", "seed", 54, 54},
		{"ML-DSA-44", "expanded", 2560 + 20, 2560 + 40}, // FIPS 204, table 2
		{"ML-DSA-65", "expanded", 4032 + 20, 4032 + 40},
		{"ML-DSA-87", "expanded", 4896 + 20, 4896 + 40},
		{"ML-DSA-44", "both", 2560 + 32 + 20, 2560 + 32 + 40},
		{"ML-DSA-65", "both", 4032 + 32 + 20, 4032 + 32 + 40},
		{"ML-DSA-87", "both", 4896 + 32 + 20, 4896 + 32 + 40},
	}
	for _, tt := range tests {
		kind, err := ParseKind(tt.kind)
		if err != nil {
			t.Fatal(err)
		}
		form, err := pkcs8.ParseMLDSAForm(tt.form)
		if err != nil {
			t.Fatal(err)
		}
		key, der, err := Recipe{kind, form}.Generate()
		if err != nil {
			t.Fatal(err)
		}
		if len(der) < tt.min || len(der) > tt.max {
			t.Errorf("%s, %s: %d bytes, want %d to %d", tt.kind, tt.form, len(der), tt.min, tt.max)
		}
		read, err := keyfile.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
		if err != nil {
			t.Errorf("%s, %s: %v", tt.kind, tt.form, err)
			continue
		}
		public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !public.Equal(read.Public()) {
			t.Errorf("%s, %s: another key was read back", tt.kind, tt.form)
		}
	}
}
