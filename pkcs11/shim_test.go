package pkcs11

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// shim builds testdata/shim.c, and returns options that load it before SoftHSM with these
// variables.
func shim(t testing.TB, h *testenv.SoftHSM, variables ...string) Options {
	t.Helper()
	dir := strings.TrimSpace(string(testenv.Run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11")))
	path := filepath.Join(t.TempDir(), "shim.so")
	testenv.Run(t, ".", "gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-I", dir, "-o", path, "testdata/shim.c", "-ldl")
	return Options{Module: path, Environment: append(append(h.Environment(), "SHIM_MODULE="+h.Module), variables...)}
}

// oneKey is a SoftHSM with one token and an EC key on it.
func oneKey(t testing.TB) *testenv.SoftHSM {
	t.Helper()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Generate(t, "t", "EC:prime256v1", "01", "k")
	return h
}

// count returns how often the shim noted a call.
func count(t testing.TB, log, what string) int {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(data) {
		if strings.HasPrefix(string(line), what) {
			n++
		}
	}
	return n
}
