package takeover

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// opensslConfig is that of a CA as openssl-ca(1) describes it.
const opensslConfig = `[ca]
default_ca=c
[c]
dir=.
database=index.txt
new_certs_dir=newcerts
serial=serial
crlnumber=crlnumber
certificate=ca.crt
private_key=ca.key
default_md=sha256
default_days=300
default_crl_days=30
policy=p
x509_extensions=leaf
unique_subject=no
[p]
commonName=supplied
[leaf]
basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
`

// newOpenSSLCA makes a CA of "openssl ca" in a folder, and a certificate for each name.
func newOpenSSLCA(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"openssl.cnf": opensslConfig, "index.txt": "", "serial": "1000\n", "crlnumber": "2A\n"})
	if err := os.Mkdir(filepath.Join(dir, "newcerts"), 0o700); err != nil {
		t.Fatal(err)
	}
	openssl := func(args ...string) { testenv.Run(t, dir, "openssl", args...) }
	openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "900",
		"-subj", "/CN=Old CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
	openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "host.key")
	for _, name := range names {
		openssl("req", "-new", "-key", "host.key", "-subj", "/CN="+name, "-out", name+".csr")
		openssl("ca", "-batch", "-config", "openssl.cnf", "-in", name+".csr", "-out", name+".crt")
	}
	return dir
}

// TestRead_opensslCA: all that "openssl ca" leaves, with each way in which it revokes.
func TestRead_opensslCA(t *testing.T) {
	t.Parallel()
	dir := newOpenSSLCA(t, "plain", "key", "hold", "instruction", "when", "cawhen", "gone", "lost")
	revoke := func(name string, args ...string) {
		testenv.Run(t, dir, "openssl", slices.Concat([]string{"ca", "-config", "openssl.cnf", "-revoke", name + ".crt"}, args)...)
	}
	revoke("key", "-crl_reason", "keyCompromise")
	revoke("hold", "-crl_reason", "certificateHold")
	revoke("instruction", "-crl_hold", "holdInstructionReject")
	revoke("when", "-crl_compromise", "20260101000000Z")
	revoke("cawhen", "-crl_CA_compromise", "20260101000000Z")
	revoke("gone")
	testenv.Run(t, dir, "openssl", "ca", "-config", "openssl.cnf", "-gencrl", "-out", "old.crl")
	for _, name := range []string{"gone.crt", "newcerts/1006.pem", "lost.crt", "newcerts/1007.pem"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	cert := readCert(t, filepath.Join(dir, "ca.crt"))
	want := []string{
		"1000 CN=plain", "1001 CN=key key-compromise", "1002 CN=hold certificate-hold", "1003 CN=instruction certificate-hold",
		"1004 CN=when key-compromise", "1005 CN=cawhen ca-compromise", "1006 /CN=gone unspecified without certificate",
	}
	for _, path := range []string{dir, filepath.Join(dir, "index.txt")} {
		items, sum := read(t, Sources{CA: certs(cert), Paths: []string{path}, Now: time.Now()})
		if got := slices.Sorted(slices.Values(describe(items))); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", path, got, want)
		}
		if sum.Certificates != 6 || sum.Revoked != 5 || sum.SerialsOnly != 1 || len(sum.Notes) != 0 {
			t.Errorf("%s: %+v", path, sum)
		}
		if len(sum.Skipped) != 1 || sum.Skipped[0].Kind != Missing || sum.Skipped[0].Line != 8 || !strings.Contains(sum.Skipped[0].Why, "the certificate 1007 is valid, but its file is not there") {
			t.Errorf("%s: skipped %v", path, sum.Skipped)
		}
		if sum.CRLNumber == nil || sum.CRLNumber.Int64() != 0x2a {
			t.Errorf("%s: CRL number %v", path, sum.CRLNumber)
		}
	}
	_, sum := read(t, Sources{CA: certs(cert), Paths: []string{dir}, Now: time.Now()})
	if sum.Keys != 2 || sum.Requests != 8 || sum.CRLs != 1 || sum.Duplicates != 6 || sum.Own != nil {
		t.Errorf("%+v", sum)
	}
	items, sum := read(t, Sources{CA: certs(cert), CRL: []string{filepath.Join(dir, "old.crl")}, Now: time.Now()})
	if sum.SerialsOnly != 6 || sum.CRLNumber.Int64() != 0x2a || items[0].Revoked.Reason != ca.KeyCompromise {
		t.Errorf("the list alone: %+v, %q", sum, describe(items))
	}
}

// TestRead_easyRSA: the folder of easy-rsa, whose revoked certificates lie elsewhere.
//
// Its lists have no number, and so it has none to go on from.
func TestRead_easyRSA(t *testing.T) {
	t.Parallel()
	const program = "/usr/share/easy-rsa/easyrsa"
	if _, err := os.Stat(program); err != nil {
		testenv.Missing(t, "easy-rsa", "not installed; scripts/setup installs it")
	}
	dir := t.TempDir()
	easyrsa := func(args ...string) {
		t.Helper()
		cmd := exec.Command(program, slices.Concat([]string{"--batch", "--days=300"}, args)...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "EASYRSA_PKI="+filepath.Join(dir, "pki"), "EASYRSA_ALGO=ec")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("easyrsa %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	easyrsa("init-pki")
	easyrsa("--req-cn=Easy CA", "build-ca", "nopass")
	for _, name := range []string{"host-a", "host-b", "host-c"} {
		easyrsa("build-client-full", name, "nopass")
	}
	easyrsa("revoke", "host-b", "keyCompromise")
	easyrsa("gen-crl")
	pki := filepath.Join(dir, "pki")
	cert := readCert(t, filepath.Join(pki, "ca.crt"))
	for _, path := range []string{pki, filepath.Join(pki, "index.txt")} {
		items, sum := read(t, Sources{CA: certs(cert), Paths: []string{path}, Now: time.Now()})
		got := describe(items)
		for i := range got { // serial numbers are random
			_, got[i], _ = strings.Cut(got[i], " ")
		}
		slices.Sort(got)
		if want := []string{"CN=host-a", "CN=host-b key-compromise", "CN=host-c"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
		if len(sum.Skipped)+len(sum.Notes) > 0 || sum.Own != nil {
			t.Errorf("%s: %v, %v", path, sum.Skipped, sum.Notes)
		}
	}
	_, sum := read(t, Sources{CA: certs(cert), Paths: []string{pki}, Now: time.Now()})
	if sum.Keys != 4 || sum.CRLs != 1 || sum.CRLNumber != nil || sum.Requests != 3 {
		t.Errorf("%+v", sum)
	}
}
