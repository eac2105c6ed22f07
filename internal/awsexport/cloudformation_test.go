package awsexport

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kedge/internal/awsplan"
)

// templateProperties are the properties of the types of resources (AWS CloudFormation Template Reference).
var templateProperties = map[string]string{
	"AWS::RolesAnywhere::TrustAnchor": " Name Source Enabled NotificationSettings Tags ",
	"AWS::RolesAnywhere::Profile":     " Name RoleArns AcceptRoleSessionName AttributeMappings DurationSeconds Enabled ManagedPolicyArns SessionPolicy RequireInstanceProperties Tags ",
	"AWS::IAM::Role":                  " AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary Policies RoleName Tags ",
}

// TestCloudFormation: the template has what is wanted: in properties that there are, with our tags, and policies as
// they are.
func TestCloudFormation(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	w.Roles[0].Inline["-p"] = document(t, beyond)
	text, err := CloudFormation(w)
	if err != nil {
		t.Fatal(err)
	}
	var got template
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for id, r := range got.Resources {
		for property := range r.Properties {
			if !strings.Contains(templateProperties[r.Type], " "+property+" ") {
				t.Errorf("%s, %s: there is no property %s", id, r.Type, property)
			}
		}
	}
	id := logicalRole("-a.b")
	for kind, name := range map[awsplan.Kind]string{awsplan.KindAnchor: "kedge", awsplan.KindProfile: "kedge", awsplan.KindRole: "-a.b"} {
		of := map[awsplan.Kind]string{awsplan.KindAnchor: logicalAnchor, awsplan.KindProfile: logicalProfile, awsplan.KindRole: id}[kind]
		want := []any{map[string]any{"Key": "kedge-ca", "Value": w.Owners[0].Tag(kind, name)}, map[string]any{"Key": "team", "Value": "a b"}}
		if tags := got.Resources[of].Properties["Tags"]; !reflect.DeepEqual(tags, want) {
			t.Errorf("%s has the tags %v, want %v", of, tags, want)
		}
	}
	role := got.Resources[id].Properties
	policy := role["Policies"].([]any)[0].(map[string]any)
	document, err := json.Marshal(policy["PolicyDocument"])
	if err != nil || policy["PolicyName"] != "-p" || !awsplan.SameDocument(string(document), w.Roles[0].Inline["-p"]) {
		t.Errorf("%v: %v", err, policy)
	}
	trust, err := json.Marshal(role["AssumeRolePolicyDocument"])
	if err != nil || !strings.Contains(string(trust), `"aws:SourceArn":{"Fn::GetAtt":["TrustAnchor","TrustAnchorArn"]}`) || strings.Contains(text, anyAnchor) {
		t.Errorf("%v: %s", err, trust)
	}
	if again, err := CloudFormation(w); err != nil || again != text {
		t.Errorf("another text for the same: %v", err)
	}
}

// TestCloudFormation_lint: cfn-lint has nothing to say of the template.
func TestCloudFormation_lint(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed, and no package of Debian or npm has it")
	}
	text, err := CloudFormation(newWanted(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kedge.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), lint, file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
}

// TestLogicalRole: roles whose names differ in signs alone have different IDs.
func TestLogicalRole(t *testing.T) {
	t.Parallel()
	if a, b := logicalRole("a.b"), logicalRole("a-b"); a == b || logicalRole("backup") != "Rolebackup" || hclLabel("a.b", "a.b") == hclLabel("a_b", "a_b") || hclLabel("backup", "backup") != "backup" {
		t.Errorf("%s, %s", a, b)
	}
}
