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

// hardwareCA runs kedge-ca as a process of its own, with keys in hardware or in AWS KMS.
type hardwareCA struct {
	t   *testing.T
	dir string
	env []string
}

// inToken makes a CA with a token "ca", whose PIN is in the file pin.
func inToken(t *testing.T) (*hardwareCA, *testenv.SoftHSM) {
	t.Helper()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "ca")
	c := &hardwareCA{t: t, dir: t.TempDir(), env: append(h.Environment(), "KEDGE_PKCS11_HELPER="+testenv.PKCS11Helper(t))}
	c.write("pin", "1234\n")
	return c, h
}

func (c *hardwareCA) path(name string) string { return filepath.Join(c.dir, name) }

func (c *hardwareCA) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *hardwareCA) read(name string) string {
	c.t.Helper()
	data, err := os.ReadFile(c.path(name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

func (c *hardwareCA) try(args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	var out, words bytes.Buffer
	cmd := exec.Command(self)
	cmd.Args = append([]string{"kedge-ca"}, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, &out, &words
	if err := cmd.Run(); err != nil && !is[*exec.ExitError](err) {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), words.String()
}

func (c *hardwareCA) run(args ...string) (stdout, stderr string) {
	c.t.Helper()
	code, stdout, stderr := c.try(args...)
	if code != cli.ExitDone {
		c.t.Fatalf("kedge-ca %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout, stderr
}

// refuses wants a key that cannot be used, an error and a hint.
func (c *hardwareCA) refuses(text, hint string, args ...string) {
	c.t.Helper()
	code, stdout, stderr := c.try(args...)
	said, hinted, _ := strings.Cut(stderr, "\nkedge-ca: hint: ")
	if code != cli.ExitKey || stdout != "" || !strings.Contains(said, text) || !strings.Contains(hinted, hint) {
		c.t.Errorf("kedge-ca %s: exit %d, stdout %q\n%swant %s\nhint %s", strings.Join(args, " "), code, stdout, stderr, text, hint)
	}
}

// verified wants certificates in the folder that all verify, here and by openssl, and returns how
// many there are.
func (c *hardwareCA) verified(folder string) int {
	c.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c.read("ca/ca.pem")))
	files, err := filepath.Glob(filepath.Join(c.path(folder), "web-[0-9]*[0-9].pem"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, file := range files {
		cert, err := cadir.ReadCertificate(file)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			c.t.Errorf("%s: %v", file, err)
		}
	}
	out := testenv.Run(c.t, c.dir, "openssl", append([]string{"verify", "-CAfile", "ca/ca.pem"}, files...)...)
	if n := strings.Count(string(out), ": OK\n"); n != len(files) {
		c.t.Errorf("openssl takes %d of %d", n, len(files))
	}
	return len(files)
}

// issueThousand issues for a thousand hosts; with -short for fewer.
func (c *hardwareCA) issueThousand(flags ...string) {
	c.t.Helper()
	thousand := 1000
	if testing.Short() {
		thousand = 50
	}
	var hosts strings.Builder
	hosts.WriteString("name\n")
	for i := range thousand {
		fmt.Fprintf(&hosts, "web-%04d\n", i)
	}
	c.write("hosts.csv", hosts.String())
	began := time.Now()
	c.run(append([]string{"issue", "--from", "hosts.csv", "--out", "hosts"}, flags...)...)
	c.t.Logf("%.0f a second", float64(thousand)/time.Since(began).Seconds())
	if n := c.verified("hosts"); n != thousand {
		c.t.Errorf("%d certificates", n)
	}
}

// TestHardware_token: a root and an intermediate on a token issue, sign, renew and revoke, and
// nothing but where the keys are is in the folder.
func TestHardware_token(t *testing.T) {
	t.Parallel()
	c, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	h.Generate(t, "ca", "EC:secp384r1", "02", "issuing")
	h.Generate(t, "ca", "rsa:3072", "03", "next")
	uri := "pkcs11:token=ca;object=root?module-path=" + h.Module

	c.refuses("the token wants a PIN", "--key-password-from", "init", "--key", uri)
	stdout, stderr := c.run("init", "--key", uri, "--key-password-from", "pin", "--json")
	if !strings.Contains(stdout, `"key_uri": "`+uri+`"`) || !strings.Contains(stderr, "ca/ca.key-uri says where its key is, "+uri) {
		t.Errorf("%s%s", stdout, stderr)
	}
	if got := c.read("ca/ca.key-uri"); got != uri+"\n" || exist(t, c.path("ca/ca.key")) {
		t.Errorf("ca.key-uri: %s", got)
	}
	c.issueThousand("--key-password-from", "pin")
	c.write("ca/ca.key-uri", "pkcs11:token=ca;object=root\n")
	c.run("issue", "by-flag", "--key-password-from", "pin", "--pkcs11-lib", h.Module, "--reuse-pin")
	c.write("ca/ca.key-uri", uri+"\n")

	c.run("intermediate", "issuing", "--key", "pkcs11:token=ca;object=issuing?module-path="+h.Module+"&pin-source=file:"+c.path("pin"), "--key-password-from", "pin")
	c.run("issue", "web-01") // by its pin-source
	testenv.Run(t, c.dir, "openssl", "verify", "-CAfile", "ca/ca.pem", "-untrusted", "web-01.chain.pem", "web-01.pem")
	c.run("renew", "web-01")
	c.run("revoke", "web-01", "--yes")
	c.run("crl", "--key-password-from", "pin")
	for _, name := range []string{"ca", "issuing"} {
		testenv.Run(t, c.dir, "openssl", "crl", "-in", "ca/crl/"+name+".crl", "-noout", "-verify", "-CAfile", "ca/"+name+".pem")
	}
	c.run("renew", "--authority", "issuing", "--key-password-from", "pin")
	if stdout, _ := c.run("status"); strings.Count(stdout, " here ") != 2 {
		t.Error(stdout)
	}
	c.run("rotate", "start", "--key", "pkcs11:token=ca;object=next?module-path="+h.Module, "--key-password-from", "pin")
	c.run("rotate", "switch", "--yes")
	c.run("issue", "web-02", "--key-password-from", "pin")
	testenv.Run(t, c.dir, "openssl", "verify", "-CAfile", "ca/ca-2.pem", "web-02.pem")
}

// TestHardware_refuses: a fault is reported once, with what to do.
func TestHardware_refuses(t *testing.T) {
	t.Parallel()
	c, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	h.Generate(t, "ca", "EC:prime256v1", "02", "root")
	uri := "pkcs11:token=ca;object=root;id=%02?module-path=" + h.Module
	c.write("wrong", "4321\n")

	c.refuses("2 private keys match ", "copy one of these", "init", "--key", "pkcs11:token=ca;object=root?module-path="+h.Module, "--key-password-from", "pin")
	c.refuses("no token matches ", "copy one of these", "init", "--key", "pkcs11:token=nope;object=root?module-path="+h.Module, "--key-password-from", "pin")
	if exist(t, c.path("ca")) {
		t.Error("a folder was made")
	}
	c.run("init", "--key", uri, "--key-password-from", "pin")
	c.refuses(`PIN of token "ca": C_Login: CKR_PIN_INCORRECT; few tries are left`, "it was tried once", "issue", "web-01", "--key-password-from", "wrong")
	c.refuses("no such file or directory", "", "issue", "web-01", "--key-password-from", "nofile")
	if exist(t, c.path("web-01.key")) {
		t.Error("a key was left")
	}
	if code, _, stderr := c.try("init", "--dir", "b", "--key", "pkcs11:token=ca?pin-value=1234"); code != cli.ExitUsage || !strings.Contains(stderr, "a PIN cannot stand in it") || strings.Contains(stderr, "1234") {
		t.Errorf("exit %d: %s", code, stderr)
	}

	c.env = append(c.env, "KEDGE_PKCS11_HELPER="+c.path("nowhere"))
	c.refuses("PKCS#11 keys need the program kedge-pkcs11, which is not at "+c.path("nowhere"), "install kedge-pkcs11", "issue", "web-01", "--key-password-from", "pin")
}

// TestHardware_pinOnlyInMemory: the PIN reaches neither the command line nor the environment of
// the process that loads the module.
func TestHardware_pinOnlyInMemory(t *testing.T) {
	t.Parallel()
	c, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	c.write("helper", "#!/bin/sh\n{ env; echo \"$0 $@\"; } > "+c.path("seen")+"\nexec "+testenv.PKCS11Helper(t)+" \"$@\"\n")
	if err := os.Chmod(c.path("helper"), 0o700); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "KEDGE_PKCS11_HELPER="+c.path("helper"), "CA_PIN=1234", "OTHER=kept")
	c.run("init", "--key", "pkcs11:token=ca;object=root?module-path="+h.Module, "--key-password-from", "env:CA_PIN")
	if seen := c.read("seen"); strings.Contains(seen, "CA_PIN") || !strings.Contains(seen, "OTHER=kept") {
		t.Error(seen)
	}
}

// TestHardware_tpm: the same in a TPM, whose slots are free after each run.
func TestHardware_tpm(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	c := &hardwareCA{t: t, dir: t.TempDir(), env: os.Environ()}
	c.write("auth", "key-auth\n")
	c.write("wrong", "other-auth\n")
	made, err := keys.Create(t.Context(), "tpm:", keys.CreateOptions{
		Options: keys.Options{Device: s.Device}, Type: "P-256", Out: c.path("root.tss2.pem"),
		Secret: func() ([]byte, error) { return []byte("key-auth"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	uri := "tpm:device=" + s.Device + ";file=root.tss2.pem?auth-source=auth"
	stdout, _ := c.run("init", "--key", uri, "--json")
	if !strings.Contains(stdout, `"key_uri": "`+made+"?auth-source="+c.path("auth")+`"`) {
		t.Errorf("%s is not in\n%s", made, stdout)
	}
	c.issueThousand()
	c.run("crl")
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
	c.write("ca/ca.key-uri", made+"\n")
	if _, stderr := c.run("issue", "by-flag", "--tpm-key-password", "key-auth"); !strings.Contains(stderr, "kedge-ca: warning: the password after --tpm-key-password is visible") {
		t.Error(stderr)
	}
	c.refuses("the TPM refused the auth value of the key: wrong try 1 of ", "the TPM counts wrong ones", "issue", "web-01", "--key-password-from", "wrong")
	c.refuses("wrong try 2 of ", "the TPM counts wrong ones", "issue", "web-01", "--no-tpm-key-password")
	c.refuses("the key has an auth value, and none was given", "--key-password-from", "issue", "web-01")
	c.run("issue", "web-01", "--key-password-from", "auth")

	s.Stop(t)
	c.refuses("no TPM there", "device=", "issue", "web-02", "--key-password-from", "auth")
	if err := os.Remove(c.path("root.tss2.pem")); err != nil {
		t.Fatal(err)
	}
	c.refuses("root.tss2.pem: no such file or directory", "bring the key back", "issue", "web-02", "--key-password-from", "auth")
}

// TestHardware_adopt: the certificate was made elsewhere, the key is on the token.
func TestHardware_adopt(t *testing.T) {
	t.Parallel()
	c, h := inToken(t)
	h.Generate(t, "ca", "EC:prime256v1", "01", "root")
	uri := "pkcs11:token=ca;object=root?module-path=" + h.Module
	c.run("init", "--dir", "first", "--key", uri, "--key-password-from", "pin")
	if err := errors.Join(os.Mkdir(c.path("ca"), 0o700), os.Rename(c.path("first/ca.pem"), c.path("ca/ca.pem"))); err != nil {
		t.Fatal(err)
	}
	c.refuses("ca/ca.key: no such file or directory", "name its key with --key", "init", "--adopt")
	c.run("init", "--adopt", "--key", uri, "--key-password-from", "pin")
	c.run("issue", "web-01", "--key-password-from", "pin")
	if c.verified(".") != 1 {
		t.Error("web-01.pem is missing")
	}
}
