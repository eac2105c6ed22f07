package testenv

import (
	"os"
	"path/filepath"
	"testing"
)

// TPM2PKCS11 is libtpm2-pkcs11, a PKCS#11 module of another kind than SoftHSM, on a TPM of the
// test's own.
type TPM2PKCS11 struct {
	Module string // path
	TPM    *SwtpmServer
	store  string // folder of its database
}

// NewTPM2PKCS11 makes one with a token: user PIN 1234, SO PIN 12345678.
func NewTPM2PKCS11(tb testing.TB, label string) *TPM2PKCS11 {
	tb.Helper()
	found, err := filepath.Glob("/usr/lib/*/pkcs11/libtpm2_pkcs11.so*")
	if err != nil || len(found) == 0 {
		Missing(tb, "libtpm2-pkcs11", "not installed; scripts/setup installs it")
	}
	m := &TPM2PKCS11{Module: found[0], TPM: Swtpm(tb), store: tb.TempDir()}
	m.run(tb, "--slot-index", "0", "--init-token", "--label", label, "--so-pin", "12345678")
	m.run(tb, "--token-label", label, "--login", "--login-type", "so", "--so-pin", "12345678", "--init-pin", "--pin", "1234")
	return m
}

// Environment is this process's, and what leads to the store and the TPM.
func (m *TPM2PKCS11) Environment(tb testing.TB) []string {
	tb.Helper()
	return append(os.Environ(), "TPM2_PKCS11_STORE="+m.store, "TPM2_PKCS11_TCTI="+m.TPM.tcti(tb), "TSS2_LOG=all+NONE", "TPM2_PKCS11_LOG_LEVEL=0")
}

// Tool runs pkcs11-tool, logged in to the token with this label, and returns what it printed.
func (m *TPM2PKCS11) Tool(tb testing.TB, label string, args ...string) []byte {
	tb.Helper()
	return m.run(tb, append([]string{"--token-label", label, "--login", "--pin", "1234"}, args...)...)
}

// Flush frees the TPM's slots of what a process with the module left in them. The module relies
// on a resource manager, which does that where there is one.
func (m *TPM2PKCS11) Flush(tb testing.TB) {
	tb.Helper()
	m.TPM.run(tb, m.store, "tpm2_flushcontext", "-t")
}

func (m *TPM2PKCS11) run(tb testing.TB, args ...string) []byte {
	tb.Helper()
	out := runWith(tb, m.Environment(tb), "pkcs11-tool", append([]string{"--module", m.Module}, args...))
	m.Flush(tb)
	return out
}
