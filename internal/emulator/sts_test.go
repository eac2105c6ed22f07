package emulator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"kedge/internal/emulator/wire"
	"kedge/internal/testenv"
)

// stsWorld is an emulator behind a real server, with a session of CreateSession.
type stsWorld struct {
	*Emulator
	url     string
	session *Session
	offset  atomic.Int64 // of the clock
}

func newSTSWorld(t *testing.T) *stsWorld {
	t.Helper()
	w := &stsWorld{}
	root := newRoot(t, caTemplate("Root"))
	start := time.Now()
	w.Emulator = newEmulator(t, root, func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }
		c.Roles = []Role{{}, {MaxSessionDuration: 2 * time.Hour}}
		c.Users = []User{{ARN: "arn:aws:iam::111122223333:user/alice", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}}
	})
	leaf := root.issue(t, leafTemplate())
	grant := &sessionGrant{
		anchor: w.resources.TrustAnchor(w.TrustAnchorARN()), profile: w.resources.Profile(w.ProfileARN()), role: w.iam.Role(w.RoleARN()),
		duration: time.Hour, name: "5ec2e7", tags: principalTags(leaf.cert),
	}
	var refusal *wire.Error
	if w.session, refusal = w.issue(grant, leaf.cert, start); refusal != nil {
		t.Fatal(refusal)
	}
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *stsWorld) client(key, secret, token string) *sts.Client {
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token),
	})
}

func (w *stsWorld) sessionClient() *sts.Client {
	return w.client(w.session.AccessKeyID, w.session.secretAccessKey, w.session.sessionToken)
}

func (w *stsWorld) userClient() *sts.Client {
	return w.client("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
}

func TestSTS_getCallerIdentity(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	out, err := w.sessionClient().GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(out.Arn), "arn:aws:sts::111122223333:assumed-role/kedge/5ec2e7"; got != want {
		t.Errorf("Arn %s, want %s", got, want)
	}
	if id := aws.ToString(out.UserId); !strings.HasPrefix(id, "AROA") || len(id) != len("AROA")+17+len(":5ec2e7") {
		t.Errorf("UserId %s", id)
	}
	if aws.ToString(out.Account) != "111122223333" {
		t.Errorf("Account %s", aws.ToString(out.Account))
	}
}

// TestSTS_log: the line of a call has the source identity of the sender, where there is one.
func TestSTS_log(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	var log strings.Builder
	w.log.w = &log
	for _, tt := range []struct {
		client *sts.Client
		want   string
	}{
		{w.sessionClient(), "GetCallerIdentity 200 for arn:aws:sts::111122223333:assumed-role/kedge/5ec2e7, source identity \"CN=web-1\"\n"},
		{w.userClient(), "GetCallerIdentity 200 for arn:aws:iam::111122223333:user/alice\n"},
	} {
		log.Reset()
		if _, err := tt.client.GetCallerIdentity(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(log.String(), tt.want) {
			t.Errorf("%s, want %s", &log, tt.want)
		}
	}
}

func TestSTS_presigned(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	request, err := sts.NewPresignClient(w.sessionClient()).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, string) {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := get(request.URL); status != http.StatusOK || !strings.Contains(body, "assumed-role/kedge/5ec2e7") {
		t.Errorf("%d: %s", status, body)
	}
	if status, body := get(strings.Replace(request.URL, "Version=", "Extra=1&Version=", 1)); status != http.StatusForbidden || !strings.Contains(body, "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("changed: %d: %s", status, body)
	}
	w.offset.Store(int64(20 * time.Minute))
	if status, body := get(request.URL); status != http.StatusForbidden || !strings.Contains(body, "Signature expired: ") {
		t.Errorf("old: %d: %s", status, body)
	}
}

func TestSTS_assumeRole(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	target := w.config.Roles[1].ARN
	out, err := w.sessionClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &target, RoleSessionName: aws.String("second")})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(out.SourceIdentity) != "CN=web-1" {
		t.Errorf("source identity %q, want the one of the certificate", aws.ToString(out.SourceIdentity))
	}
	c := out.Credentials
	who, err := w.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:sts::111122223333:assumed-role/kedge-2/second" {
		t.Errorf("who: %v, %v", who, err)
	}
}

func TestSTS_getSessionToken(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	out, err := w.userClient().GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	who, err := w.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::111122223333:user/alice" {
		t.Errorf("who: %v, %v", who, err)
	}
}

func TestSTS_refusals(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	s := w.session
	identity := func(c *sts.Client) error { _, err := c.GetCallerIdentity(context.Background(), nil); return err }
	assume := func(c *sts.Client, in sts.AssumeRoleInput) error {
		_, err := c.AssumeRole(context.Background(), &in)
		return err
	}
	second, name := w.config.Roles[1].ARN, aws.String("second")
	tests := []struct {
		name, code, text string
		do               func() error
	}{
		{"unknown key", "InvalidClientTokenId", "is invalid", func() error { return identity(w.client("ASIAAAAAAAAAAAAAAAAA", s.secretAccessKey, s.sessionToken)) }},
		{"wrong secret", "SignatureDoesNotMatch", "does not match", func() error { return identity(w.client(s.AccessKeyID, "x", s.sessionToken)) }},
		{"wrong token", "InvalidClientTokenId", "is invalid", func() error { return identity(w.client(s.AccessKeyID, s.secretAccessKey, "x")) }},
		{"no token", "InvalidClientTokenId", "is invalid", func() error { return identity(w.client(s.AccessKeyID, s.secretAccessKey, "")) }},
		{"unsigned", "MissingAuthenticationToken", "missing", func() error {
			return identity(sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1, Credentials: aws.AnonymousCredentials{}}))
		}},
		{"session asks for a session token", "AccessDenied", "Cannot call GetSessionToken with session credentials", func() error { _, err := w.sessionClient().GetSessionToken(context.Background(), nil); return err }},
		{"role that does not exist", "AccessDenied", "is not authorized to perform: sts:AssumeRole", func() error {
			return assume(w.sessionClient(), sts.AssumeRoleInput{RoleArn: aws.String(second + "x"), RoleSessionName: name})
		}},
		{"chaining over an hour", "ValidationError", "1 hour session limit", func() error {
			return assume(w.sessionClient(), sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: name, DurationSeconds: aws.Int32(3601)})
		}},
		{"over the role's maximum", "ValidationError", "exceeds the MaxSessionDuration", func() error {
			return assume(w.userClient(), sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: name, DurationSeconds: aws.Int32(7201)})
		}},
		{"too short", "ValidationError", "greater than or equal to 900", func() error {
			return assume(w.userClient(), sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: name, DurationSeconds: aws.Int32(899)})
		}},
		{"session name", "ValidationError", "[\\w+=,.@-]*", func() error {
			return assume(w.userClient(), sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: aws.String("a b")})
		}},
		{"changed source identity", "AccessDenied", "sts:SetSourceIdentity", func() error {
			return assume(w.sessionClient(), sts.AssumeRoleInput{RoleArn: &second, RoleSessionName: name, SourceIdentity: aws.String("other")})
		}},
		{"unknown action", "InvalidAction", "Could not find operation GetAccessKeyInfo", func() error {
			_, err := w.userClient().GetAccessKeyInfo(context.Background(), &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantAPIError(t, tt.do(), tt.code, tt.text)
		})
	}
	// Last, for they move the clock.
	w.offset.Store(int64(61 * time.Minute))
	wantAPIError(t, identity(w.sessionClient()), "ExpiredToken", "is expired")
	wantAPIError(t, identity(w.userClient()), "SignatureDoesNotMatch", "Signature expired: ")
	w.offset.Store(int64(-6 * time.Minute))
	wantAPIError(t, identity(w.userClient()), "SignatureDoesNotMatch", "Signature not yet current: ")
}

func wantAPIError(t *testing.T, err error, code, text string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Errorf("error %v, want %s: %s", err, code, text)
	}
}

// The AWS CLI is a peer that shares nothing with the Go SDK. Debian 12's is older than
// AWS_ENDPOINT_URL_STS, hence the flag.
func TestSTS_awsCLI(t *testing.T) {
	t.Parallel()
	tool := testenv.Tool(t, "aws")
	w := newSTSWorld(t)
	cmd := exec.Command(tool, "--endpoint-url", w.url, "sts", "get-caller-identity", "--output", "text", "--query", "Arn")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + w.session.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + w.session.secretAccessKey, "AWS_SESSION_TOKEN=" + w.session.sessionToken,
	}
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "No module named") || strings.Contains(string(out), "command not found") {
		testenv.Missing(t, "aws", "is there, but does not run: "+string(out))
	}
	if got := strings.TrimSpace(string(out)); got != w.session.AssumedRoleARN {
		t.Errorf("%v: %s", err, got)
	}
}

// TestSTS_malformed are requests that no SDK sends.
func TestSTS_malformed(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, newRoot(t, caTemplate("Root")), func(c *Config) {
		c.Users = []User{{ARN: "arn:aws:iam::111122223333:user/alice", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"}}
	})
	const form = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Amz-Date: 20261121T120000Z\r\n"
	auth := func(scope, signed string) string {
		return form + "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/" + scope + ", SignedHeaders=" + signed + ", Signature=00\r\n\r\n"
	}
	tests := []struct{ name, wire, want string }{
		{"method", "PUT / HTTP/1.1\r\nHost: h\r\n\r\n", "<Code>InvalidAction</Code>"},
		{"parameter twice", "GET /?Action=a&Action=b HTTP/1.1\r\nHost: h\r\n\r\n", "<Code>InvalidParameterCombination</Code>"},
		{"bad escape", "GET /?Action=%2 HTTP/1.1\r\nHost: h\r\n\r\n", "<Code>MalformedQueryString</Code>"},
		{"no parts", form + "Authorization: AWS4-HMAC-SHA256\r\n\r\n", "<Code>IncompleteSignature</Code>"},
		{"another algorithm", strings.Replace(auth("20261121/us-east-1/sts/aws4_request", "host;x-amz-date"), "HMAC", "X509-RSA", 1), "<Code>IncompleteSignature</Code>"},
		{"another day", auth("20261120/us-east-1/sts/aws4_request", "host;x-amz-date"), "Date in Credential scope does not match"},
		{"no region", auth("20261121/nowhere/sts/aws4_request", "host;x-amz-date"), "Credential should be scoped to a valid region."},
		{"another service", auth("20261121/us-east-1/rolesanywhere/aws4_request", "host;x-amz-date"), "Credential should be scoped to correct service"},
		{"another terminator", auth("20261121/us-east-1/sts/aws5_request", "host;x-amz-date"), "valid terminator"},
		{"date not signed", auth("20261121/us-east-1/sts/aws4_request", "host"), "<Code>SignatureDoesNotMatch</Code>"},
		{"hash of another body", strings.Replace(auth("20261121/us-east-1/sts/aws4_request", "host;x-amz-date"), "Host: h", "Host: h\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD", 1), "<Code>SignatureDoesNotMatch</Code>"},
		{"hash twice", strings.Replace(auth("20261121/us-east-1/sts/aws4_request", "host;x-amz-content-sha256;x-amz-date"), "Host: h", "Host: h\r\nX-Amz-Content-Sha256: "+hexSHA256("")+"\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD", 1), "the header X-Amz-Content-Sha256 stands more than once"},
		{"presigned for too long", "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/sts/aws4_request&X-Amz-Date=20261121T120000Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=00 HTTP/1.1\r\nHost: h\r\n\r\n", "X-Amz-Expires must be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := send(t, e, tt.wire); got.status < 400 || !strings.Contains(string(got.body), tt.want) {
				t.Errorf("%d %s, want %s", got.status, got.body, tt.want)
			}
		})
	}
}
