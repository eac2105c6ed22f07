// Package pairs makes, for tests, a certificate and its private key in every container that
// kedge reads: with openssl under a CA made by openssl, and with Go's library for ML-DSA,
// which the openssl of today's distributions does not know. The tests of signer and the
// exchange test of cmd/kedge share its list.
package pairs

import (
	"os"
	"path/filepath"
	"testing"

	"kedge/internal/testenv"
)

// Password opens whatever is encrypted. Beyond ASCII, since PKCS#12 and PKCS#5 encode that differently.
const Password = "pässword 1"

// Pair is one leaf with its key, as files.
type Pair struct {
	Name      string // of the key's kind and the containers: a subtest's name
	CertFile  string
	KeyFile   string // empty: the key is in CertFile
	InterFile string // PEM; empty: the intermediate is in CertFile
	CAFile    string // the root, PEM: the trust anchor
	Encrypted bool   // Password is needed
	Public    []byte // what the key must be: SubjectPublicKeyInfo, DER, from the maker's side
}

// All makes every pair in temporary folders of the test. It takes a few seconds, almost all
// of it in openssl, without which the test is skipped. Leaves are valid for two days.
func All(tb testing.TB) []Pair {
	tb.Helper()
	m := newMaker(tb)
	var all []Pair
	for _, kind := range []string{"rsa-2048", "rsa-4096", "p-256", "p-384", "p-521"} {
		all = append(all, m.classic(kind)...)
	}
	return append(all, m.postQuantum()...)
}

// maker is a root and an intermediate CA in a folder, both of openssl.
type maker struct {
	tb  testing.TB
	dir string
}

func newMaker(tb testing.TB) *maker {
	tb.Helper()
	m := &maker{tb: tb, dir: tb.TempDir()}
	m.write("ca.ext", []byte("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"))
	m.write("leaf.ext", []byte("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"))
	m.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "root.key")
	m.openssl("req", "-x509", "-new", "-key", "root.key", "-sha256", "-days", "2", "-subj", "/O=kedge test/CN=root", "-out", "root.pem",
		"-addext", "keyUsage=critical,keyCertSign,cRLSign")
	m.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "inter.key")
	m.sign("inter", "root", "ca.ext")
	m.write("cas.pem", m.read("inter.pem"), m.read("root.pem"))
	return m
}

func (m *maker) openssl(args ...string) {
	m.tb.Helper()
	testenv.Run(m.tb, m.dir, "openssl", args...)
}

// sign makes name.pem for name.key, issued by issuer.
func (m *maker) sign(name, issuer, extensions string) {
	m.tb.Helper()
	m.openssl("req", "-new", "-key", name+".key", "-subj", "/O=kedge test/CN="+name, "-out", name+".csr")
	m.openssl("x509", "-req", "-in", name+".csr", "-CA", issuer+".pem", "-CAkey", issuer+".key", "-sha256", "-days", "2",
		"-extfile", extensions, "-out", name+".pem")
}

func (m *maker) path(name string) string { return filepath.Join(m.dir, name) }

func (m *maker) read(name string) []byte {
	m.tb.Helper()
	data, err := os.ReadFile(m.path(name))
	if err != nil {
		m.tb.Fatal(err)
	}
	return data
}

// write puts the parts one after another into a file.
func (m *maker) write(name string, parts ...[]byte) {
	m.tb.Helper()
	var data []byte
	for _, part := range parts {
		data = append(data, part...)
	}
	if err := os.WriteFile(m.path(name), data, 0o600); err != nil {
		m.tb.Fatal(err)
	}
}
