package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"kedge/internal/testenv"
)

// TestShippedAsTested builds the programs as they ship: the version of Go, tags, experiments and
// GODEBUG must be those that the tests are built with.
func TestShippedAsTested(t *testing.T) {
	t.Parallel()
	tested, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("the test has no build info")
	}
	dir := t.TempDir()
	targets, want := []string{"-s", "BUILD=" + dir, "build"}, 3
	if _, err := exec.LookPath("gcc"); err == nil {
		targets, want = append(targets, "pkcs11"), 4
	}
	build := exec.Command("make", targets...)
	build.Dir = testenv.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	programs, err := os.ReadDir(dir)
	if err != nil || len(programs) != want {
		t.Fatalf("make build made %v (%v), not %d programs", programs, err, want)
	}
	for _, program := range programs {
		shipped, err := buildinfo.ReadFile(filepath.Join(dir, program.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if shipped.GoVersion != tested.GoVersion {
			t.Errorf("%s is built with %s, its tests with %s", program.Name(), shipped.GoVersion, tested.GoVersion)
		}
		for _, key := range []string{"-tags", "GOEXPERIMENT", "DefaultGODEBUG", "GOAMD64"} {
			if have, want := buildSetting(tested, key), buildSetting(shipped, key); have != want {
				t.Errorf("%s ships with %s=%q, and this test is built with %q: run make test, or first \". scripts/flags\"", program.Name(), key, want, have)
			}
		}
	}
}

func buildSetting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
