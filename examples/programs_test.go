package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// programs is the folder with kedge, kedge-ca and kedge-emulator, which every user can reach.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kedge-examples-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	programs = dir
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		return 1
	}
	return m.Run()
}

// build builds the static programs, as "make build" does.
func build(dir string) error {
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "kedge/cmd/kedge", "kedge/cmd/kedge-ca", "kedge/cmd/kedge-emulator")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// program returns the path of one of the programs.
func program(name string) string { return filepath.Join(programs, name) }
