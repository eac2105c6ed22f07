package testenv

import (
	"bufio"
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
)

// terraformDeadline is for all commands of a test together: a minute of a processor's time, on a machine with other
// work. It is less than what go test gives to a package.
const terraformDeadline = 8 * time.Minute

// Terraform is a folder with a configuration, and a provider that runs until the test ends: terraform itself
// starts one up to four times in each command, which takes a quarter longer.
type Terraform struct {
	t           testing.TB
	ctx         context.Context
	dir         string
	environment []string
}

// NewTerraform starts the provider for the configuration in the file main, with the environment of the emulator's
// clients.
func NewTerraform(t testing.TB, main string, environment []string) *Terraform {
	t.Helper()
	provider := terraformProvider(t)
	ctx, cancel := context.WithTimeout(t.Context(), terraformDeadline)
	t.Cleanup(cancel)
	tf := &Terraform{t: t, ctx: ctx, dir: t.TempDir(), environment: append(environment, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")}
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	tf.Configure(text)
	tf.environment = append(tf.environment, "TF_REATTACH_PROVIDERS="+tf.start(provider))
	return tf
}

// Configure replaces the configuration.
func (tf *Terraform) Configure(text []byte) {
	tf.t.Helper()
	if err := os.WriteFile(filepath.Join(tf.dir, "main.tf"), text, 0o600); err != nil {
		tf.t.Fatal(err)
	}
}

// terraformProvider returns the path of the provider hashicorp/aws in the folder KEDGE_TERRAFORM_PLUGINS, a
// filesystem mirror such as "terraform providers mirror" makes, unpacked.
func terraformProvider(t testing.TB) string {
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
func (tf *Terraform) start(provider string) string {
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

// Run runs terraform for a stage of the configuration.
func (tf *Terraform) Run(stage string, args ...string) {
	tf.t.Helper()
	if out, err := tf.Try(stage, args...); err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), errors.Join(err, tf.ctx.Err()), out)
	}
}

// Try runs terraform, and returns what it prints.
func (tf *Terraform) Try(stage string, args ...string) (string, error) {
	cmd := exec.CommandContext(tf.ctx, "terraform", args...)
	cmd.Dir, cmd.Env = tf.dir, append(tf.environment, "TF_VAR_stage="+stage)
	cmd.WaitDelay = 5 * time.Second // a child may have the pipe open
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Apply makes what the configuration has for the stage; a plan after that is empty.
func (tf *Terraform) Apply(stage string) {
	tf.t.Helper()
	tf.Run(stage, "apply", "-auto-approve", "-input=false", "-no-color")
	tf.Run(stage, "plan", "-detailed-exitcode", "-input=false", "-no-color")
}
