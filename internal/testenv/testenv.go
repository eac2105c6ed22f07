// Package testenv finds the real peers that tests run against (openssl, certtool, the AWS
// CLI, node) and decides what their absence means: a skip that names the reason on a
// developer's machine, a failure in CI, where KEDGE_TEST_REQUIRE lists what must be there.
package testenv

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Tool returns the path of an installed program. Without it the test is skipped, or fails
// when KEDGE_TEST_REQUIRE (a comma-separated list, or "all") names the program.
func Tool(tb testing.TB, name string) string {
	tb.Helper()
	// Debian's own build is the peer that is meant, wherever else one may lie in PATH.
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		if path := filepath.Join(dir, name); isExecutable(path) {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(tb, name, "not installed; scripts/setup installs it")
	}
	return path
}

// Missing ends the test: as a skip, or as a failure when what is required.
func Missing(tb testing.TB, what, why string) {
	tb.Helper()
	required := strings.Split(os.Getenv("KEDGE_TEST_REQUIRE"), ",")
	if slices.Contains(required, what) || slices.Contains(required, "all") {
		tb.Fatalf("%s: %s, and KEDGE_TEST_REQUIRE asks for it", what, why)
	}
	tb.Skipf("%s: %s", what, why)
}

// Run runs a peer in dir and returns its standard output; a failure ends the test with
// what the peer said.
func Run(tb testing.TB, dir, name string, args ...string) []byte {
	tb.Helper()
	cmd := exec.Command(Tool(tb, name), args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// Number returns the value of an environment variable that sizes or seeds a test; 0 if it is not set.
func Number(tb testing.TB, variable string) uint64 {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		tb.Fatalf("%s: %v", variable, err)
	}
	return n
}

// Root returns the top folder of the project: the nearest one above the test that has a go.mod.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the test's folder")
		}
	}
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}
