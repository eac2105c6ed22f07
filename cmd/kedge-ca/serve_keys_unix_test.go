//go:build unix

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
	"kedge/internal/testenv"
	"kedge/signer"
)

// enrolled is a host that has a certificate.
type enrolled struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	csr  []byte
	leaf *x509.Certificate
	root *x509.Certificate
}

// newEnrolled makes a host that is none yet.
func newEnrolled(t *testing.T, name string, root *x509.Certificate) *enrolled {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return &enrolled{t: t, key: key, csr: csr, root: root}
}

// ask sends a message to a server, and takes the certificate of the answer, which must lead to the root.
func (h *enrolled) ask(s *serving, path string, message any) (status int, text string) {
	h.t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		h.t.Fatal(err)
	}
	response, err := s.client.Post("https://"+s.hosts+path, enrollapi.ContentType, bytes.NewReader(body))
	if err != nil {
		h.t.Error(err)
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, string(data)
	}
	var answer enrollapi.Answer
	if err := json.Unmarshal(data, &answer); err != nil {
		h.t.Error(err)
		return 0, err.Error()
	}
	h.take(answer)
	return response.StatusCode, string(data)
}

func (h *enrolled) take(answer enrollapi.Answer) {
	h.t.Helper()
	leaf, err := x509.ParseCertificate(answer.Certificate)
	if err != nil {
		h.t.Error(err)
		return
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(h.root)
	for _, der := range answer.Chain {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			h.t.Error(err)
			return
		}
		between.AddCert(cert)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		h.t.Errorf("%s: %v", leaf.Subject, err)
	}
	h.leaf = leaf
}

func (h *enrolled) enroll(s *serving, token enrollapi.TokenProof) (int, string) {
	h.t.Helper()
	return h.ask(s, enrollapi.PathEnroll, enrollapi.EnrollRequest{Token: token, Request: h.csr, KeyPlace: enrollapi.InFile})
}

func (h *enrolled) renew(s *serving) (int, string) {
	h.t.Helper()
	proof, err := enrollapi.Prove(signer.Possession{Path: enrollapi.PathRenew, Audience: sha256.Sum256(h.root.RawSubjectPublicKeyInfo), Leaf: h.leaf, Body: h.csr, At: time.Now()}, h.key)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.ask(s, enrollapi.PathRenew, enrollapi.RenewRequest{Proof: proof, Request: h.csr})
}

// monitor asks the listener for metrics.
func (s *serving) monitor(path string) (status int, text string) {
	s.t.Helper()
	response, err := http.Get("http://" + s.watch + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// awaitReady waits until the server is ready, or no longer is, and returns why.
func (s *serving) awaitReady(status int) string {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		got, text := s.monitor("/readyz")
		if got == status {
			return text
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("after a minute, readiness is %d: %s", got, text)
		}
	}
}

func (s *serving) end() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	for range s.log { // until it ends: Wait closes the pipe
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Error(err)
	}
}

// TestServe_kms: while KMS refuses, or is gone, the server is not ready, tells hosts to come again, and
// counts the errors; when it is back, the server goes on by itself.
func TestServe_kms(t *testing.T) {
	t.Parallel()
	c, k := inKMS(t)
	c.run("init", "--key", k.MakeSigning(t, "ECC_NIST_P256"))
	writeSettings(t, c.dir, serverURL)
	s := serve(t, c.dir, k.Environment()...)
	s.awaitReady(http.StatusOK)
	root, err := cadir.ReadCertificate(c.path("ca/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	host := newEnrolled(t, "web-01", root)
	token := addToken(t, c.dir, "web-01")

	k.Fail(testenv.Always("Sign", testenv.Fault{Code: "AccessDeniedException"}))
	if why := s.awaitReady(http.StatusServiceUnavailable); !strings.Contains(why, "access denied to kms:Sign") {
		t.Error(why)
	}
	if status, text := host.enroll(s, token); status != http.StatusServiceUnavailable || strings.Contains(text, "kms") {
		t.Errorf("%d %s", status, text)
	}
	k.Fail(nil)
	k.Stop()
	if why := s.awaitReady(http.StatusServiceUnavailable); !strings.Contains(why, "key") {
		t.Error(why)
	}
	if status, text := host.enroll(s, token); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, text)
	}
	k.Start(t)
	s.awaitReady(http.StatusOK)
	if status, text := host.enroll(s, token); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	_, page := s.monitor("/metrics")
	for _, want := range []string{`kedge_ca_kms_requests_total{operation="Sign",result="denied"} `, `result="unreachable"} `, `result="granted"} `, `kedge_ca_kms_request_duration_seconds_count{operation="Sign"} `, "kedge_ca_ready 1"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	s.end()
	c.run("ledger", "verify")
}

// branches are two servers of one CA, each with an intermediate of its own below the one root, whose key is
// on neither, and with a folder of its own; the ledger is in PostgreSQL.
type branches struct {
	t        *testing.T
	operator *hardwareCA // has all keys
	ledger   string
	root     *x509.Certificate
	issuers  [2]*x509.Certificate
	servers  [2]*serving
}

func newBranches(t *testing.T, c *hardwareCA, keys [2]string) *branches {
	t.Helper()
	b := &branches{t: t, operator: c, ledger: testenv.Postgres(t)}
	if err := os.Mkdir(c.path("ca"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeSettings(t, c.dir, fmt.Sprintf("ledger: '%s'\n%s", b.ledger, serverURL))
	c.run("init", "--no-password")
	b.root = b.certificate("ca")
	for i, key := range keys {
		name := fmt.Sprintf("issuing-%d", i)
		c.run("intermediate", name, "--keep-issuer", "--key", key)
		b.issuers[i] = b.certificate(name)
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "ca"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"kedge-ca.yaml", "ca.pem", name + ".pem", name + ".key-uri"} {
			if err := os.WriteFile(filepath.Join(dir, "ca", file), []byte(c.read(filepath.Join("ca", file))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// One after the other: SoftHSM does not show a token while another process logs in to it, now and then.
		b.servers[i] = serve(t, dir, append(c.env, "KEDGE_CA_ISSUER="+name)...)
	}
	return b
}

func (b *branches) certificate(name string) *x509.Certificate {
	b.t.Helper()
	cert, err := cadir.ReadCertificate(b.operator.path("ca/" + name + ".pem"))
	if err != nil {
		b.t.Fatal(err)
	}
	return cert
}

// issuedBy wants a certificate that the intermediate of a server signed.
func (b *branches) issuedBy(h *enrolled, server int) {
	b.t.Helper()
	if h.leaf == nil || h.leaf.CheckSignatureFrom(b.issuers[server]) != nil {
		b.t.Errorf("server %d gave a certificate of another intermediate", server)
	}
}

// serveHosts has hosts enroll at both servers at once, and renew at the other one.
func (b *branches) serveHosts(count int) []*enrolled {
	b.t.Helper()
	hosts := make([]*enrolled, count)
	var group sync.WaitGroup
	for i := range hosts {
		name := fmt.Sprintf("web-%02d", i)
		hosts[i] = newEnrolled(b.t, name, b.root)
		token := addTokenTo(b.t, b.ledger, name)
		group.Go(func() {
			here, there := i%2, 1-i%2
			if status, text := hosts[i].enroll(b.servers[here], token); status != http.StatusOK {
				b.t.Errorf("%s: %d %s", name, status, text)
				return
			}
			b.issuedBy(hosts[i], here)
			if status, text := hosts[i].renew(b.servers[there]); status != http.StatusOK {
				b.t.Errorf("%s renews at the other server: %d %s", name, status, text)
				return
			}
			b.issuedBy(hosts[i], there)
		})
	}
	group.Wait()
	return hosts
}

// awaitLists waits until both servers publish the lists of both intermediates.
func (b *branches) awaitLists() {
	b.t.Helper()
	for i, issuer := range b.issuers {
		for _, s := range b.servers {
			b.awaitList(s, fmt.Sprintf("/crl/issuing-%d.crl", i), issuer)
		}
	}
}

func (b *branches) awaitList(s *serving, path string, issuer *x509.Certificate) {
	b.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(100 * time.Millisecond) { // before the next round of both
		response, err := http.Get("http://" + s.plain + path)
		if err != nil {
			b.t.Fatal(err)
		}
		data, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		if list, err := x509.ParseRevocationList(data); response.StatusCode == http.StatusOK && err == nil {
			if err := list.CheckSignatureFrom(issuer); err != nil {
				b.t.Error(err)
			}
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: %s", path, response.Status)
		}
	}
}

// TestServe_branchesInKMS: two servers, each with a key in KMS and its own intermediate, on one ledger:
// hosts enroll at one and renew at the other, each server makes the lists of its intermediate, both
// publish both; when the key of one is disabled, that one is not ready, and the other goes on.
func TestServe_branchesInKMS(t *testing.T) {
	t.Parallel()
	c, k := inKMS(t)
	uris := [2]string{k.MakeSigning(t, "ECC_NIST_P256"), k.MakeSigning(t, "ECC_NIST_P384")}
	b := newBranches(t, c, uris)
	hosts := b.serveHosts(20)
	b.awaitLists()
	k.Do(t, "DisableKey", map[string]any{"KeyId": strings.TrimPrefix(strings.Split(uris[0], ";")[0], "awskms:key-id=")})
	if why := b.servers[0].awaitReady(http.StatusServiceUnavailable); !strings.Contains(why, "the key is disabled") {
		t.Error(why)
	}
	b.servers[1].awaitReady(http.StatusOK)
	if status, text := hosts[0].renew(b.servers[1]); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	b.issuedBy(hosts[0], 1)
	for _, s := range b.servers {
		s.end()
	}
	c.run("ledger", "verify")
}

// TestServe_branchesOnTokens: the same with keys on a token that both servers use at once.
func TestServe_branchesOnTokens(t *testing.T) {
	t.Parallel()
	c, h := inToken(t)
	var uris [2]string
	for i := range uris {
		label := fmt.Sprintf("issuing-%d", i)
		h.Generate(t, "ca", "EC:prime256v1", fmt.Sprintf("0%d", i+1), label)
		uris[i] = "pkcs11:token=ca;object=" + label + "?module-path=" + h.Module + "&pin-source=file:" + c.path("pin")
	}
	b := newBranches(t, c, uris)
	b.serveHosts(20)
	b.awaitLists()
	for _, s := range b.servers {
		s.end()
	}
	c.run("ledger", "verify")
}
