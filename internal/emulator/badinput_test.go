package emulator

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"kedge/internal/emulator/iam"
)

// signedForm is a request of the query protocol, signed by the administrator.
func (w *rehearsal) signedForm(t *testing.T, u User, service string, form url.Values) *http.Request {
	t.Helper()
	body := form.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(r, u, body, service)
	return r
}

// TestIAM_tampered: no operation of IAM is done by a request that was changed after it was signed, in any part, or
// that another key, or none, signed.
func TestIAM_tampered(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	admin := w.Administrator()
	unknown, wrong := admin, admin
	unknown.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	wrong.SecretAccessKey += "x"
	for _, tt := range []struct {
		name   string
		user   User
		change func(*http.Request)
		want   string
	}{
		{"none", admin, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken"},
		{"unknown key", unknown, func(*http.Request) {}, "InvalidClientTokenId"},
		{"wrong secret", wrong, func(*http.Request) {}, "SignatureDoesNotMatch"},
		{"another body", admin, func(r *http.Request) { reread(r, "x=a", "x=b") }, "SignatureDoesNotMatch"},
		{"another query", admin, func(r *http.Request) { r.URL.RawQuery = "a=b" }, "SignatureDoesNotMatch"},
		{"another date", admin, func(r *http.Request) { replaceIn(r, "X-Amz-Date", "T12", "T13") }, "SignatureDoesNotMatch"},
		{"another region", admin, func(r *http.Request) { replaceIn(r, "Authorization", "us-east-1", "us-west-2") }, "SignatureDoesNotMatch"},
		{"another service", admin, func(r *http.Request) { replaceIn(r, "Authorization", "/iam/", "/sts/") }, "SignatureDoesNotMatch"},
		{"an unsigned header", admin, func(r *http.Request) { r.Header.Set("X-Amz-Extra", "a") }, "SignatureDoesNotMatch"},
		{"fewer headers", admin, func(r *http.Request) { replaceIn(r, "Authorization", "content-type;", "") }, "SignatureDoesNotMatch"},
		{"no signature", admin, func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/iam/aws4_request")
		}, "IncompleteSignature"},
	} {
		for _, action := range iam.Operations() {
			r := w.signedForm(t, tt.user, iam.Service, url.Values{"Action": {action}, "Version": {iam.Version}, "x": {"a"}})
			tt.change(r)
			if response, body := w.send(t, r); response.StatusCode/100 != 4 || !strings.Contains(body, "<Code>"+tt.want+"</Code>") {
				t.Errorf("%s, %s: %d %s, want %s", tt.name, action, response.StatusCode, body, tt.want)
			}
		}
	}
}

// reread changes the body of a request that was signed.
func reread(r *http.Request, from, to string) {
	body, _ := io.ReadAll(r.Body) // of a string
	r.Body = io.NopCloser(strings.NewReader(strings.Replace(string(body), from, to, 1)))
}

// TestQuery_hugeBody: of 100 MB to STS or IAM no more is read than a request may have.
func TestQuery_hugeBody(t *testing.T) {
	t.Parallel()
	handler := newControlWorld(t).Handler()
	const size = 100 << 20
	for name, length := range map[string]int64{"announced": size, "unannounced": -1} {
		body := &countedReader{from: io.LimitReader(endless{}, size)}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI, r.ContentLength = "/", length
		var out recorder
		handler.ServeHTTP(&out, r)
		if out.status != http.StatusRequestEntityTooLarge || !bytes.Contains(out.body.Bytes(), []byte("<Message>Request size exceeded</Message>")) {
			t.Errorf("%s: %d %s", name, out.status, &out.body)
		}
		if body.read > maxQueryBody+1 {
			t.Errorf("%s: %d bytes were read", name, body.read)
		}
	}
}

type countedReader struct {
	from io.Reader
	read int
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read += n
	return n, err
}

// TestIAM_bounds: what is one above a limit is refused, and nothing of it kept.
func TestIAM_bounds(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	trust := func(size int) string { return padded(t, accountTrust, size) }
	if _, err := w.roles().CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String("most"), AssumeRolePolicyDocument: aws.String(trust(2048))}); err != nil {
		t.Errorf("2,048 characters: %v", err)
	}
	_, err := w.roles().CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String("more"), AssumeRolePolicyDocument: aws.String(trust(2049))})
	if _, code := statusAndCode(err); code != "LimitExceeded" {
		t.Errorf("2,049 characters: %v", err)
	}
	tags := url.Values{"Action": {"CreateRole"}, "Version": {iam.Version}, "RoleName": {"more"}, "AssumeRolePolicyDocument": {accountTrust}}
	for n := range 1000 {
		tags.Set("Tags.member."+strconv.Itoa(n+1)+".Key", "k"+strconv.Itoa(n))
		tags.Set("Tags.member."+strconv.Itoa(n+1)+".Value", "v")
	}
	if response, body := w.send(t, w.signedForm(t, w.Administrator(), iam.Service, tags)); response.StatusCode != 400 || len(body) > 2000 {
		t.Errorf("1,000 tags: %d %.300s", response.StatusCode, body)
	}
	_, err = w.roles().GetRole(t.Context(), &awsiam.GetRoleInput{RoleName: aws.String("more")})
	if _, code := statusAndCode(err); code != "NoSuchEntity" {
		t.Errorf("a refused role was kept: %v", err)
	}
}

// padded returns a trust policy of so many characters without white space.
func padded(t *testing.T, document string, size int) string {
	t.Helper()
	const sid = `"Sid":""`
	padding := size - len(document) - len(sid+",")
	if padding < 0 {
		t.Fatalf("the policy has more than %d characters", size)
	}
	return strings.Replace(document, `{"Effect"`, `{"Sid":"`+strings.Repeat("a", padding)+`","Effect"`, 1)
}
