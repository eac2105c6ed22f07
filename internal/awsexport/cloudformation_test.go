package awsexport

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

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

// TestCloudFormation_quotas: a template has no more outputs than CloudFormation accepts, and is in ASCII; one that is too
// large also for S3 is refused.
func TestCloudFormation_quotas(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	w.Roles[0].Inline["-p"] = document(t, beyond)
	role := w.Roles[0]
	count := func(roles int) (resources, outputs int, err error) {
		for i := len(w.Roles); i < roles; i++ {
			role.Name = fmt.Sprint("role", i)
			w.Roles = append(w.Roles, role)
		}
		text, err := CloudFormation(w)
		if err != nil {
			return 0, 0, err
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%q is not in ASCII", text[i:i+10])
		}
		var got template
		err = json.Unmarshal([]byte(text), &got)
		return len(got.Resources), len(got.Outputs), err
	}
	for _, tt := range []struct{ roles, outputs int }{{198, 200}, {199, 2}} {
		resources, outputs, err := count(tt.roles)
		if err != nil || resources != tt.roles+2 || outputs != tt.outputs {
			t.Errorf("%d roles: %v, %d resources, %d outputs", tt.roles, err, resources, outputs)
		}
	}
	role.Inline = map[string]string{"large": `{"Statement":[],"Id":"` + strings.Repeat("x", 1<<20) + `"}`}
	var e *TemplateSizeError
	if _, _, err := count(200); !errors.As(err, &e) || e.Size <= e.Max {
		t.Errorf("%v", err)
	}
}

// widest is what hosts need, with each value as long, or as large, as the configuration may have it.
func widest(t *testing.T) *awsplan.Wanted {
	t.Helper()
	w := newWanted(t)
	w.Anchor.Name, w.Profile.Name, w.Profile.Duration = strings.Repeat("a -_", 25), strings.Repeat("9", 100), awsplan.MaxMaxSession
	w.Anchor.Notifications = awsplan.Notifications(10*365*24*time.Hour, 30*365*24*time.Hour)
	for i := range 40 {
		w.Tags[fmt.Sprintf("%0128d", i)] = strings.Repeat("a _.:/=+@-", 25)
	}
	for i := range w.Roles {
		r := &w.Roles[i]
		r.Name, r.Path = strings.Repeat("+=.@-_9z", 7)+fmt.Sprintf("%08d", i), "/"+strings.Repeat("p", 510)+"/"
		r.For, r.MaxSession = strings.Repeat("host, ", 1000), awsplan.MaxMaxSession
	}
	return w
}

// TestCloudFormation_lint: cfn-lint, which has the schema of each resource with its limits, finds nothing in the template.
func TestCloudFormation_lint(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed, and no package of Debian or npm has it: pipx install cfn-lint")
	}
	for name, w := range map[string]*awsplan.Wanted{"usual": newWanted(t), "widest": widest(t)} {
		text, err := CloudFormation(w)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name+".json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), lint, file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s\n%s", name, err, out, text)
		}
	}
}

// TestLogicalRole: roles whose names differ in signs alone have different IDs.
func TestLogicalRole(t *testing.T) {
	t.Parallel()
	if a, b := logicalRole("a.b"), logicalRole("a-b"); a == b || logicalRole("backup") != "Rolebackup" || hclLabel("a.b", "a.b") == hclLabel("a_b", "a_b") || hclLabel("backup", "backup") != "backup" {
		t.Errorf("%s, %s", a, b)
	}
}
