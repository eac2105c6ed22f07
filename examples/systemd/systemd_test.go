package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// kedge is the program, in a folder that every user can reach.
var kedge string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kedge-units-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	kedge = filepath.Join(dir, "kedge")
	if err == nil {
		err = exec.Command("go", "build", "-o", dir, "kedge/cmd/kedge", "kedge/cmd/kedge-ca").Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build kedge:", err)
		return 1
	}
	return m.Run()
}

// TestSecurity: the units that run kedge are rated 1.5 or less.
func TestSecurity(t *testing.T) {
	for _, name := range units(t) {
		if line := commandLine(unit(t, name)); len(line) > 0 && strings.HasPrefix(line[0], kedge) {
			testenv.Run(t, ".", "systemd-analyze", "security", "--offline=yes", "--threshold=15", instance(t, t.TempDir(), name))
		}
	}
}

// TestReload: what is reloaded gets the signal by ExecReload=, as systemd before 253 requires, and the drop-in of
// 253 replaces the one by the other.
func TestReload(t *testing.T) {
	drop, err := os.ReadFile("notify-reload.conf")
	if err != nil || !strings.HasSuffix(string(drop), "[Service]\nType=notify-reload\nExecReload=\n") {
		t.Errorf("%v: %s", err, drop)
	}
	for _, name := range []string{"kedge-serve.service", "kedge-ca.service"} {
		text := unit(t, name)
		for _, line := range []string{"Type=notify", "ExecReload=/bin/kill -HUP $MAINPID", "WatchdogSec=60"} {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("%s lacks %s", name, line)
			}
		}
	}
}

// units returns the names of all units.
func units(t *testing.T) (names []string) {
	t.Helper()
	for _, kind := range []string{"service", "socket", "timer", "path"} {
		found, err := filepath.Glob("kedge*." + kind)
		if err != nil || len(found) == 0 {
			t.Fatalf("no unit *.%s: %v", kind, err)
		}
		names = append(names, found...)
	}
	return names
}

// instance writes a unit that runs this kedge into a folder, a template as one of its instances.
func instance(t *testing.T, dir, name string) (path string) {
	t.Helper()
	path = filepath.Join(dir, strings.Replace(name, "@.", "@web-01.", 1))
	if err := os.WriteFile(path, []byte(unit(t, name)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// unit returns the text of a unit that runs this kedge.
func unit(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "/usr/local/bin/kedge", kedge)
}

// commandLine returns the words of ExecStart= of a unit; none if it has none of kedge.
func commandLine(unit string) []string {
	_, line, _ := strings.Cut(unit, "ExecStart=")
	line, _, _ = strings.Cut(line, "\n")
	return strings.Fields(line)
}

// TestVerify: systemd understands every line, and kedge every flag.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, name := range units(t) {
		args = append(args, instance(t, dir, name))
		checkFlags(t, unit(t, name))
	}
	cmd := exec.Command(testenv.Tool(t, "systemd-analyze"), args...)
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "kedge") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSameCA: all units of a CA read the variables that name its configuration; one without them would back up or
// push a ledger in the folder that is not in use any more.
func TestSameCA(t *testing.T) {
	for _, name := range units(t) {
		if strings.HasPrefix(name, "kedge-ca") && strings.HasSuffix(name, ".service") && !strings.Contains(unit(t, name), "\nEnvironmentFile=-/etc/kedge-ca/kedge-ca.env\n") {
			t.Errorf("%s does not read kedge-ca.env", name)
		}
	}
}

// checkFlags runs the program of a unit with a configuration that is not there, or a CA: it must get as far
// as that. A renewal has none, and nothing to do.
func checkFlags(t *testing.T, unit string) {
	t.Helper()
	line := commandLine(unit)
	if len(line) > 0 && line[0] == kedge+"-ca" {
		line[len(line)-1] = "/nosuch"
		out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "kedge-ca init") {
			t.Errorf("%s: %v: %s", line, err, out)
		}
		return
	}
	if len(line) == 0 || line[0] != kedge {
		return
	}
	for i, word := range line {
		line[i] = strings.ReplaceAll(word, "/etc/kedge/config.yaml", "/nosuch/config.yaml")
	}
	cmd := exec.Command(kedge, line[1:]...)
	cmd.Env = []string{"KEDGE_STATE_DIR=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if line[1] == "renew" {
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", line, err, out)
		}
		return
	}
	if err == nil || !strings.Contains(string(out), "/nosuch/config.yaml: no such file") {
		t.Errorf("%s: %v: %s", line, err, out)
	}
}
