package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// verifies reports whether openssl accepts a certificate that it issued below the path of its
// issuer as a client's, and returns its output.
func (o *opensslCA) verifies(made issuer, args ...string) (ok bool, said string) {
	o.t.Helper()
	root := made.path[len(made.path)-1]
	writePEM(o.t, filepath.Join(o.dir, "root.pem"), root)
	writePEM(o.t, filepath.Join(o.dir, "between.pem"), made.path[:len(made.path)-1]...)
	args = slices.Concat([]string{"verify", "-CAfile", "root.pem", "-untrusted", "between.pem"}, args, []string{made.name + ".pem"})
	cmd := exec.Command(testenv.Tool(o.t, "openssl"), args...)
	cmd.Dir = o.dir
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

// signer returns the key of a certificate that openssl made.
func (o *opensslCA) signer(made issuer) crypto.Signer {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, made.name+".key"))
	if err != nil {
		o.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		o.t.Fatal(err)
	}
	return key.(crypto.Signer)
}

// TestLint_issuerExtKeyUsage: where openssl does not take a leaf for a client's because of a CA
// above it, lint reports it for the leaf (NeySlim/ultimate-ca-manager#264).
func TestLint_issuerExtKeyUsage(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	root, _ := o.sign(opensslCert{subject: "/CN=Root"}, caExtensions, nil)
	for usages, good := range map[string]bool{
		"": true, "extendedKeyUsage=clientAuth": true, "extendedKeyUsage=serverAuth,clientAuth": true,
		"extendedKeyUsage=serverAuth": false, "extendedKeyUsage=1.2.3.4": false,
	} {
		middle, _ := o.sign(opensslCert{subject: "/CN=Middle", extensions: usages, args: []string{"-days", "29"}}, intermediateExtensions, &root)
		made, cert := o.sign(opensslCert{args: []string{"-days", "28"}}, leafExtensions, &middle)
		verified, said := o.verifies(made, "-purpose", "sslclient")
		if verified != good {
			t.Fatalf("%s: openssl: %s", usages, said)
		}
		got := broke(Lint(cert, middle.path))
		if good != (len(got) == 0) || !good && !slices.Equal(got, []string{"issuer-ext-key-usage"}) {
			t.Errorf("%s: lint finds %q", usages, got)
		}
	}
}

// TestNew_extKeyUsage: a CA whose certificate leaves no leaf usable issues none, and revokes
// what it issued.
func TestNew_extKeyUsage(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	made, cert := o.sign(opensslCert{subject: "/CN=Servers", extensions: "extendedKeyUsage=serverAuth"}, caExtensions, nil)
	a, err := New(cert, o.signer(made))
	if err != nil {
		t.Fatal(err)
	}
	at := cert.NotBefore.Add(backdate)
	if _, err := a.PrepareLeaf(anySAN(t), Request{Name: "web-01", Public: newKey(t).Public()}, at); err == nil || !strings.Contains(err.Error(), "the rule issuer-ext-key-usage: is below \"CN=Servers\"") {
		t.Errorf("a leaf: %v", err)
	}
	if _, err := a.PrepareCA(newKey(t).Public(), caNamed("Below", -1), at); err == nil || !strings.Contains(err.Error(), "the rule issuer-ext-key-usage") {
		t.Errorf("an intermediate: %v", err)
	}
	if _, err := a.CRL(nil, CRLConfig{Number: big.NewInt(1), ThisUpdate: at, NextUpdate: at.Add(time.Hour)}); err != nil {
		t.Errorf("a list: %v", err)
	}
}

// TestLintAt: a path is in date as long as all of it is.
func TestLintAt(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	middle := below(t, root, newKey(t), caNamed("Middle", -1)).Certificate()
	cert := *middle // as another program may have made it
	cert.NotAfter = noon.Add(24 * time.Hour)
	path := []*x509.Certificate{root.Certificate()}
	tests := []struct {
		at   time.Time
		want []string
	}{
		{noon, nil},
		{time.Time{}, nil},
		{noon.Add(2 * time.Hour), []string{`is below "CN=Test CA", which ended at 2026-11-01T13:00:00Z`}},
		{noon.Add(25 * time.Hour), []string{"ended at 2026-11-02T12:00:00Z", `is below "CN=Test CA", which ended at 2026-11-01T13:00:00Z`}},
		{noon.Add(-time.Hour), []string{"is not valid before 2026-11-01T11:55:00Z", `is below "CN=Test CA", which is not valid before 2026-11-01T11:55:00Z`}},
	}
	for _, tt := range tests {
		var got []string
		for _, f := range LintAt(&cert, path, tt.at) {
			if f.Rule == ruleInDate {
				got = append(got, f.Text)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %q\nwant %q", tt.at, got, tt.want)
		}
	}
}
