package examples

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// site is what every example needs around it: a CA with its enrollment server, the emulator of AWS that
// trusts the CA, and a server from which hosts get kedge. All are on loopback.
type site struct {
	t           *testing.T
	dir         string // has the folder ca
	url         string // of the enrollment server
	sts         string // URL of the emulator as STS
	environment []string
	more        []string // of the environment of kedge-ca
	download    string   // URL of kedge
	sum         string   // its SHA-256 in hexadecimal
}

// startTimeout bounds the start of a server.
const startTimeout = time.Minute

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	if err := os.WriteFile(s.path("password"), []byte("a password for tests\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ca("init")
	s.startEmulator()
	s.startServer()
	s.offerProgram()
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// ca runs a command of kedge-ca and returns its standard output.
func (s *site) ca(args ...string) string {
	s.t.Helper()
	out, _ := s.caWords(args...)
	return out
}

// caWords is ca, with what the command writes to standard error.
func (s *site) caWords(args ...string) (out, words string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), program("kedge-ca"), args...)
	cmd.Dir, cmd.Env = s.dir, s.caEnvironment()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("kedge-ca %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// caEnvironment lets kedge-ca find the folder and the password of the CA, and the URL of its server.
func (s *site) caEnvironment() []string {
	return append([]string{"PATH=" + programs + ":/usr/bin:/bin", "KEDGE_CA_DIR=" + s.path("ca"), "KEDGE_CA_KEY_PASSWORD_FROM=" + s.path("password"), "KEDGE_CA_URL=" + s.url}, s.more...)
}

// start starts a server that is stopped at the end of the test. Its standard error goes to NAME.log.
func (s *site) start(name string, args ...string) (log string) {
	s.t.Helper()
	log = s.path(name + ".log")
	file, err := os.Create(log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(program(name), args...)
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, s.caEnvironment(), file
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // of the signal
	})
	return log
}

// await returns the first group of a pattern in a file that a server writes.
func (s *site) await(file, pattern string) string {
	s.t.Helper()
	find := regexp.MustCompile(pattern)
	var text []byte
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, _ = os.ReadFile(file) // may not be there yet
		if found := find.FindSubmatch(text); found != nil {
			return string(found[1])
		}
	}
	s.t.Fatalf("no %s in %s:\n%s", pattern, file, text)
	return ""
}

// startEmulator starts AWS. Its answers name the role and the anchor that the CA's configuration has.
func (s *site) startEmulator() {
	s.t.Helper()
	env := s.path("emulator.env")
	s.start("kedge-emulator", "--trust-anchor", "ca/ca.pem", "--env-file", env)
	setting := func(name string) string { return s.await(env, `(?m)^export `+name+`=['"]?([^'"\n]*)`) }
	s.sts = setting("AWS_ENDPOINT_URL_STS")
	s.environment = []string{"KEDGE_ENDPOINT=" + setting("KEDGE_ENDPOINT"), "AWS_ENDPOINT_URL_STS=" + s.sts}
	var arns strings.Builder
	for _, name := range []string{"trust_anchor_arn", "profile_arn", "role_arn"} {
		fmt.Fprintf(&arns, "    %s: %s\n", name, setting("KEDGE_"+strings.ToUpper(name)))
	}
	config := "server:\n  aws:\n" + arns.String() + "default_profile: host\nprofiles:\n  host:\n    enroll: {proofs: [token, approval, renewal]}\n"
	if err := os.WriteFile(s.path("ca/kedge-ca.yaml"), []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) startServer() {
	s.t.Helper()
	log := s.start("kedge-ca", "serve", "--listen", "127.0.0.1:0")
	s.url = "https://" + s.await(log, `msg=serving .*addresses=\[*([0-9.:]+)`)
}

// offerProgram serves kedge over HTTP.
func (s *site) offerProgram() {
	s.t.Helper()
	data, err := os.ReadFile(program("kedge"))
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	server := httptest.NewServer(http.FileServer(http.Dir(programs)))
	s.t.Cleanup(server.Close)
	s.download, s.sum = server.URL+"/kedge", hex.EncodeToString(sum[:])
}

// token makes a token by the flags of kedge-ca token.
func (s *site) token(args ...string) string {
	s.t.Helper()
	return strings.TrimSpace(s.ca(append([]string{"token"}, args...)...))
}

// knownHost is what kedge-ca hosts shows of a host.
type knownHost struct {
	Name   string            `json:"name"`
	Serial string            `json:"serial"`
	Clones []json.RawMessage `json:"clones"`
}

// hosts returns the hosts that hold a name.
func (s *site) hosts() []knownHost {
	s.t.Helper()
	var all struct {
		Hosts []knownHost `json:"hosts"`
	}
	if text := s.ca("hosts", "--json"); json.Unmarshal([]byte(text), &all) != nil {
		s.t.Fatalf("kedge-ca hosts: %s", text)
	}
	return all.Hosts
}

// identify asks STS who some credentials are, and checks that they are those of a host's certificate.
func (s *site) identify(credentials aws.CredentialsProvider, name string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	client := sts.New(sts.Options{BaseEndpoint: &s.sts, Region: "us-east-1", Credentials: credentials})
	who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		s.t.Fatalf("the credentials of %s: %v", name, err)
	}
	s.checkIdentity(aws.ToString(who.Arn), name)
}

// checkIdentity checks that a session is named after the certificate of a host.
func (s *site) checkIdentity(arn, name string) {
	s.t.Helper()
	for _, h := range s.hosts() {
		if h.Name == name {
			if h.Serial == "" || !strings.HasSuffix(arn, ":assumed-role/kedge/"+h.Serial) {
				s.t.Fatalf("the session is %q, and the certificate of %s is %s", arn, name, h.Serial)
			}
			return
		}
	}
	s.t.Fatalf("the CA has no host %q", name)
}

// identifyOutput is identify for what credential_process prints.
func (s *site) identifyOutput(output, name string) {
	s.t.Helper()
	var keys struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	if err := json.Unmarshal([]byte(output), &keys); err != nil {
		s.t.Fatalf("credential-process: %v: %s", err, output)
	}
	s.identify(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: keys.AccessKeyId, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}, nil
	}), name)
}

// fill returns the text of an example with other values in the place of those to be changed. Each must be
// there.
func fill(t *testing.T, file string, values map[string]string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for old, value := range values {
		if !strings.Contains(text, old) {
			t.Fatalf("%s has no %s", file, old)
		}
		text = strings.ReplaceAll(text, old, value)
	}
	return text
}
