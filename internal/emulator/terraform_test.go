package emulator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
)

// terraformDeadline is for all commands of a test together: a minute of a processor's time, on a machine with other
// work. It is less than what go test gives to a package.
const terraformDeadline = 8 * time.Minute

// terraform is a folder with a configuration, and a provider that runs until the test ends: terraform itself
// starts one up to four times in each command, which takes a quarter longer.
type terraform struct {
	t           *testing.T
	ctx         context.Context
	dir         string
	environment []string
}

// newTerraform starts the provider for the configuration in the file main, with the environment of the emulator's
// clients.
func newTerraform(t *testing.T, main string, environment []string) *terraform {
	t.Helper()
	provider := terraformProvider(t)
	ctx, cancel := context.WithTimeout(t.Context(), terraformDeadline)
	t.Cleanup(cancel)
	tf := &terraform{t: t, ctx: ctx, dir: t.TempDir(), environment: append(environment, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tf.dir, "main.tf"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	tf.environment = append(tf.environment, "TF_REATTACH_PROVIDERS="+tf.start(provider))
	return tf
}

// terraformProvider returns the path of the provider hashicorp/aws in the folder KEDGE_TERRAFORM_PLUGINS, a
// filesystem mirror such as "terraform providers mirror" makes, unpacked.
func terraformProvider(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("terraform is not installed, and no package of Debian or npm has it")
	}
	mirror := os.Getenv("KEDGE_TERRAFORM_PLUGINS")
	if mirror == "" {
		t.Skip("KEDGE_TERRAFORM_PLUGINS does not name a folder with Terraform's provider hashicorp/aws, and no package of Debian or npm has it")
	}
	pattern := filepath.Join(mirror, "registry.terraform.io", "hashicorp", "aws", "*", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-aws_*")
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: no such file, %v", pattern, err)
	}
	return found[len(found)-1]
}

// start starts the provider and returns how terraform reaches it.
func (tf *terraform) start(provider string) string {
	tf.t.Helper()
	cmd := exec.CommandContext(tf.ctx, provider, "-debug")
	cmd.Dir, cmd.Env = tf.dir, tf.environment
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tf.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tf.t.Fatal(err)
	}
	tf.t.Cleanup(func() { _ = cmd.Wait() }) // the context ended it
	lines, address := bufio.NewReader(stdout), regexp.MustCompile(`TF_REATTACH_PROVIDERS='(.*)'`)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			tf.t.Fatalf("the provider does not start: %v", errors.Join(err, tf.ctx.Err()))
		}
		if found := address.FindStringSubmatch(line); found != nil {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return found[1]
		}
	}
}

// run runs terraform for a stage of the configuration.
func (tf *terraform) run(stage string, args ...string) {
	tf.t.Helper()
	cmd := exec.CommandContext(tf.ctx, "terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, append(tf.environment, "TF_VAR_stage="+stage)
	cmd.WaitDelay = 5 * time.Second // a child may have the pipe open
	if out, err := cmd.CombinedOutput(); err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), errors.Join(err, tf.ctx.Err()), out)
	}
}

// apply makes what the configuration has for the stage; a plan after that is empty.
func (tf *terraform) apply(stage string) {
	tf.t.Helper()
	tf.run(stage, "apply", "-auto-approve", "-input=false", "-no-color")
	tf.run(stage, "plan", "-detailed-exitcode", "-input=false", "-no-color")
}

// TestTerraform: terraform makes, changes in place and destroys a trust anchor, a profile, and a role with its
// policies.
func TestTerraform(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	ca := bytes.TrimSpace(newRoot(t, caTemplate("hosts")).pem())
	tf := newTerraform(t, filepath.Join("testdata", "hosts.tf"), append(w.environment(t), "TF_VAR_url="+w.url, "TF_VAR_ca="+string(ca)))
	tf.run("test", "init", "-input=false", "-no-color")
	tf.apply("test")
	made := w.managed(t)
	tf.apply("prod")
	changed := w.managed(t)
	tf.run("prod", "destroy", "-auto-approve", "-input=false", "-no-color")

	if want := (managedByTerraform{
		anchor: "hosts-test", anchorEnabled: true, profile: "web-test", profileEnabled: true,
		profileDuration: 15 * time.Minute, roleDuration: time.Hour, anchorID: made.anchorID,
	}); made != want {
		t.Errorf("made %+v, want %+v", made, want)
	}
	if want := (managedByTerraform{
		anchor: "hosts-prod", profile: "web-prod", profileDuration: 30 * time.Minute, roleDuration: 2 * time.Hour, anchorID: made.anchorID,
	}); changed != want {
		t.Errorf("changed to %+v, want %+v", changed, want)
	}
	if left := w.managed(t); left != (managedByTerraform{}) {
		t.Errorf("left %+v", left)
	}
}

// managedByTerraform is what the emulator has beside what it started with.
type managedByTerraform struct {
	anchor, anchorID, profile     string // the names, and an ID
	anchorEnabled, profileEnabled bool
	profileDuration, roleDuration time.Duration // zero: there is none
}

func (w *stsWorld) managed(t *testing.T) managedByTerraform {
	t.Helper()
	u := w.Administrator()
	c := ra.New(ra.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
	})
	anchors, err := c.ListTrustAnchors(t.Context(), &ra.ListTrustAnchorsInput{})
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := c.ListProfiles(t.Context(), &ra.ListProfilesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var m managedByTerraform
	for _, a := range anchors.TrustAnchors {
		if *a.TrustAnchorArn != w.TrustAnchorARN() {
			m.anchor, m.anchorID, m.anchorEnabled = *a.Name, *a.TrustAnchorId, *a.Enabled
		}
	}
	for _, p := range profiles.Profiles {
		if *p.ProfileArn != w.ProfileARN() {
			m.profile, m.profileEnabled, m.profileDuration = *p.Name, *p.Enabled, time.Duration(*p.DurationSeconds)*time.Second
		}
	}
	if role := w.iam.Role("arn:aws:iam::111122223333:role/hosts/web"); role != nil {
		m.roleDuration = role.MaxSessionDuration()
	}
	return m
}
