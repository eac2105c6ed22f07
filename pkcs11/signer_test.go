package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "crypto/sha512" // SHA-384 and SHA-512

	"kedge/internal/testenv"
	"kedge/internal/wire"
)

// everyKind is a token with a key of each kind, named by its type.
func everyKind(t *testing.T) (h *testenv.SoftHSM, kinds []string) {
	h = testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	kinds = []string{"EC:secp256r1", "EC:secp384r1", "EC:secp521r1", "rsa:2048", "rsa:3072", "rsa:4096"}
	for i, kind := range kinds {
		h.Generate(t, "t", kind, fmt.Sprintf("0%d", i), kind)
	}
	return h, kinds
}

func TestSign(t *testing.T) {
	t.Parallel()
	h, kinds := everyKind(t)
	modules := []struct {
		name string
		m    *Module
	}{
		{"as it is", load(t, h, Options{})},
		{"without CKM_RSA_PKCS", load(t, h, shim(t, h, "SHIM_WITHOUT=1"))},
		{"without CKM_RSA_PKCS and CKM_RSA_X_509", load(t, h, shim(t, h, "SHIM_WITHOUT=1", "SHIM_WITHOUT_TOO=3"))},
	}
	message := []byte("what is to be signed")
	for i, module := range modules {
		for _, kind := range kinds {
			k := open(t, module.m, "pkcs11:object="+kind)
			for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				h := hash.New()
				h.Write(message)
				digest := h.Sum(nil)
				name := fmt.Sprintf("%s, %s, %s", module.name, kind, hash)
				signature, err := k.Sign(rand.Reader, digest, hash)
				if i == 2 && strings.HasPrefix(kind, "rsa") {
					if err == nil || !strings.Contains(err.Error(), "no mechanism that signs a digest") {
						t.Errorf("%s: %v", name, err)
					}
				} else if err != nil || !verify(k.Public(), digest, signature, hash) {
					t.Errorf("%s: %v", name, err)
				}
				signature, err = k.SignMessage(rand.Reader, message, hash)
				if err != nil || !verify(k.Public(), digest, signature, hash) {
					t.Errorf("%s, message: %v", name, err)
				}
				if _, ok := k.Public().(*rsa.PublicKey); !ok {
					continue
				}
				for _, salt := range []int{rsa.PSSSaltLengthEqualsHash, rsa.PSSSaltLengthAuto, 20} {
					pss := &rsa.PSSOptions{SaltLength: salt, Hash: hash}
					signature, err := k.Sign(rand.Reader, digest, pss)
					if err != nil || rsa.VerifyPSS(k.Public().(*rsa.PublicKey), hash, digest, signature, pss) != nil {
						t.Errorf("%s, PSS with salt %d: %v", name, salt, err)
					}
				}
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Generate(t, "t", "rsa:2048", "01", "r")
	h.Generate(t, "t", "EC:prime256v1", "02", "e")
	m := load(t, h, Options{})
	r := open(t, m, "pkcs11:object=r")
	at := r.at.Load()
	curve, err := asn1.Marshal(curves()[0].oid)
	if err != nil {
		t.Fatal(err)
	}
	both := []wire.Attribute{{Type: attrToken, Value: []byte{1}}, {Type: attrLabel, Value: []byte("derives")}, {Type: attrID, Value: []byte{3}}}
	if _, err := at.p.call(t.Context(), &wire.Request{Op: wire.OpGenerate, Slot: at.token.ID, Mechanism: mechECKeyPairGen, Templates: [][]wire.Attribute{
		append(both[:3:3], wire.Attribute{Type: attrECParams, Value: curve}),
		append(both[:3:3], wire.Attribute{Type: attrSign, Value: []byte{0}}, wire.Attribute{Type: attrPrivate, Value: []byte{1}}),
	}}); err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 20)
	for _, c := range []struct {
		opts crypto.SignerOpts
		want string
	}{
		{crypto.SHA256, "the digest has 20 bytes, not 32 as SHA-256 has"},
		{crypto.SHA1, "hash function 3 is not supported"},
		{crypto.Hash(0), "hash function 0 is not supported"},
		{&rsa.PSSOptions{Hash: crypto.SHA1}, "hash function 3 is not supported"},
		{&rsa.PSSOptions{Hash: crypto.SHA512, SaltLength: -5}, "too short for PSS"},
	} {
		if _, err := r.Sign(rand.Reader, digest, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.opts, err, c.want)
		}
	}
	if _, err := r.SignMessage(rand.Reader, digest, crypto.Hash(0)); err == nil || !strings.Contains(err.Error(), "not available") {
		t.Errorf("a message without hash function: %v", err)
	}
	if _, err := m.Key(t.Context(), parse(t, "pkcs11:object=derives"), nil); err == nil || !strings.Contains(err.Error(), "does not let this key sign (CKA_SIGN is false)") {
		t.Errorf("a key that derives: %v", err)
	}
}

// TestWrongSignature: the first one is held against the public key, which may be of a
// certificate that somebody put under the wrong id.
func TestWrongSignature(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	k := open(t, load(t, h, shim(t, h, "SHIM_FLIP=1")), "pkcs11:object=k")
	if err := signOnce(k); err == nil || !strings.Contains(err.Error(), "does not verify with the public key") {
		t.Error(err)
	}
}

// TestManySignatures: 10,000 by 20 goroutines, without error, and without growth of the
// process that holds the module.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	k := open(t, load(t, h, Options{}), "pkcs11:object=k")
	p := k.at.Load().p
	many := func(n int) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range n / 20 {
					signs(t, k)
				}
			})
		}
		wg.Wait()
	}
	many(4000) // what it needs at all
	before := memory(t, p)
	many(10000)
	if after := memory(t, p); after > before+before/2 {
		t.Errorf("the process of the module grew from %d to %d KB", before, after)
	}
	if len(p.pending) != 0 || k.at.Load().p != p {
		t.Errorf("%d answers outstanding", len(p.pending))
	}
}

func pid(p *process) string { return strconv.Itoa(p.cmd.Process.Pid) }

// memory returns the resident size of a process in KB.
func memory(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", pid(p), "status"))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	size, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// TestEncodeECDSA: r and s keep their length on the token, and lose it in ASN.1.
func TestEncodeECDSA(t *testing.T) {
	public := &ecdsa.PublicKey{Curve: curves()[2].curve}
	raw := make([]byte, 132)
	raw[65], raw[131] = 0x80, 1
	der, err := encodeECDSA(raw, public)
	if want := []byte{0x30, 7, 2, 2, 0, 0x80, 2, 1, 1}; err != nil || !bytes.Equal(der, want) {
		t.Errorf("%x, %v, want %x", der, err, want)
	}
	if _, err := encodeECDSA(raw[1:], public); err == nil {
		t.Error("131 bytes are a signature of P-521")
	}
}

// TestBrief: the process ends with a signature, before the module is closed. The next signature has
// another, and nobody is asked for the PIN twice.
func TestBrief(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	person := &asker{pins: []string{"1234"}}
	m := load(t, h, Options{Brief: true, PIN: person.ask})
	k := open(t, m, "pkcs11:token=t;object=k")
	for range 3 {
		p := k.at.Load().p
		if !p.alive() {
			t.Fatal("it ended before it was used")
		}
		signs(t, k)
		<-p.ended
		if want := "ended by itself"; !strings.Contains(p.err.Error(), want) {
			t.Errorf("it %v, want: %s", p.err, want)
		}
		if _, err := k.found(t.Context()); err != nil { // the next one
			t.Fatal(err)
		}
	}
	if len(person.asked) != 1 {
		t.Errorf("asked %d times", len(person.asked))
	}
}
