package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/emulator"
	"kedge/internal/testenv/pairs"
)

// TestExchange: every kind of key and certificate, in every container, gets credentials from the
// service that verifies with other code than signs.
func TestExchange(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close) // after the subtests, which run in parallel
	password := filepath.Join(t.TempDir(), "password")
	writeFile(t, password, pairs.Password+"\n")

	anchors := map[string]string{} // ARNs by CA file
	for _, pair := range pairs.All(t) {
		if anchors[pair.CAFile] == "" {
			anchors[pair.CAFile] = addAnchor(t, e, pair.CAFile)
		}
		args := []string{
			"credential-process", "--endpoint", server.URL, "--trust-anchor-arn", anchors[pair.CAFile], "--profile-arn", e.ProfileARN(),
			"--role-arn", e.RoleARN(), "--max-attempts", "1", "--certificate", pair.CertFile,
		}
		if pair.KeyFile != "" {
			args = append(args, "--private-key", pair.KeyFile)
		}
		if pair.InterFile != "" {
			args = append(args, "--intermediates", pair.InterFile)
		}
		if pair.Encrypted {
			args = append(args, "--key-password-from", password)
		}
		t.Run(pair.Name, func(t *testing.T) {
			t.Parallel()
			checkCredentials(t, args)
		})
	}
}

func addAnchor(t *testing.T, e *emulator.Emulator, file string) string {
	t.Helper()
	ca, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	arn, err := e.AddTrustAnchor(emulator.TrustAnchor{Certificates: ca})
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// checkCredentials runs the command and checks what it printed.
func checkCredentials(t *testing.T, args []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr}); code != cli.ExitDone {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	var got struct {
		Version                                                           int
		AccessKeyId, SecretAccessKey, SessionToken, Expiration, AccountId string
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v in %q", err, &stdout)
	}
	if got.Version != 1 || got.AccessKeyId == "" || got.SecretAccessKey == "" || got.SessionToken == "" || got.Expiration == "" {
		t.Errorf("incomplete: %+v", got)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
