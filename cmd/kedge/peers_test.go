package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/ca"
	"kedge/internal/testenv"
)

// TestPeers: the AWS SDKs and the AWS CLI, as they are, take credentials from the program through
// credential_process in a profile, and show its message to their user when it fails.
func TestPeers(t *testing.T) {
	t.Parallel()
	p := newPeers(t)
	tests := []struct{ profile, wantErr string }{
		{"good", ""},
		{"refused", "kedge: error: AWS refused the session: AccessDeniedException: Requested Role isn't one of those listed in the Profile."},
		{"expired", `certificate "CN=expired" expired at `},
	}
	for name, identity := range map[string]func(*testing.T, *peers, string) (string, error){
		"aws-sdk-go-v2": goIdentity,
		"aws-cli":       cliIdentity,
		"aws-sdk-js":    jsIdentity,
		"boto3":         botoIdentity,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tt := range tests {
				arn, err := identity(t, p, tt.profile)
				switch {
				case tt.wantErr == "" && (err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/")):
					t.Errorf("%s: %q, %v", tt.profile, arn, err)
				case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
					t.Errorf("%s: the user is shown %v, not %q", tt.profile, err, tt.wantErr)
				}
			}
			p.checkProxies(t, identity)
		})
	}
}

// checkProxies: behind a proxy, which the variables name, with a login and without, the service is
// asked through it; with a wrong login the user is shown why, and no password.
func (p *peers) checkProxies(t *testing.T, identity func(*testing.T, *peers, string) (string, error)) {
	t.Helper()
	behind := *p
	for _, login := range []string{"", "me:hunter2%40"} {
		through := newProxy(t, p.tls, strings.ReplaceAll(login, "%40", "@"))
		address := strings.Replace(through.url, "hunter2@@", "hunter2%40@", 1)
		behind.env = []string{"HTTPS_PROXY=" + address, "HTTP_PROXY=" + address, "NO_PROXY=127.0.0.1"}
		arn, err := identity(t, &behind, "proxied")
		if err != nil || !strings.HasPrefix(arn, "arn:aws:sts::111122223333:assumed-role/kedge/") || !through.took("CONNECT example.com:443") || through.took("http://") {
			t.Errorf("login %q: %q, %v; the proxy was asked for %q", login, arn, err, through.asked)
		}
		if login == "" {
			continue
		}
		wrong := strings.Replace(address, "hunter2", "hunter3", 1)
		behind.env = []string{"https_proxy=" + wrong, "no_proxy=127.0.0.1"}
		_, err = identity(t, &behind, "proxied")
		if err == nil || !strings.Contains(err.Error(), "407 Proxy Authentication Required") || strings.Contains(err.Error(), "hunter") {
			t.Errorf("a wrong login: %v", err)
		}
	}
}

// peers is what the SDKs find: a configuration file with profiles, and the service.
type peers struct {
	config, endpoint string
	tls              string   // host and port of the service, as https://example.com; for a proxy
	env              []string // more variables
}

func newPeers(t *testing.T) *peers {
	dir := t.TempDir()
	kedge := filepath.Join(dir, "kedge's program") // a path that wants to be quoted
	build := exec.Command("go", "build", "-o", kedge, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	now := time.Now()
	root := newAuthority(t)
	e, url := emulate(t, root.Certificate())
	issue(t, root, dir, "good", now)
	issue(t, root, dir, "expired", now.Add(-48*time.Hour))

	var file strings.Builder
	// The last word is not quoted: aws-sdk-go-v2 drops quotes that begin and end a line.
	profile := func(name, leaf, role, url string) {
		fmt.Fprintf(&file, `[profile %s]
region = us-east-1
credential_process = "%s" credential-process --certificate "%s.pem" --private-key "%[3]s.key" --endpoint %s --trust-anchor-arn %s --profile-arn %s --role-arn %s
`, name, kedge, filepath.Join(dir, leaf), url, e.TrustAnchorARN(), e.ProfileARN(), role)
	}
	server := httptest.NewTLSServer(e.Handler()) // its certificate is for example.com
	t.Cleanup(server.Close)
	bundle := filepath.Join(dir, "tls.pem")
	writeFile(t, bundle, string(pemOf("CERTIFICATE", server.Certificate().Raw)))
	profile("good", "good", e.RoleARN(), url)
	profile("refused", "good", "arn:aws:iam::111122223333:role/other", url)
	profile("expired", "expired", e.RoleARN(), url)
	profile("proxied", "good", e.RoleARN(), "https://example.com --max-attempts 1 --ca-bundle "+bundle)
	p := &peers{config: filepath.Join(dir, "config"), endpoint: url, tls: server.Listener.Addr().String()}
	writeFile(t, p.config, file.String())
	return p
}

// issue makes a leaf of one day.
func issue(t *testing.T, root *ca.Authority, dir, name string, now time.Time) {
	t.Helper()
	key, err := newKey("p256")
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := root.PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: name, Public: key.Public()}, now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := prepared.Issue(t.Context(), ca.Unrecorded{})
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, name+".pem"), string(pemOf("CERTIFICATE", leaf.Raw)))
	writeFile(t, filepath.Join(dir, name+".key"), string(pemOf("PRIVATE KEY", pkcs8)))
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// goIdentity runs sdkIdentity below as a process: the Go SDK lets the helper write to its own
// standard error, where the user sees it.
func goIdentity(t *testing.T, p *peers, profile string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return p.run(t, profile, self, "sdk-identity")
}

// sdkIdentity is the least program with aws-sdk-go-v2: all configuration is the environment's. With
// UNTIL_RENEWED it goes on asking until it has other credentials than at first.
func sdkIdentity() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client, first := sts.NewFromConfig(cfg), ""
	for {
		identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			log.Fatal(err)
		}
		c, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if first == "" {
			first = c.AccessKeyID
		}
		if os.Getenv("UNTIL_RENEWED") == "" || c.AccessKeyID != first {
			fmt.Println(aws.ToString(identity.Arn))
			return
		}
		time.Sleep(100 * time.Millisecond) // as a program that works
	}
}

func cliIdentity(t *testing.T, p *peers, profile string) (string, error) {
	return p.run(t, profile, testenv.Tool(t, "aws"), "aws", "sts", "get-caller-identity", "--endpoint-url", p.endpoint, "--query", "Arn", "--output", "text")
}

func jsIdentity(t *testing.T, p *peers, profile string) (string, error) {
	dir := filepath.Join(testenv.Root(t), "scripts", "peers")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
	}
	return p.run(t, profile, testenv.Tool(t, "node"), "node", filepath.Join(dir, "identity.mjs"))
}

func botoIdentity(t *testing.T, p *peers, profile string) (string, error) {
	python, program := boto(t)
	return p.run(t, profile, python, "python3", program)
}

// boto returns the program that asks with boto3 of Debian, and what runs it.
func boto(t *testing.T) (python, program string) {
	t.Helper()
	if _, err := os.Stat("/usr/lib/python3/dist-packages/boto3"); err != nil {
		testenv.Missing(t, "boto3", "not installed; scripts/setup installs it")
	}
	return testenv.Tool(t, "python3"), filepath.Join(testenv.Root(t), "scripts", "peers", "identity.py")
}

// run runs a peer that uses the profile and nothing else of this machine's configuration. What it
// says on standard error is the error; args begin with the program's name.
func (p *peers) run(t *testing.T, profile, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = args
	cmd.Env = append([]string{
		"PATH=" + filepath.Dir(program) + ":/usr/bin:/bin", "HOME=" + t.TempDir(), "AWS_PROFILE=" + profile, "AWS_CONFIG_FILE=" + p.config,
		"AWS_REGION=us-east-1", "AWS_ENDPOINT_URL_STS=" + p.endpoint, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "LC_ALL=C.UTF-8",
	}, p.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s%s", err, &stderr, &stdout)
	}
	return strings.TrimSpace(stdout.String()), nil
}
