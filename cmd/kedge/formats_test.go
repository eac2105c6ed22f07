package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/emulator"
	"kedge/internal/testenv"
)

// issued is a certificate and its key, in DER.
type issued struct {
	cert     *x509.Certificate
	key      crypto.Signer
	der, raw []byte // of the key in PKCS #8, and of the certificate
}

func issueBelow(t *testing.T, parent *issued, name string) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: name != "leaf", BasicConstraintsValid: true,
	}
	if name == "leaf" {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	}
	i := &issued{key: key}
	from, signer := template, crypto.Signer(key)
	if parent != nil {
		from, signer = parent.cert, parent.key
	}
	i.raw, err = x509.CreateCertificate(rand.Reader, template, from, key.Public(), signer)
	must(t, err)
	i.cert, err = x509.ParseCertificate(i.raw)
	must(t, err)
	i.der, err = x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return i
}

// TestFormats: every encoding of every file that a flag of kedge names is read, or named without a
// word of a parser.
func TestFormats(t *testing.T) {
	root := issueBelow(t, nil, "root")
	issuing := issueBelow(t, root, "issuing")
	leaf := issueBelow(t, issuing, "leaf")
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pemOf("CERTIFICATE", root.raw)}}})
	must(t, err)
	server := httptest.NewTLSServer(e.Handler())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	inputs := []struct {
		flag, file, label string
		der               []byte
	}{
		{"--certificate", "leaf.pem", "CERTIFICATE", leaf.raw},
		{"--private-key", "leaf.key", "PRIVATE KEY", leaf.der},
		{"--intermediates", "issuing.pem", "CERTIFICATE", issuing.raw},
		{"--ca-bundle", "server.pem", "CERTIFICATE", server.Certificate().Raw},
		{"AWS_CA_BUNDLE", "server.pem", "CERTIFICATE", server.Certificate().Raw},
	}
	for _, in := range inputs {
		must(t, os.WriteFile(filepath.Join(dir, in.file), pemOf(in.label, in.der), 0o600))
	}
	for _, in := range inputs {
		for _, encoding := range testenv.Encodings() {
			content := encoding.Of(in.label, in.der)
			if content == nil {
				continue
			}
			t.Run(in.flag+"/"+encoding.Name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "file")
				must(t, os.WriteFile(path, content, 0o600))
				args := []string{"credential-process", "--cache", "off", "--max-attempts", "1", "--endpoint", server.URL,
					"--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN()}
				for _, other := range inputs {
					switch {
					case other.flag == in.flag && in.flag == "AWS_CA_BUNDLE":
						t.Setenv("AWS_CA_BUNDLE", path)
					case other.flag == in.flag:
						args = append(args, in.flag, path)
					case other.file != in.file && other.flag != "AWS_CA_BUNDLE":
						args = append(args, other.flag, filepath.Join(dir, other.file))
					}
				}
				checkFormat(t, args, path, encoding.Refused)
			})
		}
	}
}

// checkFormat runs a command, which prints something, or reports what is in path.
func checkFormat(t *testing.T, args []string, path, refused string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	said := stderr.String()
	if refused == "" {
		if code != cli.ExitDone || stdout.Len() == 0 || said != "" {
			t.Errorf("exit %d: %s", code, said)
		}
		return
	}
	if code == cli.ExitDone || stdout.Len() > 0 || !strings.Contains(said, path) || !strings.Contains(said, refused) {
		t.Errorf("exit %d, without %q: %s", code, refused, said)
	}
	for _, raw := range []string{"asn1:", "x509:", "<nil>", "illegal base64"} {
		if strings.Contains(said, raw) {
			t.Errorf("words of a parser: %s", said)
		}
	}
}

// TestFormats_bundle: of several certificates, those that cannot be read are left out, whatever is
// wrong with them, and the rest is used.
func TestFormats_bundle(t *testing.T) {
	t.Parallel()
	root := issueBelow(t, nil, "root")
	issuing := issueBelow(t, root, "issuing")
	leaf := issueBelow(t, issuing, "leaf")
	e, url := emulate(t, root.cert)
	other := issueBelow(t, nil, "other").raw
	change := func(old, with string) []byte {
		changed := bytes.Replace(other, []byte(old), []byte(with), 1)
		if bytes.Equal(changed, other) {
			t.Fatalf("nothing to change: %x", old)
		}
		return changed
	}
	for name, odd := range map[string][]byte{
		"name in PrintableString": change("other", "oth_r"),
		"version":                 change("\xa0\x03\x02\x01\x02", "\xa0\x03\x02\x01\x09"),
		"negative serial":         change("\xa0\x03\x02\x01\x02\x02\x08", "\xa0\x03\x02\x01\x02\x02\x08\xee")[:len(other)],
		"curve":                   change("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x09"),
		"time":                    change("Z", "X"),
		"extension":               change("\x55\x1d\x13", "\x55\x1d\x0f"),
		"empty":                   {0x30, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bundle.pem")
			must(t, os.WriteFile(path, slices.Concat(pemOf("CERTIFICATE", odd), pemOf("CERTIFICATE", leaf.raw), pemOf("PRIVATE KEY", leaf.der), pemOf("CERTIFICATE", issuing.raw), pemOf("CERTIFICATE", odd)), 0o600))
			checkFormat(t, []string{"credential-process", "--cache", "off", "--max-attempts", "1", "--endpoint", url,
				"--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(), "--certificate", path}, path, "")
		})
	}
}
