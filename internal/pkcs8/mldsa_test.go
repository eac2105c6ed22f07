package pkcs8_test

import (
	"bytes"
	"crypto"
	"crypto/mldsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"

	"kedge/internal/pkcs8"
	"kedge/internal/testenv"
)

// rfc9881 returns the contents of one of the PEM files from the appendix of RFC 9881.
func rfc9881(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(tb), "signer/testdata/keys/rfc9881", name))
	if err != nil {
		tb.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		tb.Fatalf("%s: no PEM", name)
	}
	return block.Bytes
}

// exampleSeed is the seed of every example key in RFC 9881 appendix C.
func exampleSeed() []byte {
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(i)
	}
	return seed
}

func TestRFC9881Keys(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"ml-dsa-44", "ml-dsa-65", "ml-dsa-87"} {
		public, err := x509.ParsePKIXPublicKey(rfc9881(t, set+"-pub.pem"))
		if err != nil {
			t.Fatal(err)
		}
		key, err := pkcs8.ParseMLDSA(rfc9881(t, set+"-key-seed.pem"))
		if err != nil {
			t.Fatalf("%s: %v", set, err)
		}
		for _, form := range []pkcs8.MLDSAForm{pkcs8.FormSeed, pkcs8.FormExpanded, pkcs8.FormBoth} {
			der, err := pkcs8.MarshalMLDSA(key.(*mldsa.PrivateKey), form)
			if err != nil {
				t.Fatal(err)
			}
			again, err := pkcs8.ParseMLDSA(der)
			if err != nil {
				t.Fatalf("%s form %d: %v", set, form, err)
			}
			if !public.(*mldsa.PublicKey).Equal(again.Public()) {
				t.Errorf("%s form %d: another public key", set, form)
			}
			checkSigns(t, again)
		}
	}
}

func checkSigns(t *testing.T, key crypto.Signer) {
	t.Helper()
	message := []byte("AWS4-X509-MLDSA")
	for range 2 { // hedged signatures differ, and both verify
		signature, err := key.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := mldsa.Verify(key.Public().(*mldsa.PublicKey), message, signature, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRFC9881Bytes: the appendix prints the other forms for ML-DSA-44; ours are the same bytes.
func TestRFC9881Bytes(t *testing.T) {
	t.Parallel()
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), exampleSeed())
	if err != nil {
		t.Fatal(err)
	}
	for form, name := range map[pkcs8.MLDSAForm]string{
		pkcs8.FormSeed:     "ml-dsa-44-key-seed.pem",
		pkcs8.FormExpanded: "ml-dsa-44-key-expanded.pem",
		pkcs8.FormBoth:     "ml-dsa-44-key-both.pem",
	} {
		got, err := pkcs8.MarshalMLDSA(key, form)
		if err != nil || !bytes.Equal(got, rfc9881(t, name)) {
			t.Errorf("%s: other bytes (%v)", name, err)
		}
	}
}

// expanded returns the expanded form of the key with the example seed.
func expanded(t *testing.T, scheme sign.Scheme) []byte {
	t.Helper()
	_, key := scheme.DeriveKey(exampleSeed())
	data, err := key.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSeedlessKey: what a key without its seed signs, crypto/mldsa verifies, with a context and without.
func TestSeedlessKey(t *testing.T) {
	t.Parallel()
	for std, scheme := range map[mldsa.Parameters]sign.Scheme{
		mldsa.MLDSA44(): mldsa44.Scheme(), mldsa.MLDSA65(): mldsa65.Scheme(), mldsa.MLDSA87(): mldsa87.Scheme(),
	} {
		seeded, err := mldsa.NewPrivateKey(std, exampleSeed())
		if err != nil {
			t.Fatal(err)
		}
		key, err := pkcs8.NewSeedlessKey(std, expanded(t, scheme))
		if err != nil {
			t.Fatal(err)
		}
		if !key.Equal(seeded) {
			t.Errorf("%v: not equal to the same key with its seed", std)
		}
		for _, options := range []*mldsa.Options{{}, {Context: "c"}, {Context: string(make([]byte, 255))}} {
			message := []byte("AWS4-X509-MLDSA")
			signature, err := key.Sign(nil, message, options)
			if err != nil {
				t.Fatal(err)
			}
			if err := mldsa.Verify(seeded.PublicKey(), message, signature, options); err != nil {
				t.Errorf("%v, context of %d bytes: %v", std, len(options.Context), err)
			}
		}
		for _, tt := range []struct {
			message []byte
			opts    crypto.SignerOpts
			wantErr string
		}{
			{make([]byte, 32), crypto.SHA256, "ML-DSA signs the message itself, not its hash by SHA-256"},
			{make([]byte, 64), crypto.MLDSAMu, "ML-DSA signs the message itself, not its hash by "},
			{nil, &mldsa.Options{Context: string(make([]byte, 256))}, "ML-DSA: a context longer than 255 bytes"},
		} {
			if _, err := key.Sign(nil, tt.message, tt.opts); err == nil || !strings.HasPrefix(err.Error(), tt.wantErr) {
				t.Errorf("error %v, want %q", err, tt.wantErr)
			}
		}
	}
}

func TestSeedlessKey_malformed(t *testing.T) {
	t.Parallel()
	good := expanded(t, mldsa65.Scheme())
	const s1, t0 = 128, 128 + 11*128
	const mixed = "expanded ML-DSA key: its parts do not belong together"
	for _, tt := range []struct {
		name    string
		change  func(key []byte) []byte
		wantErr string
	}{
		{"empty", func([]byte) []byte { return nil }, "ML-DSA-65 expanded key of 0 bytes, must be 4032"},
		{"short", func(k []byte) []byte { return k[:len(k)-1] }, "ML-DSA-65 expanded key of 4031 bytes, must be 4032"},
		{"s1 above eta", func(k []byte) []byte { k[s1] = 0x09; return k }, "ML-DSA-65 expanded key: a secret coefficient is out of range"},
		{"s2 above eta", func(k []byte) []byte { k[t0-1] = 0xf0; return k }, "ML-DSA-65 expanded key: a secret coefficient is out of range"},
		{"rho", func(k []byte) []byte { k[0] ^= 1; return k }, mixed},
		{"tr", func(k []byte) []byte { k[64] ^= 1; return k }, mixed},
		{"s1", func(k []byte) []byte { k[s1] = (k[s1]&15 + 1) % 9; return k }, mixed},
	} {
		if _, err := pkcs8.NewSeedlessKey(mldsa.MLDSA65(), tt.change(slices.Clone(good))); err == nil || err.Error() != tt.wantErr {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.wantErr)
		}
	}
	// The public key does not tell what t0 is.
	for _, fill := range []byte{0x00, 0xff} {
		changed := slices.Clone(good)
		for i := t0; i < len(changed); i++ {
			changed[i] = fill
		}
		key, err := pkcs8.NewSeedlessKey(mldsa.MLDSA65(), changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := key.Sign(nil, []byte("message"), nil); err == nil || err.Error() != mixed {
			t.Errorf("t0 of %x: error %v, want %q", fill, err, mixed)
		}
	}
}

func TestParseMLDSA_malformed(t *testing.T) {
	t.Parallel()
	good := rfc9881(t, "ml-dsa-44-key-both.pem")
	// Byte 0x20 of the seed, the first of the expanded key after it.
	disagree := slices.Clone(good)
	disagree[len(good)-2560-4-1] ^= 1
	wrongOID := slices.Clone(good)
	wrongOID[bytes.Index(good, []byte{0x03, 0x11})+1] = 0x7f
	for _, tt := range []struct {
		name    string
		der     []byte
		wantErr string
	}{
		{"empty", nil, "malformed PKCS#8"},
		{"trailing", append(slices.Clone(good), 0), "malformed PKCS#8"},
		{"both disagree", disagree, "ML-DSA-44 key: seed and expanded key disagree"},
		{"other algorithm", wrongOID, "algorithm 2.16.840.1.101.3.4.3.127 is not ML-DSA"},
		{"no choice", withPrivateKey(t, []byte{0x05, 0x00}), "ML-DSA-44 key: neither seed, expanded key nor both"},
		{"empty choice", withPrivateKey(t, nil), "ML-DSA-44 key: neither seed, expanded key nor both"},
		{"bad pair", withPrivateKey(t, []byte{0x30, 0x00}), "ML-DSA-44 key: malformed pair of seed and expanded key"},
		{"short seed in pair", withPrivateKey(t, []byte{0x30, 0x04, 0x04, 0x00, 0x04, 0x00}), "ML-DSA-44 seed of 0 bytes, must be 32"},
		{"short seed", withPrivateKey(t, []byte{0x80, 0x01, 0x00}), "mldsa: invalid seed length"},
	} {
		if _, err := pkcs8.ParseMLDSA(tt.der); err == nil || err.Error() != tt.wantErr {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.wantErr)
		}
	}
}

// withPrivateKey wraps contents as an ML-DSA-44 key.
func withPrivateKey(t *testing.T, contents []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Version    int
		Algorithm  struct{ OID asn1.ObjectIdentifier }
		PrivateKey []byte
	}{0, struct{ OID asn1.ObjectIdentifier }{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}}, contents})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// FuzzMLDSAKey: what parses has a public key, signs so that it verifies, and, where the seed
// is known, is written and read again as the same key. A key without a seed may refuse to sign: that its
// t0 is another key's shows only then.
func FuzzMLDSAKey(f *testing.F) {
	for _, form := range []string{"seed", "expanded", "both"} {
		f.Add(rfc9881(f, "ml-dsa-44-key-"+form+".pem"))
	}
	f.Add(rfc9881(f, "ml-dsa-65-key-seed.pem"))
	f.Add(rfc9881(f, "ml-dsa-87-key-seed.pem"))
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := pkcs8.ParseMLDSA(der)
		if err != nil {
			return
		}
		seeded, ok := key.(*mldsa.PrivateKey)
		if !ok {
			message := []byte("AWS4-X509-MLDSA")
			if signature, err := key.Sign(nil, message, crypto.Hash(0)); err == nil && mldsa.Verify(key.Public().(*mldsa.PublicKey), message, signature, nil) != nil {
				t.Fatal("its signature does not verify")
			}
			return
		}
		checkSigns(t, key)
		again, err := pkcs8.MarshalMLDSA(seeded, pkcs8.FormBoth)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := pkcs8.ParseMLDSA(again); err != nil || !seeded.Equal(same) {
			t.Fatalf("read again: %v", err)
		}
	})
}
