# What hosts need: a trust anchor, a profile, and a role with its policies. Each argument that depends on the
# stage is one that an apply changes in place.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "url" { type = string }
variable "stage" { type = string }
variable "ca" { type = string }

locals {
  test = var.stage == "test"
}

provider "aws" {
  region = "us-east-1"
  endpoints {
    iam           = var.url
    rolesanywhere = var.url
    sts           = var.url
  }
}

resource "aws_rolesanywhere_trust_anchor" "hosts" {
  name    = "hosts-${var.stage}"
  enabled = local.test
  tags    = { stage = var.stage, (var.stage) = "" }
  source {
    source_type = "CERTIFICATE_BUNDLE"
    source_data {
      x509_certificate_data = var.ca
    }
  }
}

resource "aws_rolesanywhere_profile" "web" {
  name                = "web-${var.stage}"
  enabled             = local.test
  duration_seconds    = local.test ? 900 : 1800
  role_arns           = [aws_iam_role.web.arn]
  managed_policy_arns = [aws_iam_policy.read.arn]
  session_policy      = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "arn:aws:s3:::${var.stage}/*" }] })
  tags                = { stage = var.stage, (var.stage) = "" }
}

resource "aws_iam_role" "web" {
  name                 = "web"
  path                 = "/hosts/"
  description          = "hosts of ${var.stage}"
  max_session_duration = local.test ? 3600 : 7200
  permissions_boundary = local.test ? aws_iam_policy.boundary.arn : null
  tags                 = { stage = var.stage, (var.stage) = "" }
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow"
    Principal = { Service = "rolesanywhere.amazonaws.com" }
    Action    = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    Condition = { StringEquals = { "aws:PrincipalTag/x509Subject/OU" = var.stage } }
  }] })
}

resource "aws_iam_role_policy" "identity" {
  name   = "identity"
  role   = aws_iam_role.web.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = var.stage, Effect = "Allow", Action = "sts:GetCallerIdentity", Resource = "*" }] })
}

resource "aws_iam_policy" "read" {
  name        = "read"
  path        = "/hosts/"
  description = "reads"
  tags        = { stage = var.stage, (var.stage) = "" }
  policy      = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::${var.stage}/*" }] })
}

resource "aws_iam_policy" "boundary" {
  name   = "boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.web.name
  policy_arn = aws_iam_policy.read.arn
}
