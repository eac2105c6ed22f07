# User data with a token that is good for one use. The token is in the state, in clear: see README.md.
variable "kedge_url" { type = string }
variable "kedge_sha256" { type = string }

# TF_VAR_kedge_token="$(kedge-ca token web-01)" terraform apply
variable "kedge_token" {
  type      = string
  sensitive = true # not shown; in the state it is in clear all the same
}

locals {
  user_data = replace(replace(replace(file("${path.module}/../cloud-init/user-data.yaml"),
    "https://downloads.example.com/kedge", var.kedge_url),
    "SHA256", var.kedge_sha256),
  "TOKEN", var.kedge_token)
}

# Stands for the machine: aws_instance, openstack_compute_instance_v2 or libvirt_cloudinit_disk have the same
# text as user_data.
resource "terraform_data" "machine" {
  input = local.user_data
  lifecycle {
    ignore_changes = [input] # the next apply has another token, and the machine needs none
  }
}

output "user_data" {
  value     = terraform_data.machine.output
  sensitive = true
}
