package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/keys"
	"kedge/internal/testenv"
)

// vault runs kedge-ca, as a process of its own, where keys are in hardware.
type vault struct {
	t   *testing.T
	dir string
	env []string
}

// inToken makes a vault with a token "ca", whose PIN is in the file pin.
func inToken(t *testing.T) (*vault, *testenv.SoftHSM) {
	t.Helper()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "ca")
	v := &vault{t: t, dir: t.TempDir(), env: append(h.Environment(), "KEDGE_PKCS11_HELPER="+testenv.PKCS11Helper(t))}
	v.write("pin", "1234\n")
	return v, h
}

func (v *vault) path(name string) string { return filepath.Join(v.dir, name) }

func (v *vault) write(name, text string) {
	v.t.Helper()
	if err := os.WriteFile(v.path(name), []byte(text), 0o600); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vault) read(name string) string {
	v.t.Helper()
	data, err := os.ReadFile(v.path(name))
	if err != nil {
		v.t.Fatal(err)
	}
	return string(data)
}

func (v *vault) try(args ...string) (code int, stdout, stderr string) {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	var out, words bytes.Buffer
	cmd := exec.Command(self)
	cmd.Args = append([]string{"kedge-ca"}, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = v.dir, v.env, &out, &words
	if err := cmd.Run(); err != nil && !is[*exec.ExitError](err) {
		v.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), words.String()
}

func (v *vault) run(args ...string) (stdout, stderr string) {
	v.t.Helper()
	code, stdout, stderr := v.try(args...)
	if code != cli.ExitDone {
		v.t.Fatalf("kedge-ca %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout, stderr
}

// refuses wants a key that cannot be used, an error and a hint.
func (v *vault) refuses(text, hint string, args ...string) {
	v.t.Helper()
	code, stdout, stderr := v.try(args...)
	said, hinted, _ := strings.Cut(stderr, "\nkedge-ca: hint: ")
	if code != cli.ExitKey || stdout != "" || !strings.Contains(said, text) || !strings.Contains(hinted, hint) {
		v.t.Errorf("kedge-ca %s: exit %d, stdout %q\n%swant %s\nhint %s", strings.Join(args, " "), code, stdout, stderr, text, hint)
	}
}

// verified wants certificates in the folder that all verify, here and by openssl, and returns how
// many there are.
func (v *vault) verified(folder string) int {
	v.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(v.read("ca/ca.pem")))
	files, err := filepath.Glob(filepath.Join(v.path(folder), "web-[0-9]*[0-9].pem"))
	if err != nil {
		v.t.Fatal(err)
	}
	for _, file := range files {
		cert, err := cadir.ReadCertificate(file)
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			v.t.Errorf("%s: %v", file, err)
		}
	}
	out := testenv.Run(v.t, v.dir, "openssl", append([]string{"verify", "-CAfile", "ca/ca.pem"}, files...)...)
	if n := strings.Count(string(out), ": OK\n"); n != len(files) {
		v.t.Errorf("openssl takes %d of %d", n, len(files))
	}
	return len(files)
}

// issueThousand issues for a thousand hosts; with -short for fewer.
func (v *vault) issueThousand(flags ...string) {
	v.t.Helper()
	thousand := 1000
	if testing.Short() {
		thousand = 50
	}
	var hosts strings.Builder
	hosts.WriteString("name\n")
	for i := range thousand {
		fmt.Fprintf(&hosts, "web-%04d\n", i)
	}
	v.write("hosts.csv", hosts.String())
	began := time.Now()
	v.run(append([]string{"issue", "--from", "hosts.csv", "--out", "hosts"}, flags...)...)
	v.t.Logf("%.0f a second", float64(thousand)/time.Since(began).Seconds())
	if n := v.verified("hosts"); n != thousand {
		v.t.Errorf("%d certificates", n)
	}
}

// TestHardware_token: a root and an intermediate on a token issue, sign, renew and revoke, and
// nothing but where the keys are is in the folder.
func TestHardware_token(t *testing.T) {
	t.Parallel()
	v, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	h.Generate(t, "ca", "EC:secp384r1", "02", "issuing")
	h.Generate(t, "ca", "rsa:3072", "03", "next")
	uri := "pkcs11:token=ca;object=root?module-path=" + h.Module

	v.refuses("the token wants a PIN", "--key-password-from", "init", "--key", uri)
	stdout, stderr := v.run("init", "--key", uri, "--key-password-from", "pin", "--json")
	if !strings.Contains(stdout, `"key_uri": "`+uri+`"`) || !strings.Contains(stderr, "ca/ca.key-uri says where its key is, "+uri) {
		t.Errorf("%s%s", stdout, stderr)
	}
	if got := v.read("ca/ca.key-uri"); got != uri+"\n" || exist(t, v.path("ca/ca.key")) {
		t.Errorf("ca.key-uri: %s", got)
	}
	v.issueThousand("--key-password-from", "pin")
	v.write("ca/ca.key-uri", "pkcs11:token=ca;object=root\n")
	v.run("issue", "by-flag", "--key-password-from", "pin", "--pkcs11-lib", h.Module, "--reuse-pin")
	v.write("ca/ca.key-uri", uri+"\n")

	v.run("intermediate", "issuing", "--key", "pkcs11:token=ca;object=issuing?module-path="+h.Module+"&pin-source=file:"+v.path("pin"), "--key-password-from", "pin")
	v.run("issue", "web-01") // by its pin-source
	testenv.Run(t, v.dir, "openssl", "verify", "-CAfile", "ca/ca.pem", "-untrusted", "web-01.chain.pem", "web-01.pem")
	v.run("renew", "web-01")
	v.run("revoke", "web-01", "--yes")
	v.run("crl", "--key-password-from", "pin")
	for _, name := range []string{"ca", "issuing"} {
		testenv.Run(t, v.dir, "openssl", "crl", "-in", "ca/crl/"+name+".crl", "-noout", "-verify", "-CAfile", "ca/"+name+".pem")
	}
	v.run("renew", "--authority", "issuing", "--key-password-from", "pin")
	if stdout, _ := v.run("status"); strings.Count(stdout, " here ") != 2 {
		t.Error(stdout)
	}
	v.run("rotate", "start", "--key", "pkcs11:token=ca;object=next?module-path="+h.Module, "--key-password-from", "pin")
	v.run("rotate", "switch", "--yes")
	v.run("issue", "web-02", "--key-password-from", "pin")
	testenv.Run(t, v.dir, "openssl", "verify", "-CAfile", "ca/ca-2.pem", "web-02.pem")
}

// TestHardware_refuses: a fault is reported once, with what to do.
func TestHardware_refuses(t *testing.T) {
	t.Parallel()
	v, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	h.Generate(t, "ca", "EC:prime256v1", "02", "root")
	uri := "pkcs11:token=ca;object=root;id=%02?module-path=" + h.Module
	v.write("wrong", "4321\n")

	v.refuses("2 private keys match ", "copy one of these", "init", "--key", "pkcs11:token=ca;object=root?module-path="+h.Module, "--key-password-from", "pin")
	v.refuses("no token matches ", "copy one of these", "init", "--key", "pkcs11:token=nope;object=root?module-path="+h.Module, "--key-password-from", "pin")
	if exist(t, v.path("ca")) {
		t.Error("a folder was made")
	}
	v.run("init", "--key", uri, "--key-password-from", "pin")
	v.refuses(`PIN of token "ca": C_Login: CKR_PIN_INCORRECT; few tries are left`, "it was tried once", "issue", "web-01", "--key-password-from", "wrong")
	v.refuses("no such file or directory", "", "issue", "web-01", "--key-password-from", "nofile")
	if exist(t, v.path("web-01.key")) {
		t.Error("a key was left")
	}
	if code, _, stderr := v.try("init", "--dir", "b", "--key", "pkcs11:token=ca?pin-value=1234"); code != cli.ExitUsage || !strings.Contains(stderr, "a PIN cannot stand in it") || strings.Contains(stderr, "1234") {
		t.Errorf("exit %d: %s", code, stderr)
	}

	v.env = append(v.env, "KEDGE_PKCS11_HELPER="+v.path("nowhere"))
	v.refuses("PKCS#11 keys need the program kedge-pkcs11, which is not at "+v.path("nowhere"), "install kedge-pkcs11", "issue", "web-01", "--key-password-from", "pin")
}

// TestHardware_pinOnlyInMemory: the PIN reaches neither the command line nor the environment of
// the process that loads the module.
func TestHardware_pinOnlyInMemory(t *testing.T) {
	t.Parallel()
	v, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	v.write("helper", "#!/bin/sh\n{ env; echo \"$0 $@\"; } > "+v.path("seen")+"\nexec "+testenv.PKCS11Helper(t)+" \"$@\"\n")
	if err := os.Chmod(v.path("helper"), 0o700); err != nil {
		t.Fatal(err)
	}
	v.env = append(v.env, "KEDGE_PKCS11_HELPER="+v.path("helper"), "CA_PIN=1234", "OTHER=kept")
	v.run("init", "--key", "pkcs11:token=ca;object=root?module-path="+h.Module, "--key-password-from", "env:CA_PIN")
	if seen := v.read("seen"); strings.Contains(seen, "CA_PIN") || !strings.Contains(seen, "OTHER=kept") {
		t.Error(seen)
	}
}

// TestHardware_tpm: the same in a TPM, whose slots are free after each run.
func TestHardware_tpm(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	v := &vault{t: t, dir: t.TempDir(), env: os.Environ()}
	v.write("auth", "key-auth\n")
	v.write("wrong", "other-auth\n")
	made, err := keys.Create(t.Context(), "tpm:", keys.CreateOptions{
		Options: keys.Options{Device: s.Device}, Type: "P-256", Out: v.path("root.tss2.pem"),
		Secret: func() ([]byte, error) { return []byte("key-auth"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	uri := "tpm:device=" + s.Device + ";file=root.tss2.pem?auth-source=auth"
	stdout, _ := v.run("init", "--key", uri, "--json")
	if !strings.Contains(stdout, `"key_uri": "`+made+"?auth-source="+v.path("auth")+`"`) {
		t.Errorf("%s is not in\n%s", made, stdout)
	}
	v.issueThousand()
	v.run("crl")
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
	v.write("ca/ca.key-uri", made+"\n")
	if _, stderr := v.run("issue", "by-flag", "--tpm-key-password", "key-auth"); !strings.Contains(stderr, "kedge-ca: warning: the password after --tpm-key-password is visible") {
		t.Error(stderr)
	}
	v.refuses("the TPM refused the auth value of the key: wrong try 1 of ", "the TPM counts wrong ones", "issue", "web-01", "--key-password-from", "wrong")
	v.refuses("wrong try 2 of ", "the TPM counts wrong ones", "issue", "web-01", "--no-tpm-key-password")
	v.refuses("the key has an auth value, and none was given", "--key-password-from", "issue", "web-01")
	v.run("issue", "web-01", "--key-password-from", "auth")

	s.Stop(t)
	v.refuses("no TPM there", "device=", "issue", "web-02", "--key-password-from", "auth")
	if err := os.Remove(v.path("root.tss2.pem")); err != nil {
		t.Fatal(err)
	}
	v.refuses("root.tss2.pem: no such file or directory", "bring the key back", "issue", "web-02", "--key-password-from", "auth")
}

// TestHardware_adopt: the certificate was made elsewhere, the key is on the token.
func TestHardware_adopt(t *testing.T) {
	t.Parallel()
	v, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	uri := "pkcs11:token=ca;object=root?module-path=" + h.Module
	v.run("init", "--dir", "first", "--key", uri, "--key-password-from", "pin")
	if err := errors.Join(os.Mkdir(v.path("ca"), 0o700), os.Rename(v.path("first/ca.pem"), v.path("ca/ca.pem"))); err != nil {
		t.Fatal(err)
	}
	v.refuses("ca/ca.key: no such file or directory", "name its key with --key", "init", "--adopt")
	v.run("init", "--adopt", "--key", uri, "--key-password-from", "pin")
	v.run("issue", "web-01", "--key-password-from", "pin")
	if v.verified(".") != 1 {
		t.Error("web-01.pem is missing")
	}
}
