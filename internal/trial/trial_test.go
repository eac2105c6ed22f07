//go:build unix

package trial

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProcess: a line works when all runs print credentials; what they say is said once.
func TestProcess(t *testing.T) {
	t.Parallel()
	const good = `{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T"}`
	for _, tt := range []struct {
		name, script string // what the program does
		says         string // the error; empty: none
		exit         int
		stderr       string
	}{
		{"credentials", "echo '" + good + "'", "", 0, ""},
		{"the same words", "echo skew 1$# >&2; echo '" + good + "'", "", 0, "skew 12\n"}, // numbers aside
		{"other words", "[ $# = 0 ] && echo again >&2; echo '" + good + "'", "", 0, "again\n"},
		{"a failure", "exit 4", "without a shell: exit status 4", 4, ""},
		{"a failure in a shell alone", "[ $# = 0 ] && exit 3; echo '" + good + "'", "by sh -c: exit status 3", 3, ""},
		{"no JSON", "echo x", "does not print credentials", 0, ""},
		{"other JSON", "echo '{}'", "JSON that is no credentials", 0, ""},
		{"no token", `echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S"}'`, "JSON that is no credentials", 0, ""},
	} {
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		err := Process(t.Context(), program, &stderr)
		failed, _ := errors.AsType[*Error](err)
		if (err == nil) != (tt.says == "") || err != nil && (!strings.Contains(err.Error(), tt.says) || failed.Exit() != tt.exit) || stderr.String() != tt.stderr {
			t.Errorf("%s: %v, %q", tt.name, err, &stderr)
		}
	}
	if err := Process(t.Context(), "/none/kedge", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "run /none/kedge: no such file") {
		t.Errorf("no program: %v", err)
	}
}

// TestEndpoint: what answers like IMDSv2, with credentials, works.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, says string }{
		{"credentials", `{"Code":"Success","AccessKeyId":"A"}`, ""},
		{"a failure", `{"Code":"Failed","AccessKeyId":"A"}`, "something else than credentials"},
		{"no key", `{"Code":"Success"}`, "something else than credentials"},
		{"no JSON", "x", "something else than credentials"},
		{"nothing", "", "something else than credentials"},
		{"no such page", "404", "404 Not Found"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPut:
				_, _ = w.Write([]byte("token"))
			case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "token" || tt.document == "404":
				http.NotFound(w, r)
			case strings.HasSuffix(r.URL.Path, "/"):
				_, _ = w.Write([]byte("role\nother\n"))
			case strings.HasSuffix(r.URL.Path, "/role"):
				_, _ = w.Write([]byte(tt.document))
			}
		}))
		err := Endpoint(t.Context(), server.URL+"/")
		server.Close()
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := Endpoint(t.Context(), "http://127.0.0.1:1"); err == nil {
		t.Error("nobody listens there, and it works")
	}
}
