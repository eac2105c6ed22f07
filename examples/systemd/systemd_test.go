package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestSecurity: the units are rated 2.0 or less.
func TestSecurity(t *testing.T) {
	for _, unit := range []string{"kedge-serve.service", "kedge-update.service"} {
		testenv.Run(t, ".", "systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
	}
}

// TestVerify: systemd understands every line, and kedge every flag.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	kedge := filepath.Join(dir, "kedge")
	if out, err := exec.Command("go", "build", "-o", kedge, "kedge/cmd/kedge").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, unit := range []string{"kedge-serve.service", "kedge-serve.socket", "kedge-update.service"} {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		here := strings.ReplaceAll(string(text), "/usr/local/bin/kedge", kedge)
		if err := os.WriteFile(filepath.Join(dir, unit), []byte(here), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, filepath.Join(dir, unit))
		checkFlags(t, here, kedge)
	}
	cmd := exec.Command(testenv.Tool(t, "systemd-analyze"), args...)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "kedge") {
		t.Errorf("%v: %s", err, out)
	}
}

// checkFlags runs the program of a unit with a configuration that is not there: it must get as far
// as that.
func checkFlags(t *testing.T, unit, kedge string) {
	t.Helper()
	_, line, ok := strings.Cut(unit, "ExecStart=")
	if !ok {
		return
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.ReplaceAll(line, "/etc/kedge/config.yaml", "/nosuch/config.yaml")
	out, err := exec.Command(kedge, strings.Fields(line)[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "/nosuch/config.yaml: no such file") {
		t.Errorf("%s: %v: %s", line, err, out)
	}
}
