package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/cli"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

// pushCA is a rehearsal with an account of the emulator that has the CA's trust anchor, and an operator with permissions
// in it. The program is run as a process, since the SDKs read the environment.
type pushCA struct {
	*rehearsal
	operator emulator.User
	numbers  []int64 // of the lists that AWS was seen to have
}

// operatorOf is a user with rights.
func operatorOf(rights emulatediam.Permissions) emulator.User {
	return emulator.User{ARN: "arn:aws:iam::" + hubAccount + ":user/operator", AccessKeyID: "AKIAOPERATOR00000001", SecretAccessKey: "operator", Permissions: rights}
}

func administrator() emulatediam.Permissions {
	return emulatediam.Permissions{Attached: []string{"arn:aws:iam::aws:policy/" + emulatediam.AdministratorAccess}}
}

// newPushCA makes a CA with a host, web-01, and its account. What the configuration has besides is given.
func newPushCA(t *testing.T, settings string) *pushCA {
	t.Helper()
	x := &pushCA{rehearsal: newRehearsal(t), operator: operatorOf(administrator())}
	x.now = time.Now() // the SDK signs by the clock of the machine
	x.rehearsal.run("init", "--no-password")
	hosts := x.mkdir("hosts")
	for _, name := range []string{"web-01", "web-02"} {
		x.rehearsal.run("issue", name, "--out", hosts)
	}
	x.registerOperator()
	x.rehearsal.run("bundle", "--aws-cli", "--trust-anchor", x.service.TrustAnchorARN())
	if err := os.WriteFile(x.path("ca/kedge-ca.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return x
}

// registerOperator starts an emulator with the trust anchor and the operator.
func (x *pushCA) registerOperator() {
	x.t.Helper()
	var err error
	x.service, err = emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: []byte(x.rehearsal.run("bundle"))}}, Users: []emulator.User{x.operator},
		Now: func() time.Time { return time.Now() },
	})
	if err != nil {
		x.t.Fatal(err)
	}
	server := httptest.NewServer(x.service.Handler())
	x.t.Cleanup(server.Close)
	x.url = server.URL
}

// try runs the program with the credentials of the operator.
func (x *pushCA) try(args ...string) (code int, stdout, stderr string) {
	x.t.Helper()
	self, err := os.Executable()
	if err != nil {
		x.t.Fatal(err)
	}
	cmd := exec.CommandContext(x.t.Context(), self)
	cmd.Dir, cmd.Args = x.dir, append([]string{"kedge-ca"}, args...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	cmd.Env = append(os.Environ(), x.environment()...)
	if err := cmd.Run(); cmd.ProcessState == nil {
		x.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), words.String()
}

func (x *pushCA) environment() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + x.operator.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + x.operator.SecretAccessKey, "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_PROFILE=", "AWS_SESSION_TOKEN=", "AWS_ENDPOINT_URL=" + x.url, "AWS_ENDPOINT_URL_ROLESANYWHERE=" + x.url,
	}
}

// does wants a command to succeed, and these words on standard error.
func (x *pushCA) does(words string, args ...string) (stdout string) {
	x.t.Helper()
	code, stdout, stderr := x.try(args...)
	if code != cli.ExitDone || !strings.Contains(stderr, words) {
		x.t.Fatalf("kedge-ca %s: exit %d\n%swant %s", strings.Join(args, " "), code, stderr, words)
	}
	x.look()
	return stdout
}

// fails wants a command to fail with a code and these words on standard error, and to leave standard output empty.
func (x *pushCA) fails(code int, words []string, args ...string) {
	x.t.Helper()
	wantFailure(x.t, x.try, code, words, args)
	x.look()
}

// client is of the administrator.
func (x *pushCA) client() *rolesanywhere.Client {
	return rolesanywhere.New(rolesanywhere.Options{Region: "us-east-1", BaseEndpoint: &x.url, RetryMaxAttempts: 1, Credentials: static(x.service.Administrator())})
}

// look reads the list that AWS has: its number never goes back.
func (x *pushCA) look() {
	x.t.Helper()
	out, err := x.client().ListCrls(x.t.Context(), &rolesanywhere.ListCrlsInput{})
	if err != nil {
		x.t.Fatal(err)
	}
	if len(out.Crls) > 1 {
		x.t.Fatalf("AWS has %d lists", len(out.Crls))
	}
	for _, l := range out.Crls {
		number := numberOf(x.t, l.CrlData)
		if last := len(x.numbers) - 1; last >= 0 && number < x.numbers[last] {
			x.t.Errorf("AWS has list %d after %v", number, x.numbers)
		}
		x.numbers = append(x.numbers, number)
	}
}

func (x *pushCA) inject(text string) {
	x.t.Helper()
	fault, err := emulator.ParseFault(text)
	if err == nil {
		err = x.service.Inject(fault)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}
