package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/keys"
	"kedge/internal/testenv"
	"kedge/pkcs11"
	"kedge/tpm"
)

// hardwareRig is a service that trusts one CA, and what credential-process has to be told.
type hardwareRig struct {
	dir     string
	ca      *x509.Certificate
	caKey   crypto.Signer
	session []string
}

func newHardwareRig(t *testing.T) *hardwareRig {
	t.Helper()
	r := &hardwareRig{dir: t.TempDir()}
	var err error
	if r.caKey, err = newKey("p256"); err != nil {
		t.Fatal(err)
	}
	r.ca = r.certify(t, r.caKey.Public(), "hardware CA")
	e, url := emulate(t, r.ca)
	r.session = []string{
		"credential-process", "--endpoint", url, "--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(),
		"--role-arn", e.RoleARN(), "--max-attempts", "1",
	}
	return r
}

// certify makes the CA's certificate, and then leaves.
func (r *hardwareRig) certify(t *testing.T, public crypto.PublicKey, name string) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, IsCA: r.ca == nil,
	}
	parent := r.ca
	if r.ca == nil {
		template.KeyUsage, parent = x509.KeyUsageCertSign, template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, r.caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// gets certifies the key and gets credentials with it.
func (r *hardwareRig) gets(t *testing.T, name, uri string, o keys.Options, flags ...string) {
	t.Helper()
	key, err := keys.Open(t.Context(), uri, o)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	cert := r.certify(t, key.Public(), name)
	if err := key.Close(); err != nil {
		t.Error(err)
	}
	path := filepath.Join(r.dir, strings.ReplaceAll(name, " ", "-")+".pem")
	writeFile(t, path, string(pemOf("CERTIFICATE", cert.Raw)))
	args := append(append(r.session[:len(r.session):len(r.session)], "--certificate", path, "--private-key", uri), flags...)
	t.Run(name, func(t *testing.T) { checkCredentials(t, args) })
}

// TestHardware_softHSM: keys made by OpenSC, by SoftHSM's own tool and by kedge.
func TestHardware_softHSM(t *testing.T) {
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "host")
	r := newHardwareRig(t)
	t.Setenv("SOFTHSM2_CONF", filepath.Join(hsm.Dir, "softhsm2.conf"))
	t.Setenv("KEDGE_PKCS11_HELPER", testenv.PKCS11Helper(t))
	pin := filepath.Join(t.TempDir(), "pin")
	writeFile(t, pin, "1234\n")
	o := keys.Options{Library: hsm.Module, Helper: testenv.PKCS11Helper(t), PIN: func() ([]byte, error) { return []byte("1234"), nil }}
	check := func(name string) {
		r.gets(t, name, "pkcs11:token=host;object="+strings.ReplaceAll(name, " ", "%20"), o, "--pkcs11-lib", hsm.Module, "--key-password-from", pin)
	}
	for id, kind := range map[string]string{
		"01": "EC:prime256v1", "02": "EC:secp384r1", "03": "EC:secp521r1", "04": "rsa:2048", "05": "rsa:3072", "06": "rsa:4096",
	} {
		hsm.Generate(t, "host", kind, id, "opensc "+kind)
		check("opensc " + kind)
	}
	for id, options := range map[string][]string{
		"11": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "12": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
		"13": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, "14": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
	} {
		label := "softhsm " + options[3]
		file := filepath.Join(t.TempDir(), "key.pem")
		testenv.Run(t, ".", "openssl", append([]string{"genpkey", "-out", file}, options...)...)
		testenv.Run(t, ".", "softhsm2-util", "--import", file, "--token", "host", "--pin", "1234", "--id", id, "--label", label)
		check(label)
	}
	for _, kind := range []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096"} {
		generate(t, o, "pkcs11:token=host;object=kedge%20"+kind, kind)
		check("kedge " + kind)
	}
}

// generate makes a key on the token, as "kedge key create" does.
func generate(t *testing.T, o keys.Options, uri, kind string) {
	t.Helper()
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	m, err := pkcs11.Load(t.Context(), u, o.TokenOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Generate(t.Context(), u, kind); err != nil {
		t.Fatal(err)
	}
}

// TestHardware_tpm2PKCS11: a second module, whose keys are in a TPM.
func TestHardware_tpm2PKCS11(t *testing.T) {
	peer := testenv.NewTPM2PKCS11(t, "host")
	r := newHardwareRig(t)
	for _, v := range peer.Environment(t) {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "TPM2_PKCS11") || name == "TSS2_LOG" {
			t.Setenv(name, value)
		}
	}
	t.Setenv("KEDGE_PKCS11_HELPER", testenv.PKCS11Helper(t))
	t.Setenv("KEDGE_TEST_PIN", "1234")
	o := keys.Options{Library: peer.Module, Helper: testenv.PKCS11Helper(t), PIN: func() ([]byte, error) { return []byte("1234"), nil }}
	for id, kind := range map[string]string{"01": "EC:prime256v1", "02": "EC:secp384r1", "03": "rsa:2048"} {
		peer.Tool(t, "host", "--keypairgen", "--key-type", kind, "--id", id, "--label", kind)
		r.gets(t, "opensc "+kind, "pkcs11:token=host;id=%"+id, o, "--pkcs11-lib", peer.Module, "--key-password-from", "env:KEDGE_TEST_PIN")
		peer.Flush(t)
	}
	generate(t, o, "pkcs11:token=host;object=kedge", "P-256")
	peer.Flush(t)
	r.gets(t, "kedge P-256", "pkcs11:token=host;object=kedge", o, "--pkcs11-lib", peer.Module, "--key-password-from", "env:KEDGE_TEST_PIN")
}

// TestHardware_tpm: key files and persistent keys made by tpm2-tools, by openssl with its provider
// and by kedge, with and without auth value.
func TestHardware_tpm(t *testing.T) {
	server := testenv.Swtpm(t)
	r := newHardwareRig(t)
	t.Setenv("TPM_DEVICE", server.Device)
	t.Setenv("KEDGE_TEST_AUTH", "secret")
	secret := func() ([]byte, error) { return []byte("secret"), nil }
	open, locked := keys.Options{Device: server.Device}, keys.Options{Device: server.Device, Auth: secret}
	withAuth := []string{"--key-password-from", "env:KEDGE_TEST_AUTH"}
	kind := func(name string) string { return filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-")+".pem") }

	for name, options := range map[string][]string{
		"openssl P-256": {"EC", "group:P-256"}, "openssl P-384": {"EC", "group:P-384"},
		"openssl RSA-2048": {"RSA", "bits:2048"}, "openssl RSA-3072": {"RSA", "bits:3072"},
	} {
		file, args := kind(name), []string{"genpkey", "-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2", "-algorithm", options[0], "-pkeyopt", options[1]}
		server.Run(t, ".", "openssl", append(args, "-out", file)...)
		r.gets(t, name, file, open)
	}
	for name, args := range map[string][]string{
		"tools P-256": {"-G", "ecc"}, "tools P-384": {"-G", "ecc384"}, "tools RSA-2048": {"-G", "rsa2048"}, "tools RSA-3072": {"-G", "rsa3072"},
	} {
		dir := t.TempDir()
		server.Keep(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "parent.ctx", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt")
		server.Run(t, dir, "tpm2_create", append([]string{"-Q", "-C", "parent.ctx", "-c", "key.ctx", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"}, args...)...)
		server.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "key.ctx", "0x81000020")
		r.gets(t, name, "handle:0x81000020", open)
		server.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000020")
	}
	for i, of := range tpm.KeyTypes() {
		plain, err := tpm.Create(t.Context(), tpm.CreateOptions{Device: server.Device, Type: of})
		if err != nil {
			t.Fatal(err)
		}
		protected, err := tpm.Create(t.Context(), tpm.CreateOptions{Device: server.Device, Type: of, KeyAuth: secret, Persist: 0x81000030 + uint32(i)})
		if err != nil {
			t.Fatal(err)
		}
		files := []string{kind("plain " + of), kind("protected " + of)}
		writeFile(t, files[0], string(plain))
		writeFile(t, files[1], string(protected))
		r.gets(t, "kedge "+of, files[0], open)
		r.gets(t, "kedge with auth "+of, files[1], locked, withAuth...)
	}
	r.gets(t, "kedge handle with auth", "handle:0x81000030", locked, withAuth...)
	if left := server.Transient(t); left != "" {
		t.Errorf("the TPM is left with\n%s", left)
	}
}
