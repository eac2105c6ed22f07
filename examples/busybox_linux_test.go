package examples

import (
	"os"
	"strings"
	"testing"
)

// runInput is run for a program that reads its standard input.
func (m machine) runInput(input string, words ...string) string {
	m.t.Helper()
	cmd := m.command(words...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// TestBusybox: with the applets of busybox alone, the script enrolls, a second run changes nothing, and the line of the
// crontab renews. A program with another hash is not installed.
func TestBusybox(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.newBusybox()
	m.copy("busybox/install.sh", "/tmp/install.sh")
	m.fails("install: the program has another hash", "/bin/sh", "/tmp/install.sh", s.download, strings.Repeat("0", 64))
	if _, err := os.Stat(m.path("/usr/local/bin/kedge")); !os.IsNotExist(err) {
		t.Errorf("it was installed: %v", err)
	}
	token := s.token("web-01")
	for range 2 {
		m.runInput(token, "/bin/busybox", "sh", "/tmp/install.sh", s.download, s.sum)
	}
	s.identifyOutput(m.credentials(), "web-01")
	crontab, err := os.ReadFile(m.path("/var/spool/cron/crontabs/root"))
	if err != nil {
		t.Fatal(err)
	}
	line, ok := strings.CutPrefix(string(crontab), "*/5 * * * * ")
	line, ended := strings.CutSuffix(line, "\n")
	if !ok || !ended || strings.Contains(line, "\n") {
		t.Fatalf("the crontab: %q", crontab)
	}
	before := s.hosts()[0].Serial
	m.run("/bin/busybox", "sh", "-c", line)
	m.run("/bin/busybox", "sh", "-c", strings.Replace(line, "--quiet", "--force", 1)) // as when it is due
	s.identifyOutput(m.credentials(), "web-01")
	if s.hosts()[0].Serial == before {
		t.Error("the certificate was not renewed")
	}
}
