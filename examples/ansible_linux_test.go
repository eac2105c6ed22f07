package examples

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// playbook runs the playbook of the example on a machine, and returns how many tasks changed something.
func (m machine) playbook(s *site, args ...string) (changed int) {
	m.t.Helper()
	out := m.run(append([]string{"/usr/bin/ansible-playbook", "--connection=local", "--inventory=web-01,",
		"--extra-vars=kedge_url=" + s.download + " kedge_sha256=" + s.sum, "-vv", "/srv/ansible/playbook.yml"}, args...)...)
	found := regexp.MustCompile(`(?m)^web-01 .*changed=([0-9]+) `).FindStringSubmatch(out)
	if found == nil || strings.Contains(out, "kedge1_") {
		m.t.Fatalf("ansible: no recap, or a token: %s", out)
	}
	changed, err := strconv.Atoi(found[1])
	if err != nil {
		m.t.Fatal(err)
	}
	return changed
}

// TestAnsible: the role enrolls a host, and the second run changes nothing and makes no token; renewal is
// by cron or by systemd.
func TestAnsible(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "ansible-playbook")
	for _, renewal := range []string{"cron", "systemd"} {
		t.Run(renewal, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			m := s.newDebian()
			if err := os.CopyFS(m.path("/srv/ansible"), os.DirFS("ansible")); err != nil {
				t.Fatal(err)
			}
			m.environment = append(m.environment, s.caEnvironment()[1:]...)
			m.environment = append(m.environment, "ANSIBLE_NOCOLOR=1", "ANSIBLE_GATHER_SUBSET=!all", "ANSIBLE_INTERPRETER_PYTHON=/usr/bin/python3")
			m.environment[0] = "PATH=" + programs + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
			if changed := m.playbook(s, "--extra-vars=kedge_renewal="+renewal); changed == 0 {
				t.Error("the first run changed nothing")
			}
			if changed := m.playbook(s, "--extra-vars=kedge_renewal="+renewal); changed != 0 {
				t.Errorf("the second run changed %d tasks", changed)
			}
			var tokens struct{ Tokens []json.RawMessage }
			if err := json.Unmarshal([]byte(s.ca("token", "list", "--all", "--json")), &tokens); err != nil || len(tokens.Tokens) != 1 {
				t.Errorf("%v: %d tokens were made", err, len(tokens.Tokens))
			}
			m.run("/usr/local/bin/kedge", "enroll", "--aws-profile", "default")
			s.identifyOutput(m.credentials(), "web-01")
			if renewal == "systemd" {
				m.checkRenewedBySystemd()
			} else if text, err := os.ReadFile(m.path("/etc/cron.d/kedge")); err != nil || string(text) != "*/5 * * * * root /usr/local/bin/kedge renew --all --quiet\n" {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}
