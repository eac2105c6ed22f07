package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// TestServe_peers: the AWS SDKs and the AWS CLI, as they are, find credentials at both endpoints and
// call STS with them.
func TestServe_peers(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	s := w.serve()
	for name, client := range clients() {
		for _, endpoint := range []string{"metadata", "container"} {
			t.Run(name+" "+endpoint, func(t *testing.T) {
				t.Parallel()
				arn, err := client(t, w, s.environment(t, endpoint, name))
				if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") {
					t.Errorf("%q, %v", arn, err)
				}
			})
		}
	}
}

// TestServe_renews: sessions end while the SDKs run, and they never see an error.
func TestServe_renews(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("sessions that are short take 20 seconds")
	}
	w := newWorkplace(t)
	w.fault("short=80s*1000000") // of which a minute is kept for clocks that are off
	s := w.serve()
	for name, client := range clients() {
		for _, endpoint := range []string{"metadata", "container"} {
			t.Run(name+" "+endpoint, func(t *testing.T) {
				t.Parallel()
				if name == "aws-cli" { // one process for each call
					s.waitFor(t, "credentials renewed", 1)
				}
				arn, err := client(t, w, append(s.environment(t, endpoint, name), "UNTIL_RENEWED=1"))
				if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") {
					t.Errorf("%q, %v", arn, err)
				}
			})
		}
	}
}

type client = func(t *testing.T, w *workplace, env []string) (string, error)

func clients() map[string]client {
	return map[string]client{
		"aws-sdk-go-v2": func(t *testing.T, w *workplace, env []string) (string, error) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			return w.runClient(t, env, self, "sdk-identity")
		},
		"aws-cli": func(t *testing.T, w *workplace, env []string) (string, error) {
			return w.runClient(t, env, testenv.Tool(t, "aws"), "aws", "sts", "get-caller-identity", "--endpoint-url", w.endpoint, "--query", "Arn", "--output", "text")
		},
		"aws-sdk-js": func(t *testing.T, w *workplace, env []string) (string, error) {
			dir := filepath.Join(testenv.Root(t), "scripts", "peers")
			if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
				testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
			}
			return w.runClient(t, env, testenv.Tool(t, "node"), "node", filepath.Join(dir, "identity.mjs"))
		},
	}
}

// environment is what serve printed, for one of its endpoints. Debian's AWS CLI does not know files
// of tokens.
func (s *serving) environment(t *testing.T, endpoint, client string) []string {
	t.Helper()
	set := func(name string) string { return name + "=" + s.exports[name] }
	if endpoint == "metadata" {
		return []string{set("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	}
	env := []string{set("AWS_CONTAINER_CREDENTIALS_FULL_URI"), set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), "AWS_EC2_METADATA_DISABLED=true"}
	if client == "aws-cli" {
		token, err := os.ReadFile(s.exports["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
		if err != nil {
			t.Fatal(err)
		}
		env[1] = "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + string(token)
	}
	return env
}

// runClient runs a program that finds its credentials by env alone; args begin with its name. The
// limits of time are those of a loaded machine.
func (w *workplace) runClient(t *testing.T, env []string, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = args
	cmd.Env = append([]string{
		"PATH=" + filepath.Dir(program) + ":/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL_STS=" + w.endpoint,
		"AWS_METADATA_SERVICE_TIMEOUT=60", "AWS_METADATA_SERVICE_NUM_ATTEMPTS=3", "LC_ALL=C.UTF-8",
	}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s%s", err, &stderr, &stdout)
	}
	return strings.TrimSpace(stdout.String()), nil
}
