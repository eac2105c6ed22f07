package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/testenv"
)

// TestFormats: every encoding of every file that kedge-ca is given is read, or named without a word of
// a parser. Requests and certificates are read in UTF-16 as well: certreq writes it.
func TestFormats(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca")
	mustRun(t, "init", "--dir", ca, "--no-password")
	mustRun(t, "crl", "--dir", ca)
	testenv.Run(t, dir, "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "web.key", "-out", "web.csr", "-subj", "/CN=web")
	block := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := pem.Decode(data)
		return b.Bytes
	}
	for name, tt := range map[string]struct {
		args  []string // the file comes last
		label string
		der   []byte
		wide  bool // UTF-16 is read
	}{
		"lint":                {[]string{"lint"}, "CERTIFICATE", block(ca + "/ca.pem"), true},
		"sign":                {[]string{"sign", "--dir", ca}, "CERTIFICATE REQUEST", block(dir + "/web.csr"), true},
		"ledger import --crl": {[]string{"ledger", "import", "--dir", ca, "--crl"}, "X509 CRL", block(ca + "/crl/ca.crl"), true},
		"init --key":          {[]string{"init", "--dir", "", "--key"}, "PRIVATE KEY", block(dir + "/web.key"), false},
	} {
		for _, encoding := range testenv.Encodings() {
			content := encoding.Of(tt.label, tt.der)
			if content == nil {
				continue
			}
			if tt.wide && strings.HasPrefix(encoding.Name, "UTF-16") {
				encoding.Refused = ""
			}
			t.Run(name+"/"+encoding.Name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "file")
				if err := os.WriteFile(path, content, 0o600); err != nil {
					t.Fatal(err)
				}
				args := append(tt.args[:len(tt.args):len(tt.args)], path)
				if args[0] == "init" {
					args = []string{"init", "--dir", filepath.Join(t.TempDir(), "ca"), "--key", path}
				}
				checkFormat(t, args, path, encoding.Refused)
			})
		}
	}
}

// checkFormat runs a command, which does what it should, or reports what is in path.
func checkFormat(t *testing.T, args []string, path, refused string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	said := stderr.String()
	switch {
	case refused == "" && code != cli.ExitDone:
		t.Errorf("exit %d: %s", code, said)
	case refused != "" && (code == cli.ExitDone || stdout.Len() > 0 || !strings.Contains(said, path) || !strings.Contains(said, refused)):
		t.Errorf("exit %d, without %q: %s", code, refused, said)
	}
	for _, raw := range []string{"asn1:", "x509:", "<nil>", "illegal base64"} {
		if strings.Contains(said, raw) {
			t.Errorf("words of a parser: %s", said)
		}
	}
}
