package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// Extensions of good certificates, as openssl.cnf has them. A case that breaks a rule
// replaces or adds lines.
const (
	caExtensions = `basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
`
	intermediateExtensions = caExtensions + "authorityKeyIdentifier=keyid\n"
	leafExtensions         = `basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`
	serverExtensions = `keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=critical,DNS:ca.example.com,IP:192.0.2.1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`
)

// opensslCert specifies what openssl is to sign.
type opensslCert struct {
	subject    string   // as -subj takes it; "" for /CN=web-01
	key        string   // algorithm; "" for P-256
	extensions string   // lines that replace or, without a namesake, follow those of its kind
	drop       string   // an extension to leave out
	args       []string // further arguments
	request    []byte   // a CSR to take instead of one of openssl's
}

// opensslCA makes certificates with openssl in one folder.
type opensslCA struct {
	t    *testing.T
	dir  string
	n    int
	csrs map[string]string // file of the CSR by subject and key
}

// issuer is a CA certificate that openssl made, and those above it.
type issuer struct {
	name string // of the files NAME.pem and NAME.key
	path []*x509.Certificate
}

func newOpenSSL(t *testing.T) *opensslCA {
	t.Helper()
	testenv.Tool(t, "openssl")
	return &opensslCA{t: t, dir: t.TempDir(), csrs: map[string]string{}}
}

func (o *opensslCA) run(args ...string) {
	o.t.Helper()
	testenv.Run(o.t, o.dir, "openssl", args...)
}

func (o *opensslCA) write(name, content string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(content), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// key makes one key of each algorithm, since which key it is does not matter.
func (o *opensslCA) key(algorithm string) string {
	o.t.Helper()
	file := strings.NewReplacer(":", "-").Replace(algorithm) + ".key"
	if _, err := os.Stat(filepath.Join(o.dir, file)); err == nil {
		return file
	}
	name, option, ok := strings.Cut(algorithm, ":")
	args := []string{"genpkey", "-algorithm", name, "-out", file}
	if ok {
		args = append(args, "-pkeyopt", option)
	}
	o.run(args...)
	return file
}

const p256 = "EC:ec_paramgen_curve:P-256"

// csr returns the file of a request for the subject and key.
func (o *opensslCA) csr(c opensslCert, key string) string {
	o.t.Helper()
	subject := c.subject
	if subject == "" {
		subject = "/CN=web-01"
	}
	id := subject + " " + key + string(c.request)
	if file, ok := o.csrs[id]; ok {
		return file
	}
	file := fmt.Sprintf("r%d.csr", len(o.csrs))
	o.csrs[id] = file
	if c.request != nil {
		o.write(file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: c.request})))
		return file
	}
	o.write("empty.cnf", "[req]\ndistinguished_name=dn\n[dn]\n")
	o.run("req", "-new", "-config", "empty.cnf", "-utf8", "-subj", subject, "-key", key, "-out", file)
	return file
}

// sign makes a certificate below parent, or a self-signed one.
func (o *opensslCA) sign(c opensslCert, base string, parent *issuer) (issuer, *x509.Certificate) {
	o.t.Helper()
	o.n++
	name := fmt.Sprintf("c%d", o.n)
	algorithm := p256
	if c.key != "" {
		algorithm = c.key
	}
	key := o.key(algorithm)
	args := []string{"x509", "-req", "-in", o.csr(c, key), "-out", name + ".pem"}
	if base != "" {
		o.write(name+".cnf", mergeExtensions(base, c.extensions, c.drop))
		args = append(args, "-extfile", name+".cnf")
	}
	if parent == nil {
		args = append(args, "-signkey", key)
	} else {
		args = append(args, "-CA", parent.name+".pem", "-CAkey", parent.name+".key")
	}
	if !slices.Contains(c.args, "-set_serial") {
		args = append(args, "-set_serial", fmt.Sprint(1000+o.n))
	}
	o.run(append(args, c.args...)...)
	cert := o.read(name + ".pem")
	copyFile(o.t, filepath.Join(o.dir, key), filepath.Join(o.dir, name+".key"))
	made := issuer{name: name, path: []*x509.Certificate{cert}}
	if parent != nil {
		made.path = append(made.path, parent.path...)
	}
	return made, cert
}

func (o *opensslCA) read(name string) *x509.Certificate {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		o.t.Fatalf("%s: %v", name, err)
	}
	return cert
}

// mergeExtensions puts the lines of change in the place of their namesakes in base.
func mergeExtensions(base, change, drop string) string {
	var out []string
	top, sections, _ := strings.Cut(change, "[")
	changed := strings.Split(strings.TrimSpace(top), "\n")
	for _, line := range strings.Split(strings.TrimSpace(base), "\n") {
		name, _, _ := strings.Cut(line, "=")
		if name == drop || slices.ContainsFunc(changed, func(c string) bool { return strings.HasPrefix(c, name+"=") }) {
			continue
		}
		out = append(out, line)
	}
	out = append(out, changed...)
	if sections != "" {
		out = append(out, "["+sections)
	}
	return strings.Join(out, "\n") + "\n"
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// requestOf is a CSR with a name that openssl would not write.
func (o *opensslCA) requestOf(name pkix.Name) []byte {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, o.key(p256)))
	if err != nil {
		o.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		o.t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: name}, parsed.(*ecdsa.PrivateKey))
	if err != nil {
		o.t.Fatal(err)
	}
	return der
}

// broke returns the names of the rules that are broken, each once.
func broke(findings []Finding) []string {
	var names []string
	for _, f := range findings {
		if !slices.Contains(names, f.Rule) {
			names = append(names, f.Rule)
		}
	}
	return names
}

// lintCase is a certificate that breaks one rule, or none.
type lintCase struct {
	rule string // "" for a good one
	want string // part of the text
	kind kind
	cert opensslCert
	ca   string // which issuer of lintIssuers; "" for the root
}

// lintIssuers are the CAs that cases are signed by, and what they are linted under where
// that is another path.
func lintIssuers(o *opensslCA) map[string]issuer {
	root := func(subject, extensions string) issuer {
		i, _ := o.sign(opensslCert{subject: subject, extensions: extensions, args: []string{"-days", "3650"}}, caExtensions, nil)
		return i
	}
	m := map[string]issuer{
		"":        root("/CN=Root", ""),
		"limited": root("/CN=Limited", "basicConstraints=critical,CA:TRUE,pathlen:0"),
		"names":   root("/CN=Names", "nameConstraints=critical,permitted;DNS:example.com,excluded;IP:10.0.0.0/255.0.0.0"),
		"mail":    root("/CN=Mail", "nameConstraints=critical,permitted;email:example.com"),
		"amp":     root("/CN=Root & Sons", ""),
		"other":   root("/CN=Other", ""),
		"directory": root("/O=Example/CN=Dir", `nameConstraints=critical,permitted;dirName:p,excluded;dirName:x
[p]
O=Example
[x]
O=Example
OU=Secret`),
		"many": root("/CN=Root/O=Example/OU=Unit", ""),
	}
	signer := m[""]
	m["leaf"], _ = o.sign(opensslCert{subject: "/CN=Leaf", args: []string{"-days", "3000"}}, leafExtensions, &signer)
	m["servers"], _ = o.sign(opensslCert{subject: "/CN=Servers", extensions: "extendedKeyUsage=serverAuth", args: []string{"-days", "3000"}}, intermediateExtensions, &signer)
	servers := m["servers"]
	m["below servers"], _ = o.sign(opensslCert{subject: "/CN=Below Servers", args: []string{"-days", "3000"}}, intermediateExtensions, &servers)
	m["clients"], _ = o.sign(opensslCert{subject: "/CN=Clients", extensions: "extendedKeyUsage=clientAuth", args: []string{"-days", "3000"}}, intermediateExtensions, &signer)
	m["longer"], _ = o.sign(opensslCert{subject: "/CN=Longer", args: []string{"-days", "5000"}}, intermediateExtensions, &signer)
	deep := m[""]
	for i := range 6 {
		deep, _ = o.sign(opensslCert{subject: fmt.Sprintf("/CN=Level %d", i+1), args: []string{"-days", "3000"}}, intermediateExtensions, &deep)
		if i == 0 {
			m["intermediate"] = deep
		}
		if i == 4 {
			m["level 5"] = deep
		}
	}
	m["level 6"] = deep
	return m
}

func TestLint_openssl(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	issuers := lintIssuers(o)
	seen := map[string]bool{}
	for _, tt := range lintCases(o) {
		name := tt.rule
		if name == "" {
			name = "good"
		}
		seen[tt.rule] = true
		t.Run(name, func(t *testing.T) {
			o.t = t
			findings := lintOne(o, tt, issuers)
			if tt.rule == "" {
				if len(findings) > 0 {
					t.Fatalf("a good certificate: %+v", findings)
				}
				return
			}
			if got := broke(findings); !slices.Equal(got, []string{tt.rule}) {
				t.Fatalf("breaks %q: %+v", got, findings)
			}
			if f := findings[0]; !strings.Contains(f.Text, tt.want) || f.Source == "" || f.Severity != Error && f.Severity != Warning {
				t.Errorf("got %+v\nwant %s", f, tt.want)
			}
		})
	}
	for r := range rules() {
		if !seen[r.name] {
			t.Errorf("the rule %s has no certificate that breaks it", r.name)
		}
	}
}

func lintOne(o *opensslCA, tt lintCase, issuers map[string]issuer) []Finding {
	o.t.Helper()
	soon := time.Now().Add(time.Hour) // after the end of what openssl makes for 0 days
	base := map[kind]string{anchor: caExtensions, intermediate: intermediateExtensions, leaf: leafExtensions, server: serverExtensions}[tt.kind]
	if tt.rule == "version" {
		base = ""
	}
	if tt.kind == foreign {
		_, cert := o.sign(tt.cert, caExtensions, nil)
		findings, err := LintForeign(cert, nil, soon)
		if err != nil {
			o.t.Error(err)
		}
		return findings
	}
	if tt.kind == anchor {
		_, cert := o.sign(tt.cert, base, nil)
		return LintAt(cert, nil, soon)
	}
	signer := issuers[tt.ca]
	made, cert := o.sign(tt.cert, base, &signer)
	if tt.ca == "other" {
		return LintAt(cert, issuers[""].path, soon)
	}
	if !bytes.Equal(cert.RawIssuer, signer.path[0].RawSubject) {
		o.t.Fatalf("issuer %s", cert.Issuer)
	}
	if tt.kind == server {
		return lintServer(cert, made.path[1:])
	}
	return LintAt(cert, made.path[1:], soon)
}
