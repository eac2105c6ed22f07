package tpm_test

import (
	"crypto"
	"crypto/sha256"
	"net"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// BenchmarkSign compares with go-tpm alone: one key that stays loaded, one connection that
// stays open, nothing that could go wrong.
func BenchmarkSign(b *testing.B) {
	s := testenv.Swtpm(b)
	digest := sha256.Sum256(nil)
	handle := persist(b, s, 0x81000070, "-G", "ecc256")
	b.Run("go-tpm", func(b *testing.B) { benchmarkBare(b, s, tpm2.TPMHandle(handle), digest[:]) })
	for name, auth := range map[string]func() ([]byte, error){"without auth": nil, "with auth": secret("kedge-auth")} {
		file, err := tpm.Create(b.Context(), tpm.CreateOptions{Device: s.Device, Type: "P-256", KeyAuth: auth})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("kedge "+name, func(b *testing.B) {
			key := open(b, tpm.Config{Device: s.Device, File: file, KeyAuth: auth})
			for b.Loop() {
				if _, err := key.Sign(nil, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
			key.Close()
		})
	}
}

func benchmarkBare(b *testing.B, s *testenv.SwtpmServer, handle tpm2.TPMHandle, digest []byte) {
	conn, err := net.Dial("unix", strings.TrimPrefix(s.Device, "unix:"))
	if err != nil {
		b.Fatal(err)
	}
	dev := transport.FromReadWriteCloser(conn)
	defer dev.Close()
	public, err := tpm2.ReadPublic{ObjectHandle: handle}.Execute(dev)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, err := tpm2.Sign{
			KeyHandle:  tpm2.AuthHandle{Handle: handle, Name: public.Name, Auth: tpm2.PasswordAuth(nil)},
			Digest:     tpm2.TPM2BDigest{Buffer: digest},
			InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256})},
			Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck},
		}.Execute(dev)
		if err != nil {
			b.Fatal(err)
		}
	}
}
