package examples

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// enrollIn enrolls the file system of a machine.
func (s *site) enrollIn(m machine, sum, token string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "chroot/enroll-in", m.root, program("kedge"), sum)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, s.environment...)
	cmd.Stdin = strings.NewReader(token)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestChroot: a file system with the program alone is enough to enroll and to see that it works, even without
// /proc and /dev, to renew, and to get credentials.
func TestChroot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.newMachine()
	token := s.token("web-01")
	if out, err := s.enrollIn(m, strings.Repeat("0", 64), token); err == nil || !strings.Contains(out, "is not the program of this hash") {
		t.Errorf("with another hash: %v %s", err, out)
	}
	for _, says := range []string{"kedge: done: it gives credentials\n", ": nothing was changed; "} {
		if out, err := s.enrollIn(m, s.sum, token); err != nil || !strings.Contains(out, says) {
			t.Fatalf("%v %s", err, out)
		}
	}
	const dir = "/var/lib/kedge/machine"
	m.run("/usr/local/bin/kedge", "renew", "--dir", dir, "--force")
	m.run("/usr/local/bin/kedge", "enroll", "--dir", dir, "--aws-profile", "default", "--no-check")
	line := strings.ReplaceAll(m.credentialProcess(), `"`, "")
	s.identifyOutput(m.run(strings.Fields(line)...), "web-01") // there is no shell
}

// TestNspawn: a container of systemd-nspawn renews the certificate and gets credentials. The container has
// busybox, as SDKs run kedge by a shell.
func TestNspawn(t *testing.T) {
	t.Parallel()
	nspawn := testenv.Tool(t, "systemd-nspawn")
	s := newSite(t)
	m := s.newBusybox()
	if out, err := s.enrollIn(m, s.sum, s.token("web-01")); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	before := s.hosts()[0].Serial
	run := func(words ...string) string {
		// Where systemd does not run, it neither knows the container nor makes a unit for it.
		args := []string{"--register=no", "--keep-unit", "--quiet", "--pipe", "--resolv-conf=off", "--timezone=off",
			fmt.Sprintf("--machine=kedge-%d", os.Getpid()), "--directory=" + m.root}
		for _, v := range s.environment {
			args = append(args, "--setenv="+v)
		}
		var stderr strings.Builder
		cmd := exec.CommandContext(t.Context(), nspawn, append(args, words...)...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("systemd-nspawn %s: %v\n%s", words, err, stderr.String())
		}
		return string(out)
	}
	run("/usr/local/bin/kedge", "renew", "--all", "--force")
	run("/usr/local/bin/kedge", "enroll", "--aws-profile", "default")
	s.identifyOutput(run("/bin/sh", "-c", m.credentialProcess()), "web-01")
	if s.hosts()[0].Serial == before {
		t.Error("the certificate was not renewed")
	}
}
