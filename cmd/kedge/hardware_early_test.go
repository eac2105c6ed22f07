package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/keys"
	"kedge/internal/testenv"
	"kedge/tpm"
)

// TestHardware_connectsEarly: the connection that is opened with the key in hardware changes no outcome.
// What is wrong with the key is said whatever the service does, and asks it nothing; what is wrong with
// the service is said as with a key file.
func TestHardware_connectsEarly(t *testing.T) {
	server := testenv.Swtpm(t)
	r := newHardwareRig(t)
	t.Setenv("TPM_DEVICE", server.Device)
	secret := func() ([]byte, error) { return []byte("secret"), nil }
	made := func(name string, o tpm.CreateOptions) string {
		o.Device, o.Type = server.Device, "P-256"
		file, err := tpm.Create(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(r.dir, name)
		writeFile(t, path, string(file))
		return path
	}
	certified := func(key, name string) string {
		opened, err := keys.Open(t.Context(), key, keys.Options{Device: server.Device, Auth: secret})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		path := filepath.Join(r.dir, name+".pem")
		writeFile(t, path, string(pemOf("CERTIFICATE", r.certify(t, opened.Public(), name).Raw)))
		return path
	}
	key, other := made("key", tpm.CreateOptions{}), made("other", tpm.CreateOptions{})
	locked := made("locked", tpm.CreateOptions{KeyAuth: secret})
	certificate, ofLocked := certified(key, "tpm"), certified(locked, "locked")
	file := filepath.Join(r.dir, "leaf.key")
	issue(t, newAuthority(t), r.dir, "leaf", time.Now())

	var asked atomic.Int32
	counts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(counts.Close)
	untrusted := httptest.NewUnstartedServer(counts.Config.Handler)
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	outcome := func(endpoint, certificate, key string, flags ...string) (code int, words string) {
		var out, stderr bytes.Buffer
		args := append(append([]string{}, r.session...), "--endpoint", endpoint, "--certificate", certificate, "--private-key", key)
		code = run(t.Context(), append(args, flags...), cli.Streams{Out: &out, Err: &stderr})
		if out.Len() != 0 {
			t.Errorf("standard output: %q", &out)
		}
		return code, stderr.String()
	}

	for name, args := range map[string][]string{
		"no TPM":                 {certificate, "tpm:device=/nowhere/tpm0;file=" + key},
		"no key file":            {certificate, "tpm:file=" + key + ".gone"},
		"no certificate":         {certificate + ".gone", "tpm:file=" + key},
		"another key":            {certificate, "tpm:file=" + other},
		"another key, as a file": {certificate, other},
		"no persistent key":      {certificate, "handle:0x81000099"},
		"no auth value":          {ofLocked, locked},
		"no module":              {certificate, "pkcs11:object=key", "--pkcs11-lib", "/nowhere/module.so"},
	} {
		code, words := outcome(gone.URL, args[0], args[1], args[2:]...)
		for _, service := range []string{counts.URL, untrusted.URL} {
			if c, w := outcome(service, args[0], args[1], args[2:]...); c != code || w != words {
				t.Errorf("%s: with a service exit %d:\n%swithout one %d:\n%s", name, c, w, code, words)
			}
		}
		if code != cli.ExitKey {
			t.Errorf("%s: exit %d: %s", name, code, words)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests with keys that cannot sign", n)
	}
	for _, service := range []string{gone.URL, untrusted.URL, counts.URL, "https://nowhere.invalid"} {
		code, words := outcome(service, filepath.Join(r.dir, "leaf.pem"), file)
		if c, w := outcome(service, certificate, key); c != code || w != words {
			t.Errorf("with a key in the TPM exit %d:\n%swith a key file %d:\n%s", c, w, code, words)
		}
	}
	if left := server.Transient(t); left != "" {
		t.Errorf("the TPM is left with\n%s", left)
	}
}
