//go:build unix

package main

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/internal/emulator"
	"kedge/internal/testenv"
	"kedge/signer"
	"kedge/signer/session"
)

// estSettings have EST with a label whose answers are in lines, and one whose devices wait for approval.
const estSettings = `default_profile: workload
profiles:
  workload: {}
  field: {enroll: {proofs: [token, approval, renewal]}}
server:
  url: https://127.0.0.1:8443
  est: {enabled: true, labels: {lines: {wrapped: true}, field: {profile: field}}}
`

// devices is a server with EST, and a folder for devices that have only programs of others.
type devices struct {
	*serving
	work string // with ca.pem
	url  string
}

func serveEST(t *testing.T, settings string) *devices {
	t.Helper()
	dir := t.TempDir()
	kedgeCA(t, dir, "init", "--no-password")
	writeSettings(t, dir, settings)
	s := serve(t, dir)
	d := &devices{s, filepath.Join(dir, "devices"), "https://" + s.hosts}
	root, err := os.ReadFile(filepath.Join(dir, "ca", "ca.pem"))
	if err == nil {
		err = os.Mkdir(d.work, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.write("ca.pem", string(root))
	return d
}

func (d *devices) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.work, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *devices) read(name string) []byte {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.work, name))
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

// token makes a token for a name.
func (d *devices) token(name string) string {
	d.t.Helper()
	return tokenIn(d.t, kedgeCA(d.t, d.dir, "token", name))
}

func (d *devices) openssl(args ...string) string {
	d.t.Helper()
	return string(testenv.Run(d.t, d.work, "openssl", args...))
}

// request makes a key in NAME.key and a request for a subject in NAME.csr.
func (d *devices) request(name, subject string) {
	d.t.Helper()
	d.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", name+".key", "-subj", subject, "-out", name+".csr")
}

// curl runs curl at an operation, with the rest of its configuration, such as a password, on standard input. It
// returns the status, and writes the body to the file out.
func (d *devices) curl(config, operation string, args ...string) int {
	d.t.Helper()
	args = append([]string{"--silent", "--show-error", "--cacert", "ca.pem", "--output", "out", "--dump-header", "head", "--write-out", "%{http_code}", "--config", "-", d.url + "/.well-known/est/" + operation}, args...)
	cmd := exec.Command(testenv.Tool(d.t, "curl"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = d.work, strings.NewReader(config), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("curl %v: %v: %s", args, err, &stderr)
	}
	status, err := strconv.Atoi(stdout.String())
	if err != nil {
		d.t.Fatal(err)
	}
	return status
}

// post sends a certificate request by curl.
func (d *devices) post(config, operation, body string, args ...string) int {
	d.t.Helper()
	return d.curl(config, operation, append([]string{"--header", "Content-Type: application/pkcs10", "--data-binary", "@" + body}, args...)...)
}

// password is HTTP Basic for curl.
func password(token string) string { return "user = \"device:" + token + "\"\n" }

// takes decodes the answer in out with openssl, and writes the certificates in it to a file.
func (d *devices) takes(name, wrapped string) {
	d.t.Helper()
	decode := []string{"base64", "-d", "-in", "out", "-out", "out.p7"}
	if wrapped == "" {
		decode = append(decode, "-A")
	}
	d.openssl(decode...)
	d.openssl("pkcs7", "-inform", "DER", "-in", "out.p7", "-print_certs", "-out", name)
}

// getsCredentials has a device get credentials of the emulator with its key and certificate.
func (d *devices) getsCredentials(certFile, keyFile string) {
	d.t.Helper()
	e, err := emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: d.read("ca.pem")}}, Profiles: []emulator.Profile{{}}, Roles: []emulator.Role{{}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	client, err := session.New(session.Config{TrustAnchorARN: e.TrustAnchorARN(), ProfileARN: e.ProfileARN(), RoleARN: e.RoleARN(), Endpoint: server.URL, Now: time.Now})
	if err != nil {
		d.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(d.read(certFile), d.read(keyFile))
	if err != nil {
		d.t.Fatal(err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		d.t.Fatal("no signer")
	}
	id, err := signer.NewIdentity(key, []*x509.Certificate{pair.Leaf}, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	credentials, err := client.CreateSession(d.t.Context(), id)
	if err != nil || credentials.AccessKeyID == "" {
		d.t.Errorf("%+v, %v", credentials, err)
	}
}

// TestEST_curl: a device with curl and openssl alone does all operations, with base64 on one line and in lines;
// its certificates get credentials.
func TestEST_curl(t *testing.T) {
	t.Parallel()
	d := serveEST(t, estSettings)
	for _, label := range []string{"", "lines/"} {
		name := "dev-" + strings.TrimSuffix(label, "/")
		if status := d.curl("", label+"cacerts"); status != 200 {
			t.Fatalf("%d", status)
		}
		d.takes("roots.pem", label)
		if block, _ := pem.Decode(d.read("ca.pem")); !bytes.Contains(d.read("roots.pem"), pem.EncodeToMemory(block)) {
			t.Errorf("%q: another root: %s", label, d.read("roots.pem"))
		}
		if status := d.curl("", label+"csrattrs"); status != 204 {
			t.Errorf("%d", status)
		}
		d.request("first", "/CN="+name)
		if status := d.post("", label+"simpleenroll", "first.csr"); status != 401 || !strings.Contains(strings.ToLower(string(d.read("head"))), "\r\nwww-authenticate: basic realm=") {
			t.Errorf("%d: %s", status, d.read("head"))
		}
		d.openssl("req", "-in", "first.csr", "-outform", "DER", "-out", "first.der")
		d.openssl("base64", "-in", "first.der", "-out", "first.b64")
		if status := d.post(password(d.token(name)), label+"simpleenroll", "first.b64", "--header", "Content-Transfer-Encoding: base64"); status != 200 {
			t.Fatalf("%d: %s", status, d.read("out"))
		}
		d.takes("first.pem", label)
		d.openssl("verify", "-CAfile", "roots.pem", "first.pem")
		d.getsCredentials("first.pem", "first.key")
		d.reenrolls(label, name)
	}
	for _, operation := range []string{"serverkeygen", "fullcmc"} {
		if status := d.post("", operation, "first.csr"); status != 501 || len(d.read("out")) == 0 {
			t.Errorf("%s: %d: %s", operation, status, d.read("out"))
		}
	}
}

// reenrolls renews first.pem with another key, and with another name, which is refused.
func (d *devices) reenrolls(label, name string) {
	d.t.Helper()
	mTLS := []string{"--cert", "first.pem", "--key", "first.key"}
	d.request("next", "/CN="+name)
	d.openssl("req", "-in", "next.csr", "-outform", "DER", "-out", "next.der")
	if status := d.post("", label+"simplereenroll", "next.der"); status != 403 {
		d.t.Errorf("without a certificate: %d: %s", status, d.read("out"))
	}
	if status := d.post("", label+"simplereenroll", "next.der", mTLS...); status != 200 {
		d.t.Fatalf("%d: %s", status, d.read("out"))
	}
	d.takes("next.pem", label)
	d.openssl("verify", "-CAfile", "roots.pem", "next.pem")
	d.getsCredentials("next.pem", "next.key")
	d.request("other", "/CN=somebody")
	if status := d.post("", label+"simplereenroll", "other.csr", "--cert", "next.pem", "--key", "next.key"); status != 403 || !strings.Contains(string(d.read("out")), "a renewal has the names of the certificate") {
		d.t.Errorf("another name: %d: %s", status, d.read("out"))
	}
	if status := d.post("", label+"simplereenroll", "other.csr", mTLS...); status != 403 {
		d.t.Errorf("another name by the old certificate: %d", status)
	}
}

// TestEST_curlForms: what curl makes of a request: TLS 1.2, HTTP/1.0, chunks, Expect, no credentials at first.
func TestEST_curlForms(t *testing.T) {
	t.Parallel()
	d := serveEST(t, estSettings)
	for i, args := range [][]string{
		{"--tls-max", "1.2"}, {"--http1.0"}, {"--header", "Transfer-Encoding: chunked"}, {"--header", "Expect: 100-continue"}, {"--anyauth"},
		{"--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"},
	} {
		name := "form-" + strconv.Itoa(i)
		d.request(name, "/CN="+name)
		if status := d.post(password(d.token(name)), "simpleenroll", name+".csr", args...); status != 200 {
			t.Errorf("%v: %d: %s", args, status, d.read("out"))
		}
	}
}

// TestEST_revoked: a certificate that was revoked at another server of the ledger renews nothing (CVE-2020-25276).
func TestEST_revoked(t *testing.T) {
	t.Parallel()
	d := serveEST(t, estSettings)
	d.request("first", "/CN=dev-01")
	if status := d.post(password(d.token("dev-01")), "simpleenroll", "first.csr"); status != 200 {
		t.Fatalf("%d: %s", status, d.read("out"))
	}
	d.takes("first.pem", "")
	kedgeCA(t, d.dir, "revoke", "dev-01", "--yes")
	d.request("next", "/CN=dev-01")
	for operation, want := range map[string]int{"simplereenroll": 403, "simpleenroll": 401} { // a token may do instead
		if status := d.post("", operation, "next.csr", "--cert", "first.pem", "--key", "first.key"); status != want || !strings.Contains(string(d.read("out")), "was revoked") {
			t.Errorf("%s: %d: %s", operation, status, d.read("out"))
		}
	}
}

// TestEST_approval: a device without credentials waits, with the label whose profile allows it, and has its
// certificate once the operator has approved.
func TestEST_approval(t *testing.T) {
	t.Parallel()
	d := serveEST(t, estSettings)
	d.request("first", "/CN=dev-01")
	for range 2 {
		if status := d.post("", "field/simpleenroll", "first.csr"); status != 202 || !regexp.MustCompile(`(?m)^Retry-After: [0-9]+\r$`).Match(d.read("head")) {
			t.Fatalf("%d: %s%s", status, d.read("head"), d.read("out"))
		}
	}
	d.approves("dev-01")
	if status := d.post("", "field/simpleenroll", "first.csr"); status != 200 {
		t.Fatalf("%d: %s", status, d.read("out"))
	}
	d.takes("first.pem", "")
	d.getsCredentials("first.pem", "first.key")
}

// approves approves the one request that waits, which must be for a name.
func (d *devices) approves(name string) {
	d.t.Helper()
	var listed struct {
		Requests []struct{ ID, Name string } `json:"requests"`
	}
	out := kedgeCA(d.t, d.dir, "pending", "--json")
	if err := json.NewDecoder(strings.NewReader(out[strings.Index(out, "{"):])).Decode(&listed); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
	if len(listed.Requests) != 1 || listed.Requests[0].Name != name {
		d.t.Fatalf("%s", out)
	}
	kedgeCA(d.t, d.dir, "approve", listed.Requests[0].ID)
}
