package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/config"
	"kedge/internal/doctor"
	"kedge/internal/keys"
	"kedge/internal/testenv"
)

// certifyHardware writes the certificate of a key in hardware.
func (s *site) certifyHardware(uri string, o keys.Options) {
	s.t.Helper()
	key, err := keys.Open(s.t.Context(), uri, o)
	must(s.t, err)
	public := key.Public()
	must(s.t, key.Close())
	leaf := s.ca.Issue(s.t, &x509.Certificate{Subject: pkix.Name{CommonName: "web-01"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, public)
	s.write("web.pem", string(pemOf("CERTIFICATE", leaf.Raw)))
}

// expect runs doctor, and compares one check.
func (s *site) expect(id string, state doctor.State, says string) doctor.Result {
	s.t.Helper()
	report, _, _ := s.run()
	got := s.result(report, id)
	if got.State != state || !strings.Contains(got.Seen+" | "+got.Advice, says) {
		s.t.Errorf("%+v, want %s, %q\n%s", got, state, says, problems(report))
	}
	return got
}

// TestDoctor_tpm: a key in a TPM, and what can be wrong with it.
func TestDoctor_tpm(t *testing.T) {
	t.Parallel()
	tpm := testenv.Swtpm(t)
	s := newSite(t)
	s.env = append(s.env, "TPM_DEVICE="+tpm.Device)
	s.write("auth", "right")
	s.paste("kedge key create --tpm --out host.tss2.pem --key-password-from auth")
	s.certifyHardware(s.path("host.tss2.pem"), keys.Options{Device: tpm.Device, Auth: func() ([]byte, error) { return []byte("right"), nil }})
	s.profile["private-key"], s.profile["key-password-from"] = "host.tss2.pem", "auth"
	s.expect("session", doctor.OK, "one was made")
	s.expect("hardware", doctor.OK, "in the TPM, which was reached")
	s.expect("key-secret", doctor.OK, "is not tried yet")

	tpm.Run(t, s.dir, "tpm2_dictionarylockout", "-s", "-n", "2", "-t", "7200", "-l", "100")
	s.write("auth", "wrong")
	if got := s.expect("session", doctor.Failed, "the TPM refused the auth value of the key: wrong try 1 of 2"); got.Code != 4 {
		t.Errorf("exit code %d", got.Code)
	}
	// One try is left, and is not spent, however often doctor runs.
	for range 2 {
		s.expect("key-secret", doctor.Failed, "was not tried: there are 1 wrong tries, and the TPM locks after 2")
	}
	tpm.Run(t, s.dir, "tpm2_dictionarylockout", "-c")
	s.write("auth", "right")
	s.expect("session", doctor.OK, "one was made")

	s.env = append(config.Environment{"TPM_DEVICE=unix:" + s.path("none")}, s.env...)
	s.expect("hardware", doctor.Failed, "none")
}

// TestDoctor_token: a key on a token, and what can be wrong with it.
func TestDoctor_token(t *testing.T) { // not parallel: SoftHSM is configured by the environment of this process
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "host")
	hsm.Generate(t, "host", "EC:prime256v1", "01", "web")
	helper := testenv.PKCS11Helper(t)
	t.Setenv("SOFTHSM2_CONF", filepath.Join(hsm.Dir, "softhsm2.conf"))
	s := newSite(t)
	s.env = append(s.env, "KEDGE_PKCS11_HELPER="+helper)
	s.certifyHardware("pkcs11:token=host;object=web", keys.Options{Library: hsm.Module, Helper: helper, PIN: func() ([]byte, error) { return []byte("1234"), nil }})
	s.write("pin", "1234")
	s.args = []string{"--private-key", "pkcs11:token=host;object=web", "--pkcs11-lib", hsm.Module, "--key-password-from", s.path("pin")}
	s.expect("session", doctor.OK, "one was made")
	s.expect("hardware", doctor.OK, "pkcs11:token=host;object=web was reached")

	s.write("pin", "9999")
	s.expect("key-secret", doctor.Failed, "CKR_PIN_INCORRECT")
	s.write("pin", "1234")
	for _, tt := range []struct{ key, module, says string }{
		{"pkcs11:token=host;object=other", hsm.Module, "other"},
		{"pkcs11:token=none;object=web", hsm.Module, "no token matches"},
		{"pkcs11:token=host;object=web", "/nonexistent/module.so", "module"},
	} {
		s.args[1], s.args[3] = tt.key, tt.module
		if got := s.expect("hardware", doctor.Failed, tt.says); got.Code != 4 {
			t.Errorf("%s: exit code %d", tt.key, got.Code)
		}
	}
	s.args[1], s.args[3] = "pkcs11:token=host;object=web", hsm.Module
	s.env = append(config.Environment{"KEDGE_PKCS11_HELPER=" + s.path("none")}, s.env...)
	s.expect("hardware", doctor.Failed, "install kedge-pkcs11")
}

// TestDoctor_encrypted: the password of a key's file.
func TestDoctor_encrypted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	testenv.Run(t, s.dir, "openssl", "pkcs8", "-topk8", "-in", "web.key", "-out", "encrypted.key", "-passout", "pass:right")
	must(t, os.Chmod(s.path("encrypted.key"), 0o600))
	s.profile["private-key"] = "encrypted.key"
	s.expect("key-secret", doctor.Failed, "set --key-password-from to")
	s.write("password", "wrong")
	s.args = []string{"--key-password-from", s.path("password")}
	s.expect("key-secret", doctor.Failed, "check the password")
	s.write("password", "right\n")
	s.expect("session", doctor.OK, "one was made")
}

// TestDoctor_streams: a certificate from standard input is read once, and its checks are those of any other.
func TestDoctor_streams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data, err := os.ReadFile(s.path("web.pem"))
	must(t, err)
	s.stdin = string(data)
	s.args = []string{"--certificate", "-"}
	s.expect("session", doctor.OK, "one was made")
	s.expect("session-tags", doctor.OK, "x509Subject/CN=web-01")
	s.stdin = "hello"
	report, _, code := s.run()
	if got := s.result(report, "session-tags"); got.State != doctor.Blocked || code != 4 || report.Checks[got.Because-1].State != doctor.Failed {
		t.Errorf("%+v, exit code %d\n%s", got, code, problems(report))
	}
}
