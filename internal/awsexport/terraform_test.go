package awsexport

import (
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/awsplan"
)

// TestHCLString: what means something in a template of HCL is escaped.
func TestHCLString(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                     `""`,
		`it's "q" \`:           `"it's \"q\" \\"`,
		"$HOME 5%":             `"$HOME 5\u0025"`,
		"${aws:username}":      `"$${aws:username}"`,
		"%{if}":                `"%%{if}"`,
		"$${x}%${y}":           `"\u0024$${x}\u0025$${y}"`,
		"two\nlines\r\n\ttab$": `"two\nlines\u000d\n\u0009tab\u0024"`,
		"grün 😀":               `"grün 😀"`,
	} {
		if got := hclString(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestHCLDocument_characters: a policy has the characters that IAM accepts from the provider.
func TestHCLDocument_characters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rune{`"grün \u00ff\u2028\u2029"`: 0, `"\u0100"`: 'Ā', `{"Ā":"😀"}`: 'Ā', `["\ud83d\ude00"]`: '😀', `"\ud83d"`: '\ufffd'} {
		_, err := hclDocument(text, "", "")
		var e *CharacterError
		if errors.As(err, &e); want == 0 && err != nil || want != 0 && (e == nil || e.Character != want) {
			t.Errorf("%s: %v, want %c", text, err, want)
		}
	}
}

// TestHCLDocument: Terraform reads a policy as it is.
func TestHCLDocument(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed, and no package of Debian or npm has it")
	}
	document := document(t)
	expression, err := hclDocument(document, "local.anchor", "  ")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("locals {\n  policy = "+expression+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "console")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader("base64encode(local.policy)\n")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CHECKPOINT_DISABLE=1"}
	out, err := cmd.CombinedOutput()
	got, failed := base64.StdEncoding.DecodeString(strings.Trim(string(out), "\"\n"))
	if err != nil || failed != nil || !awsplan.SameDocument(string(got), document) {
		t.Errorf("%v, %v: %s\nwant %s\n%s", err, failed, got, document, expression)
	}
}

// TestTerraform: the configuration has each object with our tags, and import blocks for what is known alone.
func TestTerraform(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	text, err := Terraform(w, Known{Anchor: "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/1-2", Roles: map[string]string{"-a.b": "arn:x"}, Policies: map[string][]string{"-a.b": {"-p"}}})
	if err != nil {
		t.Fatal(err)
	}
	role := hclLabel("-a.b", "-a.b")
	for _, want := range []string{
		"resource \"aws_rolesanywhere_trust_anchor\" \"kedge\" {\n", "import {\n  to = aws_rolesanywhere_trust_anchor.kedge\n  id = \"1-2\"\n}\n",
		"    event     = \"END_ENTITY_CERTIFICATE_EXPIRY\"\n    enabled   = false\n    threshold = 45\n    channel   = \"ALL\"\n", "ignore_changes = [notification_settings]",
		"resource \"terraform_data\" \"kedge\" {\n  triggers_replace = \"[{\\\"channel\\\":\\\"ALL\\\",", "      CA_CERTIFICATE_EXPIRY = [true, 180, \"ALL\"]\n      END_ENTITY_CERTIFICATE_EXPIRY = [false, 45, \"ALL\"]\n    }) ? ",
		"\"kedge-ca\" = \"" + w.Owners[0].Tag(awsplan.KindAnchor, "kedge") + "\"\n", "\"kedge-ca\" = \"" + w.Owners[0].Tag(awsplan.KindRole, "-a.b") + "\"\n", "\"kedge-ca\" = \"" + w.Owners[0].Tag(awsplan.KindProfile, "kedge") + "\"\n",
		"import {\n  to = aws_iam_role." + role + "\n  id = \"-a.b\"\n}\n", "  id = \"-a.b:-p\"\n", "\"aws:SourceArn\" = aws_rolesanywhere_trust_anchor.kedge.arn\n",
		"  policy_arn = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n", "  role_arns = [aws_iam_role." + role + ".arn, aws_iam_role.a-b.arn]\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\nimport {"); n != 3 || strings.Contains(text, anyAnchor) {
		t.Errorf("%d imports\n%s", n, text)
	}
}

// TestTerraform_policies: of a role that is in the account, the policies that it is known to have are imported, and no
// others: Terraform stops at one that is not there.
func TestTerraform_policies(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	const imported, other = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/ReadOnlyAccess"
	known := Known{Roles: map[string]string{"-a.b": "arn:x", "a-b": "arn:y"}, Policies: map[string][]string{"-a.b": {"retired"}, "a-b": {imported}}}
	text, err := Terraform(w, known)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text, "\nimport {"); n != 3 || !strings.Contains(text, "  id = \"a-b/"+imported+"\"\n") {
		t.Errorf("%d imports\n%s", n, text)
	}
	for _, absent := range []string{"a-b/" + other, "-a.b:-p", "retired"} {
		if strings.Contains(text, absent) {
			t.Errorf("%s in\n%s", absent, text)
		}
	}
}
