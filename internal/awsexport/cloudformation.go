package awsexport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"kedge/internal/awsplan"
)

// Quotas of CloudFormation (AWS CloudFormation User Guide, "Understand CloudFormation quotas").
const (
	// MaxTemplate is the size in bytes of a template in a request; a larger one has to be in S3.
	MaxTemplate = 51200
	// maxStoredTemplate is the size in bytes of a template in S3.
	maxStoredTemplate = 1 << 20
	maxOutputs        = 200
)

// TemplateSizeError reports a template that is too large for CloudFormation, in bytes.
type TemplateSizeError struct{ Size, Max int }

func (e *TemplateSizeError) Error() string {
	return fmt.Sprintf("the template would have %d bytes, and CloudFormation accepts at most %d", e.Size, e.Max)
}

const templateDescription = "What hosts of a kedge CA need: the trust anchor, the roles and the profile. Written by kedge-ca aws export --cloudformation; run kedge-ca aws up afterwards."

// resource is one of a template.
type resource struct {
	Type       string         `json:"Type"`
	Properties map[string]any `json:"Properties"`
}

// output is a value that a stack shows.
type output struct {
	Description string `json:"Description"`
	Value       any    `json:"Value"`
}

// template is one of CloudFormation (AWS CloudFormation User Guide, "CloudFormation template sections").
type template struct {
	Version     string              `json:"AWSTemplateFormatVersion"`
	Description string              `json:"Description"`
	Resources   map[string]resource `json:"Resources"`
	Outputs     map[string]output   `json:"Outputs"`
}

// The logical IDs of what there is once.
const (
	logicalAnchor  = "TrustAnchor"
	logicalProfile = "Profile"
)

// CloudFormation returns a template, as JSON in ASCII, that builds what is wanted. Errors are those of the trust policy
// of a role, of policies that are not JSON, and a *TemplateSizeError.
func CloudFormation(w *awsplan.Wanted) (string, error) {
	t := &template{Version: "2010-09-09", Description: templateDescription, Resources: map[string]resource{}, Outputs: map[string]output{}}
	t.anchor(w)
	arns := []any{}
	for i := range w.Roles {
		id := logicalRole(w.Roles[i].Name)
		if err := t.role(w, &w.Roles[i], id); err != nil {
			return "", err
		}
		arns = append(arns, attribute(id, "Arn"))
	}
	t.profile(w, arns)
	if len(t.Outputs)+len(w.Roles) <= maxOutputs {
		for i := range w.Roles {
			id := logicalRole(w.Roles[i].Name)
			t.Outputs[id+"Arn"] = output{"ARN of the role " + w.Roles[i].Name, attribute(id, "Arn")}
		}
	}
	return t.text()
}

// logicalRole returns the logical ID of a role, which stays when other roles come and go: CloudFormation deletes what has
// another one.
func logicalRole(name string) string {
	id := strings.Map(func(r rune) rune {
		if isAlphanumeric(r) {
			return r
		}
		return -1
	}, name)
	if id != name {
		id += "X" + shortHash(name)
	}
	return "Role" + id
}

func (t *template) text() (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(t); err != nil {
		return "", err
	}
	// CloudFormation shows other characters as question marks, and tools may read a template in the encoding of their locale.
	text := awsplan.EscapeAbove(b.String(), unicode.MaxASCII)
	if len(text) > maxStoredTemplate {
		return "", &TemplateSizeError{len(text), maxStoredTemplate}
	}
	return text, nil
}

// attribute returns a reference to an attribute of a resource.
func attribute(id, name string) any {
	return map[string]any{"Fn::GetAtt": []string{id, name}}
}

func (t *template) anchor(w *awsplan.Wanted) {
	var settings []map[string]any
	for _, n := range settingsOf(w.Anchor.Notifications) {
		settings = append(settings, map[string]any{"Event": n.event, "Enabled": n.enabled, "Threshold": n.threshold, "Channel": channel})
	}
	t.Resources[logicalAnchor] = resource{"AWS::RolesAnywhere::TrustAnchor", map[string]any{
		"Name": w.Anchor.Name, "Enabled": true, "NotificationSettings": settings, "Tags": tagMembers("Key", "Value", w.TagsOf(awsplan.KindAnchor, w.Anchor.Name)),
		"Source": map[string]any{"SourceType": sourceType, "SourceData": map[string]any{"X509CertificateData": pemOf(w.Anchor.Certificates)}},
	}}
	t.Outputs["TrustAnchorArn"] = output{"ARN of the trust anchor", attribute(logicalAnchor, "TrustAnchorArn")}
}

func (t *template) role(w *awsplan.Wanted, r *awsplan.Role, id string) error {
	text, err := trustOf(r)
	if err != nil {
		return err
	}
	trust, err := decoded(text)
	if err != nil {
		return fmt.Errorf("role %s: %w", r.Name, err)
	}
	properties := map[string]any{
		"RoleName": r.Name, "Path": r.Path, "Description": r.Description(), "MaxSessionDuration": seconds(r.MaxSession),
		"AssumeRolePolicyDocument": withAttribute(trust), "ManagedPolicyArns": append([]string{}, r.Attached...), "Tags": tagMembers("Key", "Value", w.TagsOf(awsplan.KindRole, r.Name)),
	}
	if r.Boundary != "" {
		properties["PermissionsBoundary"] = r.Boundary
	}
	policies := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(r.Inline)) {
		document, err := decoded(r.Inline[name])
		if err != nil {
			return fmt.Errorf("policy %s of the role %s: %w", name, r.Name, err)
		}
		policies = append(policies, map[string]any{"PolicyName": name, "PolicyDocument": document})
	}
	properties["Policies"] = policies
	t.Resources[id] = resource{"AWS::IAM::Role", properties}
	return nil
}

func (t *template) profile(w *awsplan.Wanted, roles []any) {
	t.Resources[logicalProfile] = resource{"AWS::RolesAnywhere::Profile", map[string]any{
		"Name": w.Profile.Name, "Enabled": true, "DurationSeconds": seconds(w.Profile.Duration), "RequireInstanceProperties": false,
		"RoleArns": roles, "Tags": tagMembers("Key", "Value", w.TagsOf(awsplan.KindProfile, w.Profile.Name)),
	}}
	t.Outputs["ProfileArn"] = output{"ARN of the profile", attribute(logicalProfile, "ProfileArn")}
}

// withAttribute replaces the ARN of the trust anchor in a policy by a reference.
func withAttribute(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = withAttribute(member)
		}
	case []any:
		for i, element := range v {
			v[i] = withAttribute(element)
		}
	case string:
		return joined(v)
	}
	return v
}

// joined returns a text whose ARN of the trust anchor is a reference.
func joined(text string) any {
	parts := strings.Split(text, anyAnchor)
	switch {
	case len(parts) == 1:
		return text
	case text == anyAnchor:
		return attribute(logicalAnchor, "TrustAnchorArn")
	}
	all := []any{parts[0]}
	for _, part := range parts[1:] {
		all = append(all, attribute(logicalAnchor, "TrustAnchorArn"), part)
	}
	return map[string]any{"Fn::Join": []any{"", all}}
}
