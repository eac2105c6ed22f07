package emulator

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// terraformIAM has each of the resources of IAM that a role for hosts is made of.
const terraformIAM = `
terraform { required_providers { aws = { source = "hashicorp/aws" } } }
variable "url" {}
variable "stage" {}
provider "aws" {
  region = "us-east-1"
  endpoints {
    iam = var.url
    sts = var.url
  }
}
resource "aws_iam_policy" "boundary" {
  name   = "boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}
resource "aws_iam_policy" "read" {
  name        = "read"
  path        = "/hosts/"
  description = "reads"
  tags        = { stage = var.stage }
  policy      = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${var.stage}/*" }] })
}
resource "aws_iam_role" "web" {
  name                 = "web"
  path                 = "/hosts/"
  description          = "hosts of ${var.stage}"
  max_session_duration = var.stage == "test" ? 3600 : 7200
  permissions_boundary = aws_iam_policy.boundary.arn
  tags                 = { stage = var.stage, (var.stage) = "" }
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Principal = { Service = "rolesanywhere.amazonaws.com" },
    Action = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    Condition = { StringEquals = { "aws:PrincipalTag/x509Subject/OU" = var.stage } }
  }] })
}
resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = aws_iam_role.web.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:GetCallerIdentity", Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.web.name
  policy_arn = aws_iam_policy.read.arn
}
`

// TestIAM_terraformProgram: terraform makes, changes and destroys a role with its policies, and each plan after
// that is empty. The folder of a mirror with the provider is in KEDGE_TERRAFORM_PLUGINS.
func TestIAM_terraformProgram(t *testing.T) {
	t.Parallel()
	plugins := os.Getenv("KEDGE_TERRAFORM_PLUGINS")
	program, err := exec.LookPath("terraform")
	if err != nil || plugins == "" {
		t.Skip("terraform or KEDGE_TERRAFORM_PLUGINS is missing: no package of Debian or npm has them")
	}
	w, dir := newSTSWorld(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(terraformIAM), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := append(w.environment(t), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_VAR_url="+w.url)
	run := func(stage string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = dir, append(environment, "TF_VAR_stage="+stage)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("test", "init", "-input=false", "-plugin-dir="+plugins)
	for _, stage := range []string{"test", "prod"} {
		run(stage, "apply", "-auto-approve", "-input=false", "-no-color")
		run(stage, "plan", "-detailed-exitcode", "-input=false", "-no-color")
	}
	run("prod", "destroy", "-auto-approve", "-input=false", "-no-color")
	if w.iam.Role("arn:aws:iam::111122223333:role/hosts/web") != nil {
		t.Error("the role is still there")
	}
}
