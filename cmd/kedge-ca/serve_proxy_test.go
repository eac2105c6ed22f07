//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
	"kedge/internal/testenv"
	"kedge/signer"
)

// nginxConf has HOSTS for the address of the server. The headers say that the client is the root of
// the CA, on this machine.
const nginxConf = `
daemon off;
user root;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen unix:SOCKET ssl;
		ssl_certificate proxy.pem;
		ssl_certificate_key proxy.pem;
		location / {
			proxy_pass https://HOSTS;
			proxy_set_header Host elsewhere.example.net;
			proxy_set_header X-SSL-Client-Verify SUCCESS;
			proxy_set_header X-SSL-Client-S-DN "CN=ca";
			proxy_set_header X-Forwarded-For 127.0.0.1;
		}
	}
}
`

// startNginx runs nginx in front of a server, with a certificate of kedge-ca server-cert, and makes
// the client talk to it.
func (s *serving) startNginx() {
	s.t.Helper()
	nginx := testenv.Tool(s.t, "nginx")
	kedgeCA(s.t, s.dir, "server-cert", "--dns", "ca.example.com", "--out", "proxy.pem")
	short, err := os.MkdirTemp("", "kedge") // t.TempDir may be too long for a socket
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { os.RemoveAll(short) })
	socket := filepath.Join(short, "s")
	conf := filepath.Join(s.dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(strings.NewReplacer("HOSTS", s.hosts, "SOCKET", socket).Replace(nginxConf)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-p", s.dir, "-c", conf)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	s.t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); <-ended })
	for connected := false; !connected; {
		select {
		case <-ended:
			s.t.Fatalf("nginx ended:\n%s", &log)
		case <-time.After(10 * time.Millisecond):
			c, err := net.Dial("unix", socket)
			if connected = err == nil; connected {
				c.Close()
			}
		}
	}
	transport, ok := s.client.Transport.(*http.Transport)
	if !ok {
		s.t.Fatal("another transport")
	}
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
}

// post sends a message, and returns the answer.
func (s *serving) post(path string, message any) (status int, answer enrollapi.Answer) {
	s.t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.client.Post("https://ca.example.com/kedge"+path, enrollapi.ContentType, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// TestServe_proxy: hosts enroll and renew through a proxy that ends TLS, removes nothing of the path
// and sends another Host, and what it sends about its clients counts for nothing.
func TestServe_proxy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kedgeCA(t, dir, "init", "--no-password")
	writeSettings(t, dir, "server: {url: 'https://ca.example.com/kedge', est: {enabled: true}}\n")
	s := serve(t, dir)
	s.startNginx()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.post(enrollapi.PathEnroll, enrollapi.EnrollRequest{Token: addToken(t, dir, "web-01"), Request: csr})
	if status != http.StatusOK {
		t.Fatalf("enroll: %d", status)
	}
	leaf, err := x509.ParseCertificate(answer.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	root, err := cadir.ReadCertificate(filepath.Join(dir, "ca", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := enrollapi.Prove(signer.Possession{Path: enrollapi.PathRenew, Audience: sha256.Sum256(root.RawSubjectPublicKeyInfo), Leaf: leaf, Body: csr, At: time.Now()}, key)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.post(enrollapi.PathRenew, enrollapi.RenewRequest{Proof: proof, Request: csr}); status != http.StatusOK {
		t.Errorf("renew: %d", status)
	}
	if status, _ := s.post(enrollapi.PathUnenroll, struct{}{}); status != http.StatusForbidden {
		t.Errorf("unenroll by what the proxy says: %d", status)
	}
	s.postEST("simpleenroll", csr, http.StatusUnauthorized, "the request has no credentials")
	s.postEST("simplereenroll", csr, http.StatusForbidden, "mTLS ends there")
}

// postEST sends a certificate request by EST without credentials, and checks how it is refused.
func (s *serving) postEST(operation string, csr []byte, status int, words string) {
	s.t.Helper()
	response, err := s.client.Post("https://ca.example.com/kedge/.well-known/est/"+operation, "application/pkcs10", bytes.NewReader(csr))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || !strings.Contains(string(text), words) {
		s.t.Errorf("%s: %s: %s, %v", operation, response.Status, text, err)
	}
}
