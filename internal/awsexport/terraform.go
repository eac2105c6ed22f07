package awsexport

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"kedge/internal/awsplan"
)

const terraformHead = `# What hosts of a kedge CA need in an account at AWS: the trust anchor, the roles and the profile.
# Written by "kedge-ca aws export --terraform", for Terraform 1.5 and the provider hashicorp/aws 5.100, or later ones.
#
# When it is applied, run "kedge-ca aws up": it finds what is there by its tags, tries each role, and keeps the ARNs.
# Then "kedge-ca aws crl push" brings the lists of revoked certificates, which the provider cannot.
`

const ignoreNotifications = `
  # For a change of these the provider deletes the trust anchor and makes another: hosts have the ARN of the
  # former one. The resource below changes them in place.
  lifecycle {
    ignore_changes = [notification_settings]
  }
`

// notificationsHead, notificationsFound and notificationsTail are the parts of a resource that has the AWS CLI set
// notifications which differ. A first apply makes them with the trust anchor, and needs no AWS CLI.
const (
	notificationsHead = `
# Sets the notifications of the trust anchor if they are others than these: by the AWS CLI, with the credentials of the
# environment of Terraform. Where that fails, such as without the AWS CLI or on Windows, "kedge-ca aws up" sets them.
`
	notificationsFound = `  provisioner "local-exec" {
    environment = {
      AWS_PAGER          = ""
      AWS_REGION         = split(":", %[1]s.arn)[3]
      AWS_DEFAULT_REGION = split(":", %[1]s.arn)[3]
      anchor             = %[1]s.id
      settings           = %[2]s
    }
    command = jsonencode({ for s in %[1]s.notification_settings : s.event => [s.enabled, s.threshold, s.channel] }) == jsonencode({
`
	notificationsTail = `    }) ? "exit 0" : <<-EOT
      aws rolesanywhere put-notification-settings --trust-anchor-id="$anchor" --notification-settings="$settings" >/dev/null || {
        echo "the AWS CLI did not set the notifications of the trust anchor: run kedge-ca aws up, which sets them, and apply again" >&2
        exit 1
      }
    EOT
  }
`
)

// Known are the ARNs of what is in the account already; empty: it is not there, or not known.
type Known struct {
	Anchor, Profile string
	Roles           map[string]string   // by name
	Policies        map[string][]string // of the roles: ARNs, and names of their own ones
}

// Terraform returns a configuration that builds what is wanted, with import blocks for what is known. Errors are those
// of the trust policy of a role, of policies that are not JSON, and a *CharacterError.
func Terraform(w *awsplan.Wanted, known Known) (string, error) {
	t := &terraform{w: w, known: known}
	t.WriteString(terraformHead)
	t.anchor()
	if err := t.notifications(); err != nil {
		return "", err
	}
	for i := range w.Roles {
		if err := t.role(&w.Roles[i]); err != nil {
			return "", err
		}
	}
	t.profile()
	return t.String(), nil
}

// The types of resources.
const (
	tfAnchor     = "aws_rolesanywhere_trust_anchor"
	tfProfile    = "aws_rolesanywhere_profile"
	tfRole       = "aws_iam_role"
	tfInline     = "aws_iam_role_policy"
	tfAttachment = "aws_iam_role_policy_attachment"
	tfData       = "terraform_data"
)

// terraform is a configuration that is being written.
type terraform struct {
	strings.Builder
	w     *awsplan.Wanted
	known Known

	anchorAddress string
	roleARNs      []string // references
}

// resource begins a resource and returns its address. The key is that of hclLabel.
func (t *terraform) resource(kind, name, key string) string {
	label := hclLabel(name, key)
	fmt.Fprintf(t, "\nresource %q %q {\n", kind, label)
	return kind + "." + label
}

// end ends a resource. One with an ID exists: it is imported.
func (t *terraform) end(address, id string) {
	t.WriteString("}\n")
	if id != "" {
		fmt.Fprintf(t, "\nimport {\n  to = %s\n  id = %s\n}\n", address, hclString(id))
	}
}

// set writes an argument.
func (t *terraform) set(name string, value any) {
	if text, ok := value.(string); ok {
		value = hclString(text)
	}
	fmt.Fprintf(t, "  %s = %v\n", name, value)
}

func (t *terraform) tags(kind awsplan.Kind, name string) {
	t.WriteString("  tags = {\n")
	tags := t.w.TagsOf(kind, name)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(t, "    %s = %s\n", hclString(key), hclString(tags[key]))
	}
	t.WriteString("  }\n")
}

func (t *terraform) anchor() {
	a := &t.w.Anchor
	address := t.resource(tfAnchor, a.Name, a.Name)
	t.anchorAddress = address
	t.set("name", a.Name)
	t.set("enabled", true)
	fmt.Fprintf(t, "  source {\n    source_type = %q\n    source_data {\n      x509_certificate_data = <<-EOT\n", sourceType)
	for line := range strings.Lines(pemOf(a.Certificates)) {
		t.WriteString("        " + line)
	}
	t.WriteString("      EOT\n    }\n  }\n")
	for _, n := range settingsOf(a.Notifications) {
		fmt.Fprintf(t, "  notification_settings {\n    event     = %q\n    enabled   = %v\n    threshold = %d\n    channel   = %q\n  }\n", n.event, n.enabled, n.threshold, channel)
	}
	t.tags(awsplan.KindAnchor, a.Name)
	t.WriteString(ignoreNotifications)
	t.end(address, idOf(t.known.Anchor))
}

// notifications writes a resource that changes the notifications of the trust anchor in place, which the provider cannot.
func (t *terraform) notifications() error {
	a := &t.w.Anchor
	settings, err := notificationJSON(a.Notifications)
	if err != nil {
		return err
	}
	t.WriteString(notificationsHead)
	fmt.Fprintf(t, "resource %q %q {\n", tfData, hclLabel(a.Name, a.Name))
	t.set("triggers_replace", settings)
	fmt.Fprintf(t, notificationsFound, t.anchorAddress, hclString(settings))
	for _, n := range settingsOf(a.Notifications) {
		fmt.Fprintf(t, "      %s = [%v, %d, %q]\n", n.event, n.enabled, n.threshold, channel)
	}
	t.WriteString(notificationsTail + "}\n")
	return nil
}

// idOf returns the ID in the ARN of a trust anchor or a profile.
func idOf(arn string) string {
	if arn == "" {
		return ""
	}
	return path.Base(arn)
}

func (t *terraform) role(r *awsplan.Role) error {
	trust, err := trustOf(r)
	if err != nil {
		return err
	}
	document, err := hclDocument(trust, t.anchorAddress+".arn", "  ")
	if err != nil {
		return fmt.Errorf("role %s: %w", r.Name, err)
	}
	address := t.resource(tfRole, r.Name, r.Name)
	t.roleARNs = append(t.roleARNs, address+".arn")
	t.set("name", r.Name)
	t.set("path", r.Path)
	t.set("description", r.Description())
	t.set("max_session_duration", seconds(r.MaxSession))
	if r.Boundary != "" {
		t.set("permissions_boundary", r.Boundary)
	}
	fmt.Fprintf(t, "  assume_role_policy = %s\n", document)
	t.tags(awsplan.KindRole, r.Name)
	t.end(address, t.roleID(r))
	t.attachments(r, address)
	return t.policies(r, address)
}

// roleID returns the ID of a role that is known.
func (t *terraform) roleID(r *awsplan.Role) string {
	if t.known.Roles[r.Name] == "" {
		return ""
	}
	return r.Name
}

// policyID returns the ID of a policy that a role is known to have, by its ARN or name. Terraform imports nothing if one
// of many is not there.
func (t *terraform) policyID(r *awsplan.Role, separator, policy string) string {
	role := t.roleID(r)
	if role == "" || !slices.Contains(t.known.Policies[r.Name], policy) {
		return ""
	}
	return role + separator + policy
}

func (t *terraform) attachments(r *awsplan.Role, role string) {
	for _, arn := range r.Attached {
		address := t.resource(tfAttachment, r.Name+"_"+path.Base(arn), r.Name+"/"+arn)
		fmt.Fprintf(t, "  role = %s.name\n", role)
		t.set("policy_arn", arn)
		t.end(address, t.policyID(r, "/", arn))
	}
}

func (t *terraform) policies(r *awsplan.Role, role string) error {
	for _, name := range slices.Sorted(maps.Keys(r.Inline)) {
		document, err := hclDocument(r.Inline[name], t.anchorAddress+".arn", "  ")
		if err != nil {
			return fmt.Errorf("policy %s of the role %s: %w", name, r.Name, err)
		}
		address := t.resource(tfInline, r.Name+"_"+name, r.Name+"/"+name)
		fmt.Fprintf(t, "  role = %s.name\n", role)
		t.set("name", name)
		fmt.Fprintf(t, "  policy = %s\n", document)
		t.end(address, t.policyID(r, ":", name))
	}
	return nil
}

func (t *terraform) profile() {
	p := &t.w.Profile
	address := t.resource(tfProfile, p.Name, p.Name)
	t.set("name", p.Name)
	t.set("enabled", true)
	t.set("duration_seconds", seconds(p.Duration))
	t.set("require_instance_properties", false)
	fmt.Fprintf(t, "  role_arns = [%s]\n", strings.Join(t.roleARNs, ", "))
	t.tags(awsplan.KindProfile, p.Name)
	t.end(address, idOf(t.known.Profile))
}
