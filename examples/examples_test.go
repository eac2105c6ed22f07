// Package examples runs the examples against the programs: the shared harness is in site_linux_test.go and
// machine_linux_test.go.
package examples

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestCrontab: kedge understands each command line of the crontab, as far as the configuration, which is
// not there.
func TestCrontab(t *testing.T) {
	kedge := program("kedge")
	renew := exec.Command(kedge, "renew", "--all", "--quiet")
	renew.Env = []string{"KEDGE_STATE_DIR=" + t.TempDir()}
	if out, err := renew.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("kedge renew: %v: %s", err, out)
	}
	text, err := os.ReadFile("cron/crontab")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), " kedge /usr/local/bin/kedge renew --all --quiet\n") {
		t.Errorf("cron/crontab: no renew: %s", text)
	}
	found := regexp.MustCompile(`/usr/local/bin/kedge (exec .*)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("cron/crontab: no exec: %s", text)
	}
	args := strings.Fields(strings.ReplaceAll(string(found[1]), "/etc/kedge/config.yaml", "/nosuch/config.yaml"))
	out, err := exec.Command(kedge, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "/nosuch/config.yaml: no such file") {
		t.Errorf("cron/crontab: %v: %s", err, out)
	}
}
