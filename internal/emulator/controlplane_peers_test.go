package emulator

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// run runs a client of Debian with the administrator's key, and returns its standard output.
func (w *controlWorld) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, program), args...)
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "ENDPOINT=" + w.url,
		"AWS_ACCESS_KEY_ID=" + w.Administrator().AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + w.Administrator().SecretAccessKey,
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &stderr)
	}
	return string(out)
}

func atRealTime(c *Config) { c.Now = time.Now }

// TestControlPlane_awsCLI makes, changes and deletes resources with Debian's AWS CLI.
func TestControlPlane_awsCLI(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t, atRealTime)
	aws := func(args ...string) map[string]map[string]any {
		t.Helper()
		var out map[string]map[string]any
		text := w.run(t, "aws", append([]string{"--endpoint-url", w.url, "--output", "json", "rolesanywhere"}, args...)...)
		if text != "" {
			if err := json.Unmarshal([]byte(text), &out); err != nil {
				t.Fatalf("%q: %v: %s", args, err, text)
			}
		}
		return out
	}
	dir := t.TempDir()
	list, source := filepath.Join(dir, "ca.crl"), filepath.Join(dir, "source.json")
	data, err := json.Marshal(map[string]any{"sourceType": "CERTIFICATE_BUNDLE", "sourceData": map[string]string{"x509CertificateData": string(w.root.pem())}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{list: crlPEM(newCRL(t, w.root, serial(7))), source: data} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	anchor := aws("create-trust-anchor", "--name", "cli", "--source", "file://"+source, "--enabled", "--tags", "key=team,value=web")["trustAnchor"]
	if anchor["name"] != "cli" || anchor["enabled"] != true {
		t.Errorf("%v", anchor)
	}
	arn := anchor["trustAnchorArn"].(string)
	profile := aws("create-profile", "--name", "cli", "--role-arns", w.RoleARN(), "--enabled", "--duration-seconds", "900")["profile"]
	crl := aws("import-crl", "--name", "cli", "--crl-data", "fileb://"+list, "--trust-anchor-arn", arn, "--enabled")["crl"]
	if got := aws("get-trust-anchor", "--trust-anchor-id", arn)["trustAnchor"]; got["trustAnchorId"] != anchor["trustAnchorId"] {
		t.Errorf("by ARN: %v", got)
	}
	aws("update-profile", "--profile-id", profile["profileId"].(string), "--name", "renamed")
	aws("disable-crl", "--crl-id", crl["crlId"].(string))
	aws("tag-resource", "--resource-arn", arn, "--tags", "key=env,value=test")
	if tags := w.run(t, "aws", "--endpoint-url", w.url, "--output", "text", "rolesanywhere", "list-tags-for-resource", "--resource-arn", arn); !strings.Contains(tags, "env\ttest") || !strings.Contains(tags, "team\tweb") {
		t.Errorf("tags %s", tags)
	}
	if all := w.run(t, "aws", "--endpoint-url", w.url, "--output", "text", "rolesanywhere", "list-profiles", "--page-size", "1", "--query", "profiles[].name"); !strings.Contains(all, "renamed") || len(strings.Fields(all)) != 2 {
		t.Errorf("profiles %s", all)
	}
	aws("delete-profile", "--profile-id", profile["profileId"].(string))
	aws("delete-crl", "--crl-id", crl["crlId"].(string))
	aws("delete-trust-anchor", "--trust-anchor-id", arn)
}

// TestControlPlane_boto3 does so with Debian's boto3.
func TestControlPlane_boto3(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/boto3"); err != nil {
		testenv.Missing(t, "boto3", "not installed; scripts/setup installs it")
	}
	w := newControlWorld(t, atRealTime)
	const program = `
import boto3, os, sys
c = boto3.client("rolesanywhere", endpoint_url=os.environ["ENDPOINT"])
source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": sys.argv[1]}}
anchor = c.create_trust_anchor(name="boto", source=source, enabled=True, tags=[{"key": "k", "value": "v"}])["trustAnchor"]
profile = c.create_profile(name="boto", roleArns=[sys.argv[2]], enabled=False)["profile"]
assert profile["durationSeconds"] == 3600 and not profile["enabled"], profile
assert c.enable_profile(profileId=profile["profileId"])["profile"]["enabled"]
assert c.update_trust_anchor(trustAnchorId=anchor["trustAnchorArn"], name="other")["trustAnchor"]["name"] == "other"
names = [a["name"] for page in c.get_paginator("list_trust_anchors").paginate() for a in page["trustAnchors"]]
assert sorted(names) == ["kedge", "other"], names
assert c.list_tags_for_resource(resourceArn=anchor["trustAnchorArn"])["tags"] == [{"key": "k", "value": "v"}]
c.delete_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
try:
    c.get_trust_anchor(trustAnchorId=anchor["trustAnchorId"])
    sys.exit("it is still there")
except c.exceptions.ResourceNotFoundException:
    pass
try:
    c.create_profile(name="a/b", roleArns=[])
    sys.exit("the name was accepted")
except c.exceptions.ValidationException as e:
    print(e.response["Error"]["Message"])
`
	out := w.run(t, "python3", "-c", program, string(w.root.pem()), w.RoleARN())
	if !strings.Contains(out, "Value 'a/b' at 'name' failed to satisfy constraint") {
		t.Errorf("%s", out)
	}
}
