package testenv

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// helper is where the tests of the binary find kedge-pkcs11: building it takes a second, which
// each test would pay again.
var helper struct {
	sync.Mutex
	path string
}

// PKCS11Helper builds the program kedge-pkcs11, which needs a C compiler, and returns its path.
// The tests of a binary share it.
func PKCS11Helper(tb testing.TB) string {
	tb.Helper()
	compiler := Tool(tb, "gcc")
	helper.Lock()
	defer helper.Unlock()
	if helper.path != "" {
		return helper.path
	}
	path := filepath.Join(Root(tb), "build", "test", "kedge-pkcs11")
	own := fmt.Sprintf("%s.%d", path, os.Getpid()) // tests of several packages run at once
	cmd := exec.Command("go", "build", "-o", own, "./cmd/kedge-pkcs11")
	cmd.Dir = Root(tb)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CC="+compiler)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build kedge-pkcs11: %v\n%s", err, out)
	}
	if err := os.Rename(own, path); err != nil {
		tb.Fatal(err)
	}
	helper.path = path
	return path
}

// SoftHSM is a PKCS#11 module with tokens in a folder of the test's own.
type SoftHSM struct {
	Module string // path
	Dir    string // holds tokens/ and softhsm2.conf
}

// NewSoftHSM makes one without tokens, but for the uninitialised slot that SoftHSM always has.
func NewSoftHSM(tb testing.TB) *SoftHSM {
	tb.Helper()
	h := &SoftHSM{Dir: tb.TempDir()}
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			h.Module = path
		}
	}
	if h.Module == "" {
		Missing(tb, "softhsm2", "not installed; scripts/setup installs it")
	}
	if err := os.Mkdir(h.Tokens(), 0o700); err != nil {
		tb.Fatal(err)
	}
	conf := "directories.tokendir = " + h.Tokens() + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.WriteFile(filepath.Join(h.Dir, "softhsm2.conf"), []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	return h
}

// Tokens is the folder of the tokens, each a folder.
func (h *SoftHSM) Tokens() string { return filepath.Join(h.Dir, "tokens") }

// Environment is this process's, and what leads to the tokens.
func (h *SoftHSM) Environment() []string {
	return append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SOFTHSM2_CONF=") }),
		"SOFTHSM2_CONF="+filepath.Join(h.Dir, "softhsm2.conf"))
}

// InitToken makes a token with user PIN 1234 and SO PIN 12345678.
func (h *SoftHSM) InitToken(tb testing.TB, label string) {
	tb.Helper()
	h.run(tb, "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", "1234")
}

// SetSerial changes the serial number of the token with this label, 16 digits as SoftHSM gives
// them: the last eight are the number of its slot, in hexadecimal.
func (h *SoftHSM) SetSerial(tb testing.TB, label, serial string) {
	tb.Helper()
	if len(serial) != 16 {
		tb.Fatalf("serial number %q has %d digits", serial, len(serial))
	}
	h.patch(tb, label, 0x58, serial)
}

// SetLabel renames a token.
func (h *SoftHSM) SetLabel(tb testing.TB, label, to string) {
	tb.Helper()
	h.patch(tb, label, 0x20, fmt.Sprintf("%-32s", to))
}

// patch changes the file that describes a token: attributes, each its number, kind and length
// in eight bytes each, and its value; the label is the first.
func (h *SoftHSM) patch(tb testing.TB, label string, at int, value string) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(h.Tokens(), "*", "token.object"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		if !bytes.HasPrefix(data[0x20:], fmt.Appendf(nil, "%-32s", label)) {
			continue
		}
		copy(data[at:], value)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			tb.Fatal(err)
		}
		return
	}
	tb.Fatalf("no token %q in %s", label, h.Tokens())
}

// Tool runs pkcs11-tool, logged in to the token with this label, and returns what it printed.
func (h *SoftHSM) Tool(tb testing.TB, label string, args ...string) []byte {
	tb.Helper()
	return h.run(tb, "pkcs11-tool", append([]string{"--module", h.Module, "--token-label", label, "--login", "--pin", "1234"}, args...)...)
}

// Generate makes a key pair with OpenSC: typ as in EC:prime256v1 or rsa:2048, id in hexadecimal.
func (h *SoftHSM) Generate(tb testing.TB, token, typ, id, label string) {
	tb.Helper()
	h.Tool(tb, token, "--keypairgen", "--key-type", typ, "--id", id, "--label", label, "--usage-sign")
}

func (h *SoftHSM) run(tb testing.TB, name string, args ...string) []byte {
	tb.Helper()
	return runWith(tb, h.Environment(), name, args)
}

// runWith is Run with another environment.
func runWith(tb testing.TB, environment []string, name string, args []string) []byte {
	tb.Helper()
	cmd := exec.Command(Tool(tb, name), args...)
	cmd.Env = environment
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes()
}
