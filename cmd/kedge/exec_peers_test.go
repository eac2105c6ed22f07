package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// TestExec_peers: the AWS SDKs and the AWS CLI, as they are, find the credentials under exec, with
// keys in the environment and with an endpoint.
func TestExec_peers(t *testing.T) {
	t.Parallel()
	w := newUnder(t)
	for name, command := range map[string]func(*testing.T) []string{
		"aws-sdk-go-v2": func(*testing.T) []string { return []string{w.program("sdk-identity")} },
		"aws-cli": func(t *testing.T) []string {
			return []string{testenv.Tool(t, "aws"), "sts", "get-caller-identity", "--endpoint-url", w.endpoint, "--query", "Arn", "--output", "text"}
		},
		"aws-sdk-js": func(t *testing.T) []string {
			peers := filepath.Join(testenv.Root(t), "scripts", "peers")
			if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
				testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
			}
			return []string{testenv.Tool(t, "node"), filepath.Join(peers, "identity.mjs")}
		},
		"boto3": func(t *testing.T) []string {
			python, program := boto(t)
			return []string{python, program}
		},
	} {
		for _, way := range []string{"--server=false", "--server"} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				through, behind := newProxy(t, "127.0.0.1:1", "me:hunter2"), *w
				arn, err := w.run(t, append([]string{way, "--"}, command(t)...))
				if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") {
					t.Errorf("%q, %v", arn, err)
				}
				if way != "--server" {
					return
				}
				behind.env = []string{"http_proxy=" + through.url, "HTTPS_PROXY=" + through.url}
				arn, err = behind.run(t, append([]string{way, "--"}, command(t)...))
				if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") || through.took(" ") {
					t.Errorf("behind a proxy: %q, %v; it was asked for %q", arn, err, through.asked)
				}
			})
		}
	}
}

// TestExec_renews: a session ends while a command runs, which never sees an error.
func TestExec_renews(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sessions that are short take 20 seconds")
	}
	w := newUnder(t)
	response, err := http.Post(w.endpoint+"/_emulator/faults", "text/plain", strings.NewReader("short=80s*1000")) // of which a minute is kept for clocks that are off
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	arn, err := w.run(t, []string{"--server", "--", "env", "UNTIL_RENEWED=1", w.program("sdk-identity")})
	if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") {
		t.Errorf("%q, %v", arn, err)
	}
}

// under is what a command runs under exec with.
type under struct {
	dir, endpoint string
	role          []string
	env           []string // more variables
}

func newUnder(t *testing.T) *under {
	t.Helper()
	dir := t.TempDir()
	root := newAuthority(t)
	e, url := emulate(t, root.Certificate())
	issue(t, root, dir, "leaf", time.Now())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"kedge", "sdk-identity"} {
		if err := os.Symlink(self, filepath.Join(dir, program)); err != nil {
			t.Fatal(err)
		}
	}
	return &under{dir: dir, endpoint: url, role: []string{
		"exec", "--endpoint", url, "--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
		"--certificate", filepath.Join(dir, "leaf.pem"), "--private-key", filepath.Join(dir, "leaf.key"), "--aws-region", "us-east-1",
	}}
}

// program is one that the test binary plays.
func (w *under) program(name string) string { return filepath.Join(w.dir, name) }

// run runs kedge exec in an environment with credentials that are no good, all of which it is to
// take away.
func (w *under) run(t *testing.T, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.program("kedge"), append(w.role[:len(w.role):len(w.role)], args...)...)
	cmd.Env = append([]string{
		"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL_STS=" + w.endpoint, "AWS_MAX_ATTEMPTS=1", "LC_ALL=C.UTF-8",
		"AWS_PROFILE=nosuch", "AWS_ACCESS_KEY_ID=AKIAWRONG", "AWS_SECRET_ACCESS_KEY=wrong", "AWS_ROLE_ARN=arn:aws:iam::999999999999:role/wrong",
		"AWS_WEB_IDENTITY_TOKEN_FILE=/nosuch", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/wrong", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nosuch",
	}, w.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s%s", err, &stderr, &stdout)
	}
	return strings.TrimSpace(stdout.String()), nil
}
