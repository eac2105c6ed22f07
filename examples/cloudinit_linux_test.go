package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// userData returns the user data of the example for a site, with a token.
func (s *site) userData(token string) string {
	s.t.Helper()
	return fill(s.t, "cloud-init/user-data.yaml", map[string]string{"TOKEN": token, "SHA256": s.sum, "https://downloads.example.com/kedge": s.download})
}

// boot lets cloud-init start a machine for the first time, in its four stages. The configuration has the
// modules of the example alone: the others are about disks, networks and users of a real machine.
func (m machine) boot(userData string) {
	m.t.Helper()
	testenv.Tool(m.t, "cloud-init")
	m.write("/etc/cloud/cloud.cfg", `
datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
system_info: {distro: debian}
`, 0o644)
	for _, folder := range []string{"/etc/cloud/cloud.cfg.d", "/var/lib/cloud"} {
		if err := os.RemoveAll(m.path(folder)); err != nil {
			m.t.Fatal(err)
		}
	}
	m.write("/var/lib/cloud/seed/nocloud/meta-data", "instance-id: web-01\n", 0o600)
	m.write("/var/lib/cloud/seed/nocloud/user-data", userData, 0o600)
	for _, stage := range [][]string{{"init", "--local"}, {"init"}, {"modules", "--mode=config"}, {"modules", "--mode=final"}} {
		m.run(append([]string{"/usr/bin/cloud-init"}, stage...)...)
	}
	if log, err := os.ReadFile(m.path("/var/log/cloud-init.log")); err == nil && strings.Contains(string(log), "kedge1_") {
		m.t.Errorf("the log has the token: %s", log)
	}
	result, err := os.ReadFile(m.path("/run/cloud-init/result.json"))
	if err != nil || !strings.Contains(string(result), `"errors": []`) {
		log, _ := os.ReadFile(m.path("/var/log/cloud-init.log")) // if there is one
		m.t.Fatalf("cloud-init: %v %s\n%s", err, result, log)
	}
}

// checkRenewedBySystemd checks that the timer is enabled and that its user owns the key.
func (m machine) checkRenewedBySystemd() {
	m.t.Helper()
	if _, err := os.Lstat(m.path("/etc/systemd/system/timers.target.wants/kedge-renew.timer")); err != nil {
		m.t.Error(err)
	}
	m.run("/usr/bin/setpriv", "--reuid=kedge", "--regid=kedge", "--init-groups", "/usr/local/bin/kedge", "renew", "--dir", "/var/lib/kedge/web-01", "--force")
}

// TestCloudInit: cloud-init takes every line of the user data; a machine that boots with it is enrolled, has
// credentials, renews by systemd, and has no token left.
func TestCloudInit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.newDebian()
	userData := s.userData(s.token("web-01"))
	file := filepath.Join(t.TempDir(), "user-data.yaml")
	if err := os.WriteFile(file, []byte(userData), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Run(t, ".", "cloud-init", "schema", "--config-file", file)
	m.boot(userData)
	s.identifyOutput(m.credentials(), "web-01")
	m.checkRenewedBySystemd()
	if _, err := os.Stat(m.path("/run/kedge")); !os.IsNotExist(err) {
		t.Errorf("the token is still there: %v", err)
	}

	// A program with another hash is not installed, and the token does not stay.
	script, err := os.ReadFile(m.path("/var/lib/cloud/instances/web-01/scripts/runcmd"))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.ReplaceAll(string(script), s.sum, strings.Repeat("0", 64))
	m.write("/run/kedge/token", "another", 0o600)
	m.fails("sha256sum: WARNING: 1 computed checksum did NOT match", "/bin/sh", "-c", other)
	if _, err := os.Stat(m.path("/run/kedge")); !os.IsNotExist(err) {
		t.Errorf("the token is still there: %v", err)
	}
}
