package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"

	"kedge/internal/cli"
)

// TestOwnWords: whatever is broken in a certificate or a request that a command reads, the
// message has no text of a parser.
func TestOwnWords(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	root, err := os.ReadFile(x.path("ca/ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(root)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}, DNSNames: []string{"web-01.example.com"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	file := x.path("broken")
	try := func(data []byte, args ...string) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := x.try(args...)
		if code == cli.ExitDone || stdout != "" || !strings.HasPrefix(stderr, "kedge-ca: error: ") {
			t.Errorf("%s %x: exit %d, %s", args, data, code, stderr)
		}
		for _, raw := range []string{"x509:", "asn1:", "structure error", "illegal base64"} {
			if strings.Contains(stderr, raw) {
				t.Errorf("%s: %s", args, stderr)
			}
		}
	}
	// Bytes from one end to the other, a few at a time: the length of each part is among them.
	for i := 0; i < len(block.Bytes); i += 9 {
		data := slices.Clone(block.Bytes)
		data[i] ^= 0x81
		try(data, "rotate", "start", "--root", file)
		try(data, "revoke", "--file", file, "--yes")
	}
	for i := 0; i < len(csr); i += 9 {
		data := slices.Clone(csr)
		data[i] ^= 0x81
		try(data, "sign", file)
		try(data, "intermediate", "--from", file)
	}
	for _, data := range []string{"", "<html>", "-----BEGIN CERTIFICATE-----\nAA=A\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----"} {
		try([]byte(data), "sign", file)
		try([]byte(data), "revoke", "--file", file, "--yes")
	}
	if err := os.WriteFile(x.path("ca/ca.pem"), block.Bytes[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	try(csr, "sign", file)
}
