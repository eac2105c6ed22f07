package main

import (
	"os"
	"strings"
	"testing"

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
