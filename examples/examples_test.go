// Package examples holds what the examples say against the program.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandLines: kedge understands each command line of the examples, as far as the configuration,
// which is not there.
func TestCommandLines(t *testing.T) {
	kedge := filepath.Join(t.TempDir(), "kedge")
	if out, err := exec.Command("go", "build", "-o", kedge, "kedge/cmd/kedge").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	renew := exec.Command(kedge, "renew", "--all", "--quiet")
	renew.Env = []string{"KEDGE_STATE_DIR=" + t.TempDir()}
	if text, err := os.ReadFile("cron/crontab"); err != nil || !strings.Contains(string(text), " kedge /usr/local/bin/kedge renew --all --quiet\n") {
		t.Errorf("cron/crontab: %v: %s", err, text)
	}
	if out, err := renew.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("kedge renew: %v: %s", err, out)
	}
	for file, line := range map[string]string{
		"cron/crontab":        `/usr/local/bin/kedge (exec .*)`,
		"docker/compose.yaml": `\[(serve, .*)\]`,
		"kubernetes/pod.yaml": `\[(serve, .*)\]`,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(line).FindSubmatch(text)
		if found == nil {
			t.Errorf("%s: no %s", file, line)
			continue
		}
		args := strings.Fields(strings.NewReplacer(",", "", `"`, "", "/etc/kedge/config.yaml", "/nosuch/config.yaml").Replace(string(found[1])))
		out, err := exec.Command(kedge, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "/nosuch/config.yaml: no such file") {
			t.Errorf("%s: %v: %s", file, err, out)
		}
	}
}
