//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// TestProfiles_peers: the AWS SDKs and the AWS CLI, as they are, take credentials from the profiles
// that configure and update write.
func TestProfiles_peers(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	s := w.serve()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(w.dir, "kedge's $programs", "kedge")
	if err := os.Mkdir(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	role := []string{
		"--certificate", w.path("leaf.pem"), "--private-key", w.path("leaf.key"), "--endpoint", w.endpoint, "--max-attempts", "1",
		"--trust-anchor-arn", w.emulator.TrustAnchorARN(), "--profile-arn", w.emulator.ProfileARN(), "--role-arn", w.emulator.RoleARN(),
	}
	config, credentials := w.path("config"), w.path("credentials")
	writeFile(t, config, "# mine\r\n[default]\r\nregion = eu-central-1\r\n")
	writeFile(t, credentials, "[default]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = other\n[ keys ]\naws_access_key_id = old")
	for _, args := range [][]string{
		slices.Concat([]string{"configure", "--file", config, "--profile", "process", "--program", program}, role),
		{"configure", "--file", config, "--profile", "endpoint", "--endpoint-url", s.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"]},
		slices.Concat([]string{"update", "--once", "--file", credentials, "--profile", "keys"}, role),
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr}); code != cli.ExitDone || stdout.Len() > 0 || strings.Contains(stderr.String(), "warning") {
			t.Fatalf("kedge %q: exit %d: %s%s", args, code, &stdout, &stderr)
		}
	}
	for name, client := range clients() {
		for _, profile := range []string{"process", "endpoint", "keys"} {
			t.Run(name+" "+profile, func(t *testing.T) {
				t.Parallel()
				env := []string{"AWS_CONFIG_FILE=" + config, "AWS_SHARED_CREDENTIALS_FILE=" + credentials, "AWS_PROFILE=" + profile, "PROVIDER_CHAIN=1"}
				if profile != "endpoint" {
					env = append(env, "AWS_EC2_METADATA_DISABLED=true")
				}
				arn, err := client(t, w, env)
				if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") {
					t.Errorf("%q, %v", arn, err)
				}
			})
		}
	}
}
