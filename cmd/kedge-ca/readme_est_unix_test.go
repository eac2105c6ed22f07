//go:build unix

package main

import (
	"crypto/tls"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// estCommands returns the commands for a device that docs/server.md shows, without those of kedge-ca.
func estCommands(t *testing.T) string {
	t.Helper()
	_, text, ok := strings.Cut(testenv.Document(t, "docs/server.md"), "\n## EST\n")
	_, text, begun := strings.Cut(text, "\n    kedge-ca token dev-01 > dev-01.token\n")
	text, _, ended := strings.Cut(text, "\n\n")
	if !ok || !begun || !ended {
		t.Fatal("docs/server.md shows no commands")
	}
	return text
}

// tokenIn returns the token in what kedge-ca token wrote.
func tokenIn(t *testing.T, out string) string {
	t.Helper()
	text := regexp.MustCompile(`kedge1_[A-Za-z0-9_-]+`).FindString(out)
	if text == "" {
		t.Fatalf("no token in %q", out)
	}
	return text
}

// TestReadmeEST: the commands of docs/server.md enroll a device, with base64 on one line and in lines. A refusal is
// shown, and the certificate of before stays.
func TestReadmeEST(t *testing.T) {
	t.Parallel()
	d := serveEST(t, estSettings)
	commands := strings.ReplaceAll(estCommands(t), "https://ca.example.com:8443", d.url)
	run := func(label, token string) string {
		d.write("dev-01.token", token+"\n")
		cmd := exec.Command(testenv.Tool(t, "sh"), "-c", strings.ReplaceAll(commands, "simpleenroll", label+"simpleenroll"))
		cmd.Dir = d.work
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, label := range []string{"", "lines/"} {
		args := []string{"token", "dev-01"}
		if label != "" {
			args = append(args, "--replace") // it makes another key
		}
		run(label, tokenIn(t, kedgeCA(t, d.dir, args...)))
		if _, err := tls.X509KeyPair(d.read("dev.pem"), d.read("dev.key")); err != nil {
			t.Fatalf("%q: %v", label, err)
		}
	}
	before := string(d.read("dev.pem"))
	if out := run("", "nonsense"); !strings.Contains(out, "token") || string(d.read("dev.pem")) != before {
		t.Errorf("%s", out)
	}
}
