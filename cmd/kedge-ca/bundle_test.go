package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/testenv"
)

// TestBundle_awsCLI has the AWS CLI run the command lines, and wants the PEM to arrive as it is.
func TestBundle_awsCLI(t *testing.T) {
	t.Parallel()
	aws := testenv.Tool(t, "aws")
	dir := filepath.Join(t.TempDir(), "ca")
	runOK(t, "init", "--dir", dir, "--name", "Root of web-1 @ Example", "--no-password")
	want, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	type body struct {
		Name    string `json:"name"`
		Enabled bool   `json:"enabled"`
		Source  struct {
			Type string `json:"sourceType"`
			Data struct {
				PEM string `json:"x509CertificateData"`
			} `json:"sourceData"`
		} `json:"source"`
	}
	for _, tt := range []struct {
		name, path string
		args       []string
		enabled    bool
	}{
		{"create", "POST /trustanchors", nil, true},
		{"update", "PATCH /trustanchor/6b656467-6500-4000-8000-000000000001",
			[]string{"--trust-anchor", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) { // one after the other: bundle keeps the ARN, and updates from then on
			var got body
			called := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				called = r.Method + " " + r.URL.Path
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				w.WriteHeader(http.StatusCreated)
				io.WriteString(w, "{}")
			}))
			defer server.Close()
			line := runOK(t, append([]string{"bundle", "--dir", dir, "--aws-cli"}, tt.args...)...)
			line = inShell(line, aws) + " --endpoint-url " + server.URL
			cmd := exec.Command(testenv.Tool(t, "sh"), "-c", line)
			cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=/dev/null")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s\n%v\n%s", line, err, out)
			}
			if called != tt.path || got.Enabled != tt.enabled || tt.enabled && got.Name != "Root of web-1 - Example" {
				t.Errorf("%s: %+v", called, got)
			}
			if got.Source.Type != "CERTIFICATE_BUNDLE" || got.Source.Data.PEM != string(want) {
				t.Errorf("source: %+v\nwant %s", got.Source, want)
			}
		})
	}
}

// runOK runs the program in this process and returns its standard output.
func runOK(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr}); code != cli.ExitDone {
		t.Fatalf("%s: exit %d\n%s", strings.Join(args, " "), code, &stderr)
	}
	return stdout.String()
}

// inShell puts a program in the place of aws in a command line.
func inShell(line, program string) string {
	return "'" + program + "'" + strings.TrimPrefix(strings.TrimSpace(line), "aws")
}
