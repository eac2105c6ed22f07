package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// terraformProgram returns the path of terraform. It is neither in Debian nor in another registry that scripts/setup
// uses.
func terraformProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed, and no package of Debian or npm has it")
	}
	return path
}

// terraform is a copy of one of the examples, with the variables that it gets.
type terraform struct {
	t         *testing.T
	dir       string
	variables []string
}

func (s *site) newTerraform(folder string, variables ...string) terraform {
	s.t.Helper()
	terraformProgram(s.t)
	top := s.t.TempDir()
	for _, name := range []string{"cloud-init", "terraform"} {
		if err := os.CopyFS(filepath.Join(top, name), os.DirFS(name)); err != nil {
			s.t.Fatal(err)
		}
	}
	tf := terraform{t: s.t, dir: filepath.Join(top, folder), variables: append(variables, "kedge_url="+s.download, "kedge_sha256="+s.sum)}
	tf.run("init", "-input=false")
	tf.run("validate")
	tf.run("fmt", "-check", "-diff")
	return tf
}

// run runs terraform and returns what it prints.
func (tf terraform) run(args ...string) string {
	tf.t.Helper()
	cmd := exec.CommandContext(tf.t.Context(), terraformProgram(tf.t), args...)
	cmd.Dir = tf.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + tf.dir, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	for _, v := range tf.variables {
		cmd.Env = append(cmd.Env, "TF_VAR_"+v)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

func (tf terraform) apply() string {
	return tf.run("apply", "-auto-approve", "-input=false", "-no-color")
}

func (tf terraform) state() string {
	tf.t.Helper()
	data, err := os.ReadFile(filepath.Join(tf.dir, "terraform.tfstate"))
	if err != nil {
		tf.t.Fatal(err)
	}
	return string(data)
}

// TestTerraform: a machine boots with the user data that Terraform makes; the token is not shown, and is in
// the state, where it is of no use after the boot.
func TestTerraform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token("web-01")
	tf := s.newTerraform("terraform", "kedge_token="+token)
	if out := tf.apply(); strings.Contains(out, token) {
		t.Errorf("the token is shown: %s", out)
	}
	if !strings.Contains(tf.state(), token) {
		t.Error("the token is not in the state, but README.md states that it is")
	}
	tf.variables[0] = "kedge_token=" + s.token("web-02")
	if out := tf.apply(); !strings.Contains(out, "0 added, 0 changed, 0 destroyed") {
		t.Errorf("another token changes the machine: %s", out)
	}
	userData := tf.run("output", "-raw", "user_data")
	if userData != s.userData(token) {
		t.Fatalf("the user data differ from those of cloud-init:\n%s", userData)
	}
	m := s.newDebian()
	m.boot(userData)
	s.identifyOutput(m.credentials(), "web-01")

	thief := s.newMachine()
	thief.copy(program("kedge"), "/kedge")
	thief.write("/token", token, 0o600)
	thief.fails("kedge: error: ", "/kedge", "enroll", "--token-file", "/token")
}

// TestTerraform_noSecret: without a token in the user data, the operator approves what the machine asks for.
func TestTerraform_noSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tf := s.newTerraform("terraform/no-secret", "ca_url="+s.url, "ca_fingerprint="+s.fingerprint())
	tf.apply()
	if strings.Contains(tf.state(), "kedge1_") {
		t.Error("there is a token in the state")
	}
	var config struct{ Runcmd []string }
	if err := yaml.Unmarshal([]byte(tf.run("output", "-raw", "user_data")), &config); err != nil || len(config.Runcmd) == 0 {
		t.Fatalf("%v: %+v", err, config)
	}
	m := s.newDebian()
	ended := make(chan error, 1)
	cmd := m.command("/bin/sh", "-c", strings.Join(config.Runcmd, "\n"))
	log, err := os.Create(s.path("console"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	go func() { ended <- cmd.Run() }()
	s.ca("approve", s.pending())
	select {
	case err = <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the machine still waits")
	}
	if err != nil {
		console, _ := os.ReadFile(s.path("console")) // for the message
		t.Fatalf("%v\n%s", err, console)
	}
	m.run("/usr/local/bin/kedge", "enroll", "--aws-profile", "default")
	s.identifyOutput(m.credentials(), "web-01")
}

// pending waits for a request, and returns its ID.
func (s *site) pending() string {
	s.t.Helper()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var all struct{ Requests []struct{ ID string } }
		if err := json.Unmarshal([]byte(s.ca("pending", "--json")), &all); err != nil {
			s.t.Fatal(err)
		}
		if len(all.Requests) == 1 {
			return all.Requests[0].ID
		}
	}
	s.t.Fatal("no request")
	return ""
}

// fingerprint returns the hash of the CA's key, as kedge-ca pending prints it for hosts.
func (s *site) fingerprint() string {
	s.t.Helper()
	_, words := s.caWords("pending")
	found := regexp.MustCompile(`--ca-fingerprint ([0-9a-f]{64})`).FindStringSubmatch(words)
	if found == nil {
		s.t.Fatalf("kedge-ca pending: %s", words)
	}
	return found[1]
}
