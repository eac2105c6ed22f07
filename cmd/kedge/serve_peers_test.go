package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestServe_peersBehindProxy: with a proxy in the environment of kedge serve and of the SDKs, and
// NO_PROXY as kedge serve prints it, they find both endpoints, and ask no proxy for them. Without it
// botocore asks the proxy for the metadata, with what would be the token of IMDSv2; Go asks nobody.
func TestServe_peersBehindProxy(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	for _, login := range []string{"", "me:hunter2@"} {
		through := newProxy(t, "127.0.0.1:1", strings.TrimSuffix(login, "@"))
		s := w.serveBehind(through.url)
		if strings.Contains(s.stdout.String()+s.log.String(), "hunter2") {
			t.Errorf("the password is in what kedge serve says")
		}
		for name, client := range clients() {
			for _, endpoint := range []string{"metadata", "container"} {
				t.Run(name+" "+endpoint+" "+login, func(t *testing.T) {
					t.Parallel()
					behind := append(s.environment(t, endpoint, name), "HTTP_PROXY="+through.url, "HTTPS_PROXY="+through.url)
					arn, err := client(t, w, append(behind, "NO_PROXY="+s.exports["NO_PROXY"]))
					if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") || through.took(" ") {
						t.Errorf("%q, %v; the proxy was asked for %q", arn, err, through.asked)
					}
				})
			}
		}
	}
	through := newProxy(t, "127.0.0.1:1", "")
	s := w.serveBehind(through.url)
	for name, asks := range map[string]bool{"boto3": true, "aws-cli": true, "aws-sdk-go-v2": false, "aws-sdk-js": false} {
		t.Run(name+" without NO_PROXY", func(t *testing.T) {
			t.Parallel()
			asked := newProxy(t, "127.0.0.1:1", "")
			behind := append(s.environment(t, "metadata", name), "http_proxy="+asked.url)
			if _, err := clients()[name](t, w, behind); asked.took("/latest/api/token") != asks || (err != nil) != asks {
				t.Errorf("%v; the proxy was asked for %q", err, asked.asked)
			}
		})
	}
}

// serveBehind is serve with a proxy in its environment, and a token file of its own.
func (w *workplace) serveBehind(proxy string) *serving {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "http_proxy="+proxy, "HTTPS_PROXY="+proxy, "NO_PROXY=corp.example")
	return w.startWith(cmd, slices.Clone, append(w.flags(), "--token-file", filepath.Join(w.t.TempDir(), "token"))...)
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
				if name == "aws-cli" || name == "boto3" { // one process for each call
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
		"boto3": func(t *testing.T, w *workplace, env []string) (string, error) {
			python, program := boto(t)
			return w.runClient(t, env, python, "python3", program)
		},
	}
}

// environment is what serve printed, for one of its endpoints. Debian's AWS CLI and boto3 do not
// know files of tokens.
func (s *serving) environment(t *testing.T, endpoint, client string) []string {
	t.Helper()
	set := func(name string) string { return name + "=" + s.exports[name] }
	if endpoint == "metadata" {
		return []string{set("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	}
	env := []string{set("AWS_CONTAINER_CREDENTIALS_FULL_URI"), set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), "AWS_EC2_METADATA_DISABLED=true"}
	if client == "aws-cli" || client == "boto3" {
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
