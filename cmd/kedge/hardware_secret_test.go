package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/role"
	"kedge/internal/testenv"
)

// onToken is a role whose key is on a SoftHSM token.
func onToken(t *testing.T, helper string, flags ...string) (r *hardwareRig, args []string) {
	t.Helper()
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "host")
	hsm.Generate(t, "host", "EC:prime256v1", "01", "web")
	t.Setenv("SOFTHSM2_CONF", filepath.Join(hsm.Dir, "softhsm2.conf"))
	t.Setenv("KEDGE_PKCS11_HELPER", helper)
	t.Setenv("KEDGE_TEST_PIN", "1234")
	k, err := config.NewKeys(config.KeyFlags{PrivateKey: "pkcs11:object=web?pin-value=1234", Library: hsm.Module})
	if err != nil {
		t.Fatal(err)
	}
	at, err := k.Reference(config.Host{})
	must(t, err)
	key, err := at.Open(t.Context(), k.Options(config.Host{}))
	must(t, err)
	defer key.Close()
	r = newHardwareRig(t)
	path := filepath.Join(r.dir, "web.pem")
	writeFile(t, path, string(pemOf("CERTIFICATE", r.certify(t, key.Public(), "web").Raw)))
	return r, append(append(r.session, "--certificate", path, "--private-key", "pkcs11:object=web", "--pkcs11-lib", hsm.Module), flags...)
}

// TestHardware_secretsStayHere: the PIN is in no argument and no environment of what is started.
func TestHardware_secretsStayHere(t *testing.T) {
	dir := t.TempDir()
	seen, spy := filepath.Join(dir, "seen"), filepath.Join(dir, "spy")
	// The spy stands between kedge and the real helper, and writes down what it was given.
	script := "#!/bin/sh\n{ tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ; } >>" + seen + "\nexec " + testenv.PKCS11Helper(t) + "\n"
	if err := os.WriteFile(spy, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("no /proc here")
	}
	_, args := onToken(t, spy, "--key-password-from", "env:KEDGE_TEST_PIN")
	writeFile(t, seen, "")
	checkCredentials(t, args)
	data, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "SOFTHSM2_CONF=") {
		t.Fatalf("the spy saw nothing: %q", data)
	}
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, "KEDGE_TEST_PIN") || strings.TrimSpace(line) == "1234" {
			t.Errorf("the helper was given %q", line)
		}
	}
}

// TestHardware_helperKilled: kill -9 of kedge-pkcs11 costs a role that is open nothing but the
// signature it was making.
func TestHardware_helperKilled(t *testing.T) {
	_, args := onToken(t, testenv.PKCS11Helper(t), "--key-password-from", "env:KEDGE_TEST_PIN")
	o := &credentialProcessOptions{host: newHost(cli.Streams{Out: os.Stdout, Err: os.Stderr})}
	cmd := newCredentialProcess(o.host, func(ctx context.Context, made *credentialProcessOptions) error {
		r, err := role.Open(ctx, made.role, made.forRole(made.debug), role.Long)
		if err != nil {
			return err
		}
		defer r.Close()
		for range 3 {
			if _, err := r.Retrieve(ctx); err != nil {
				return err
			}
			killHelper(t)
		}
		return nil
	})
	cmd.SetArgs(args[1:])
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Error(err)
	}
}

// killHelper kills the kedge-pkcs11 that this process started, and waits until it is gone.
func killHelper(t *testing.T) {
	t.Helper()
	pgrep := testenv.Tool(t, "pgrep")
	children := func() []byte {
		out, _ := exec.Command(pgrep, "-P", strconv.Itoa(os.Getpid()), "-x", "kedge-pkcs11").Output()
		return out
	}
	pids := strings.Fields(string(children()))
	if len(pids) != 1 {
		t.Fatalf("%d processes kedge-pkcs11, want one", len(pids))
	}
	for _, pid := range pids {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		helper, err := os.FindProcess(n)
		if err == nil {
			err = helper.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for len(children()) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("kedge-pkcs11 outlives kill -9")
		}
	}
}
