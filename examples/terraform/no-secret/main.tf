# User data without a secret: the machine asks for its certificate, and the operator of the CA approves.
variable "kedge_url" { type = string }
variable "kedge_sha256" { type = string }
variable "ca_url" { type = string }         # https://ca.example.com:8443
variable "ca_fingerprint" { type = string } # kedge-ca pending prints it; it is no secret

locals {
  user_data = <<-EOT
    #cloud-config
    runcmd:
      - set -eu
      - mkdir -m 700 /run/kedge
      - trap 'rm -rf /run/kedge' EXIT
      - curl --fail --silent --show-error --location --max-time 300 --output /run/kedge/kedge ${var.kedge_url}
      - echo "${var.kedge_sha256}  /run/kedge/kedge" | sha256sum --check --quiet
      - install -m 0755 /run/kedge/kedge /usr/local/bin/kedge
      # Waits for "kedge-ca approve ID". The ID is in the machine's console and in /var/log/cloud-init-output.log.
      - /usr/local/bin/kedge enroll ${var.ca_url} --ca-fingerprint ${var.ca_fingerprint} --name web-01 --wait 1h
  EOT
}

# Stands for the machine.
resource "terraform_data" "machine" {
  input = local.user_data
}

output "user_data" { value = terraform_data.machine.output }
