package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestExamples_keys runs the examples in the help of the commands that make things, one after the
// other as somebody would: with the system's TPM, and the PKCS#11 modules that p11-kit lists.
func TestExamples_keys(t *testing.T) {
	t.Parallel()
	if found, _ := filepath.Glob("/usr/lib/*/p11-kit-proxy.so"); len(found) == 0 {
		testenv.Missing(t, "p11-kit", "not installed; scripts/setup installs it")
	}
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "kedge")
	s := testenv.Swtpm(t)
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "kedge")); err != nil {
		t.Fatal(err)
	}
	j := newJourney(t, "TPM_DEVICE="+s.Device, "SOFTHSM2_CONF="+filepath.Join(h.Dir, "softhsm2.conf"),
		"KEDGE_PKCS11_HELPER="+testenv.PKCS11Helper(t), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	writeFile(t, filepath.Join(j.dir, "web-01.password"), "correct horse\n")
	writeFile(t, filepath.Join(j.dir, "kedge.pin"), "1234\n")

	j.examples(t, "key", "create")
	said := j.examples(t, "csr")
	writeFile(t, filepath.Join(j.dir, "web-01.pem"), j.sign(t, said)) // the last is that of the token's key
	j.examples(t, "certificate", "import")
}

// examples runs those of a command, line by line, and returns what the last one prints.
func (j *journey) examples(t *testing.T, command ...string) (said string) {
	t.Helper()
	cmd, _, err := newRoot(host{}.Streams, nil).Find(command)
	if err != nil || cmd.Example == "" {
		t.Fatalf("%s has no examples: %v", command, err)
	}
	for line := range strings.Lines(cmd.Example) {
		sh := exec.CommandContext(t.Context(), "sh", "-c", line)
		sh.Dir = j.dir
		sh.Env = append(os.Environ(), j.env...)
		out, err := sh.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		said = string(out)
	}
	return said
}
