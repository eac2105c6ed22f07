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

	"kedge/internal/testenv"
)

// TestCRL_awsCLI has the AWS CLI run the command lines, and wants the list to arrive as it is.
func TestCRL_awsCLI(t *testing.T) {
	t.Parallel()
	aws := testenv.Tool(t, "aws")
	dir := filepath.Join(t.TempDir(), "it's a CA")
	mustRun(t, "init", "--dir", dir, "--no-password")
	const arn = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	for _, tt := range []struct {
		path string
		args []string
		want map[string]any
	}{
		{"POST /crls", []string{"--trust-anchor", arn + "trust-anchor/6b656467-6500-4000-8000-000000000001"},
			map[string]any{"name": "ca", "enabled": true, "trustAnchorArn": arn + "trust-anchor/6b656467-6500-4000-8000-000000000001"}},
		{"PATCH /crl/6b656467-6500-4000-8000-000000000002", []string{"--crl", arn + "crl/6b656467-6500-4000-8000-000000000002"}, map[string]any{}},
	} {
		called, got := "", map[string]any{}
		var list []byte
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			called = r.Method + " " + r.URL.Path
			body, _ := io.ReadAll(r.Body)
			var data struct{ CRLData []byte }
			if err := json.Unmarshal(body, &got); err != nil {
				t.Error(err)
			}
			if err := json.Unmarshal(body, &data); err != nil {
				t.Error(err)
			}
			list = data.CRLData
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"crl":{"crlArn":"`+arn+`crl/6b656467-6500-4000-8000-000000000002"}}`)
		}))
		defer server.Close()
		line := runOK(t, append([]string{"crl", "--dir", dir, "--aws-cli"}, tt.args...)...)
		line = inShell(line, aws) + " --endpoint-url " + server.URL
		cmd := exec.Command(testenv.Tool(t, "sh"), "-c", line)
		cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_CONFIG_FILE=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", line, err, out)
		}
		if strings.Contains(line, "import-crl") && strings.TrimSpace(string(out)) != arn+"crl/6b656467-6500-4000-8000-000000000002" {
			t.Errorf("it printed %s", out)
		}
		want, err := os.ReadFile(filepath.Join(dir, "crl", "ca.crl"))
		if err != nil {
			t.Fatal(err)
		}
		delete(got, "crlData")
		if called != tt.path || !bytes.Equal(list, want) {
			t.Errorf("%s with %s", called, list)
		}
		for key, value := range tt.want {
			if got[key] != value {
				t.Errorf("%s: %v, want %v", key, got[key], value)
			}
		}
	}
}
