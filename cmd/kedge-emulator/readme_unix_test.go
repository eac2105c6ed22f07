//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// readmeCommands returns the commands of docs/emulator.md with which the AWS CLI manages the emulator.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	_, after, _ := strings.Cut(testenv.Document(t, "docs/emulator.md"), "manage its trust anchors, profiles, CRLs, roles and policies")
	_, block, _ := strings.Cut(after, "\n\n")
	block, _, _ = strings.Cut(block, "\n\n")
	var commands []string
	_, block, _ = strings.Cut(block, "-->\n")
	for line := range strings.Lines(block) {
		commands = append(commands, strings.TrimSpace(line))
	}
	if len(commands) != 5 || !strings.HasPrefix(commands[0], "kedge-emulator ") || !strings.HasSuffix(commands[1], "; . ./emulator.env") {
		t.Fatalf("the commands of docs/emulator.md are %q", commands)
	}
	return commands
}

// TestReadme_awsCLI: the commands of docs/emulator.md work with Debian's AWS CLI, and a restart keeps what
// they did.
func TestReadme_awsCLI(t *testing.T) {
	t.Parallel()
	commands := readmeCommands(t)
	dir := t.TempDir()
	shim := "#!/bin/sh\nexec " + testenv.Tool(t, "aws") + ` --endpoint-url "$AWS_ENDPOINT_URL_ROLESANYWHERE" --output text "$@"` + "\n"
	for name, content := range map[string]string{"ca.pem": string(certificate(t, true)), "aws": shim} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	flags := []string{"--trust-anchor", filepath.Join(dir, "ca.pem"), "--state", filepath.Join(dir, "state"), "--env-file", filepath.Join(dir, "emulator.env")}
	aws := func(commands ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "sh"), "-euc", strings.Join(commands, "\n"))
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", commands, err, out)
		}
		return string(out)
	}
	r := start(t, flags...)
	if info, err := os.Stat(filepath.Join(dir, "emulator.env")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the environment has a key: %v, %v", info.Mode(), err)
	}
	out := aws(commands[1:]...)
	if !strings.Contains(out, "web") || !strings.Contains(out, r.env["KEDGE_TRUST_ANCHOR_ARN"]) {
		t.Errorf("%s", out)
	}
	r.stop()
	start(t, flags...)
	query := append(commands[1:3:3], "aws rolesanywhere list-trust-anchors --query 'trustAnchors[].enabled'", "aws rolesanywhere list-profiles --query 'length(profiles)'")
	if got := fmt.Sprintf("%q", strings.Fields(aws(query...))); got != `["False" "2"]` {
		t.Errorf("after a restart: %s", got)
	}
}
