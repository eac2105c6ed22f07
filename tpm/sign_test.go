package tpm_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"testing"

	"kedge/internal/testenv"
	"kedge/tpm"
)

func kindOf(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	}
	return fmt.Sprintf("%T", public)
}

// TestSign: every kind of key, made by every tool, below every parent, signs SHA-256.
func TestSign(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	ecc := []string{"-C", "o", "-G", "ecc256:aes128cfb", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"}
	rsaParent := []string{"-C", "o", "-G", "rsa2048:aes128cfb", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"}
	const sign = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
	auth := secret("kedge-auth")
	tests := []struct {
		name string
		file func(t *testing.T) []byte
		kind string
		auth func() ([]byte, error)
	}{
		{"openssl P-256", func(t *testing.T) []byte { return openssl(t, s, "EC", "group:P-256") }, "P-256", nil},
		{"openssl P-384", func(t *testing.T) []byte { return openssl(t, s, "EC", "group:P-384") }, "P-384", nil},
		{"openssl RSA-2048", func(t *testing.T) []byte { return openssl(t, s, "RSA", "bits:2048") }, "RSA-2048", nil},
		{"openssl RSA-3072", func(t *testing.T) []byte { return openssl(t, s, "RSA", "bits:3072") }, "RSA-3072", nil},
		{"openssl P-256 with auth", func(t *testing.T) []byte { return openssl(t, s, "EC", "group:P-256", "user-auth:kedge-auth") }, "P-256", auth},
		{"openssl RSA-2048 with auth", func(t *testing.T) []byte { return openssl(t, s, "RSA", "bits:2048", "user-auth:kedge-auth") }, "RSA-2048", auth},
		{"tools P-256", func(t *testing.T) []byte { return tools(t, s, ecc, []string{"-G", "ecc256", "-a", sign}) }, "P-256", nil},
		{"tools P-384 with auth", func(t *testing.T) []byte {
			return tools(t, s, ecc, []string{"-G", "ecc384", "-a", sign, "-p", "kedge-auth"})
		}, "P-384", auth},
		{"tools P-256, scheme fixed", func(t *testing.T) []byte { return tools(t, s, ecc, []string{"-G", "ecc256:ecdsa-sha256", "-a", sign}) }, "P-256", nil},
		{"tools P-384, scheme fixed", func(t *testing.T) []byte { return tools(t, s, ecc, []string{"-G", "ecc384:ecdsa-sha256", "-a", sign}) }, "P-384", nil},
		{"tools RSA-2048, scheme fixed", func(t *testing.T) []byte {
			return tools(t, s, ecc, []string{"-G", "rsa2048:rsassa-sha256", "-a", sign})
		}, "RSA-2048", nil},
		{"tools RSA-3072 that decrypts too", func(t *testing.T) []byte { return tools(t, s, ecc, []string{"-G", "rsa3072", "-a", sign + "|decrypt"}) }, "RSA-3072", nil},
		{"below the RSA primary", func(t *testing.T) []byte { return tools(t, s, rsaParent, []string{"-G", "ecc256", "-a", sign}) }, "P-256", nil},
		{"below the RSA primary, with auth", func(t *testing.T) []byte {
			return tools(t, s, rsaParent, []string{"-G", "ecc256", "-a", sign, "-p", "kedge-auth"})
		}, "P-256", auth},
		{"below tpm2_createprimary's own primary", func(t *testing.T) []byte {
			return tools(t, s, []string{"-C", "o", "-G", "ecc"}, []string{"-G", "ecc256", "-a", sign})
		}, "P-256", nil},
		{"below tpm2_createprimary's own RSA primary", func(t *testing.T) []byte {
			return tools(t, s, []string{"-C", "o", "-G", "rsa"}, []string{"-G", "rsa2048", "-a", sign})
		}, "RSA-2048", nil},
		{"auth of binary bytes", func(t *testing.T) []byte {
			return tools(t, s, ecc, []string{"-G", "ecc256", "-a", sign, "-p", "hex:6b00656467650000"})
		}, "P-256", secret("k\x00edge\x00\x00")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key := open(t, tpm.Config{Device: s.Device, File: test.file(t), KeyAuth: test.auth})
			if got := kindOf(key.Public()); got != test.kind {
				t.Fatalf("key is %s", got)
			}
			for range 3 {
				check(t, key, crypto.SHA256)
			}
			key.Close()
			if left := s.Transient(t); left != "" {
				t.Errorf("left in the TPM: %s", left)
			}
		})
	}
}

// TestHandle: keys under a persistent handle.
func TestHandle(t *testing.T) {
	t.Parallel()
	s := testenv.SwtpmTCP(t)
	plain := persist(t, s, 0x81000010, "-G", "ecc256")
	withAuth := persist(t, s, 0x81000011, "-G", "rsa2048:rsassa-sha256:null", "-p", "kedge-auth")
	check(t, open(t, tpm.Config{Device: s.Device, Handle: plain}), crypto.SHA256)
	check(t, open(t, tpm.Config{Device: s.Device, Handle: withAuth, KeyAuth: secret("kedge-auth")}), crypto.SHA256)
}

// TestBrief: taken out of the TPM after each signature, the key is back for the next.
func TestBrief(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	file, err := tpm.Create(t.Context(), tpm.CreateOptions{Device: s.Device, Type: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	key := open(t, tpm.Config{Device: s.Device, File: file, Brief: true})
	for range 3 {
		check(t, key, crypto.SHA256)
		if left := s.Transient(t); left != "" { // it waits for the connection to end
			t.Errorf("left in the TPM: %s", left)
		}
	}
	key.Close()
	if err := trySign(key, crypto.SHA256); !errors.Is(err, tpm.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
