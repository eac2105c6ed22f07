package examples

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// buildImage makes the image of the example from a root folder.
func (s *site) buildImage(m machine) (out string, err error) {
	cmd := exec.CommandContext(s.t.Context(), "golden-image/build", m.root, program("kedge"), s.sum)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// clone copies a machine, as cp -a does.
func (m machine) clone() machine {
	m.t.Helper()
	root := m.t.TempDir()
	if out, err := exec.Command("cp", "-a", m.root+"/.", root).CombinedOutput(); err != nil {
		m.t.Fatalf("cp: %v %s", err, out)
	}
	m.settle(root)
	return m
}

// TestGoldenImage: an image has neither key nor token; each machine that is made from it makes its own key,
// and gets a name, a certificate and credentials of its own.
func TestGoldenImage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	image := s.newBusybox()
	if out, err := s.buildImage(image); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if entries, err := os.ReadDir(image.path("/var/lib/kedge")); !os.IsNotExist(err) {
		t.Errorf("the image has %v, %v", entries, err)
	}
	token := s.token("batch-{random}", "--uses", "2", "--ttl", "2h")
	for _, m := range []machine{image.clone(), image.clone()} {
		m.write("/run/kedge/token", token, 0o600)
		m.run("/usr/local/sbin/kedge-first-boot")
		m.run("/usr/local/sbin/kedge-first-boot") // the second boot
		if _, err := os.Stat(m.path("/run/kedge/token")); !os.IsNotExist(err) {
			t.Errorf("the token is still there: %v", err)
		}
		name := strings.Fields(m.run("/usr/local/bin/kedge", "renew", "--status"))[7] // after the titles
		s.identifyOutput(m.credentials(), name)
	}
	hosts := s.hosts()
	if len(hosts) != 2 || hosts[0].Serial == hosts[1].Serial || !strings.HasPrefix(hosts[0].Name, "batch-") {
		t.Errorf("the hosts: %+v", hosts)
	}
	third := image.clone()
	third.write("/run/kedge/token", token, 0o600)
	third.fails("kedge: error: ", "/usr/local/sbin/kedge-first-boot") // the token was for two
}

// TestGoldenImage_bakedKey: an image is not made of a machine that is enrolled; where two machines have one key
// all the same, the second that renews is refused, and the CA has an alarm.
func TestGoldenImage_bakedKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.newBusybox()
	if out, err := s.buildImage(m); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	m.write("/run/kedge/token", s.token("web-01"), 0o600)
	m.run("/usr/local/sbin/kedge-first-boot")
	if out, err := s.buildImage(m); err == nil || !strings.Contains(out, "is not empty") {
		t.Errorf("an image with a key: %v %s", err, out)
	}
	first, second := m.clone(), m.clone()
	renew := []string{"/usr/local/bin/kedge", "renew", "--dir", "/var/lib/kedge/machine", "--force"}
	first.run(renew...)
	if hosts := s.hosts(); len(hosts[0].Clones) != 0 {
		t.Errorf("an alarm too early: %+v", hosts)
	}
	second.fails("kedge: error: ", renew...)
	if hosts := s.hosts(); len(hosts) != 1 || len(hosts[0].Clones) != 1 {
		t.Errorf("no alarm: %+v", hosts)
	}
}
