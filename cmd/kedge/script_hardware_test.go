package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/internal/testenv"
)

// inScript makes what is for tests serve a script: it fails and cleans up as the script does.
type inScript struct {
	testing.TB
	ts *testscript.TestScript
}

func (s inScript) Helper()                           {}
func (s inScript) Cleanup(f func())                  { s.ts.Defer(f) }
func (s inScript) Errorf(format string, args ...any) { s.ts.Logf(format, args...) }
func (s inScript) Error(args ...any)                 { s.ts.Logf("%v", args) }
func (s inScript) Log(args ...any)                   { s.ts.Logf("%v", args) }
func (s inScript) Fatal(args ...any)                 { s.ts.Fatalf("%v", args) }
func (s inScript) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s inScript) Skipf(format string, args ...any)  { s.ts.Fatalf(format, args...) }

func (s inScript) TempDir() string {
	dir, err := os.MkdirTemp(s.ts.Getenv("WORK"), "hardware")
	s.ts.Check(err)
	return dir
}

// tpm: starts a TPM of the script's own, and sets TPM to where it is and TPM2TOOLS_TCTI.
func startTPM(ts *testscript.TestScript, _ []string) {
	s := testenv.Swtpm(inScript{ts: ts})
	tcti := "swtpm:path=" + strings.TrimPrefix(s.Device, "unix:")
	ts.Setenv("TPM", s.Device)
	ts.Setenv("TPM2TOOLS_TCTI", tcti)
	ts.Setenv("TPM2OPENSSL_TCTI", tcti)
}

// softhsm TOKEN...: makes a SoftHSM of the script's own with these tokens, user PIN 1234, and sets
// MODULE to its path, and what leads to the tokens and to kedge-pkcs11.
func startSoftHSM(ts *testscript.TestScript, tokens []string) {
	tb := inScript{ts: ts}
	h := testenv.NewSoftHSM(tb)
	for _, label := range tokens {
		h.InitToken(tb, label)
	}
	ts.Setenv("MODULE", h.Module)
	ts.Setenv("TOKENS", h.Tokens())
	ts.Setenv("SOFTHSM2_CONF", filepath.Join(h.Dir, "softhsm2.conf"))
	ts.Setenv("KEDGE_PKCS11_HELPER", testenv.PKCS11Helper(tb))
}

// certify NAME ISSUER: makes NAME.pem, a leaf for the request in NAME.csr.
func certifyRequest(ts *testscript.TestScript, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0] + ".csr")))
	request, err := x509.ParseCertificateRequest(block.Bytes)
	ts.Check(err)
	ca, key := readPair(ts, args[1])
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: request.Subject, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}, ca, request.PublicKey, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
}
